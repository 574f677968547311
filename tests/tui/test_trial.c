/* A trial: first what it would take, then the thing itself; stopped, failed, and kept. */
#include <poll.h>
#include <string.h>

#include "fake.h"
#include "trial.h"
#include "unit.h"

struct bench { struct source *s; struct trial t; struct trial_ask ask; };

static char prompt[] = "The keeper", long_prompt[] = "long ago", output[] = " waited", removed[] = "the best";
static uint32_t byte_of[] = { 0, 7 };

static void
bench_open(struct bench *b, const char *store)
{
	const struct tui_options o = { .store = store };
	assert_ok(fake_open(&o, &b->s));
	assert_ok(trial_open(&b->t));
	b->ask = (struct trial_ask){ .prompt = prompt, .output = output, .n_output = 7, .byte_of = byte_of, .n_out = 1,
		.method = b->s->info.methods, .to = 1, .options = { .top = 2, .controls = 3 }, .removed = removed };
}

static void
bench_close(struct bench *b)
{
	trial_close(&b->t);
	b->s->ops->close(b->s);
}

static void
settle(struct bench *b)
{
	while (trial_busy(&b->t)) {
		struct pollfd p = { .fd = b->t.worker.pipe[0], .events = POLLIN };
		poll(&p, 1, 1000);
		worker_hush(&b->t.worker);
		worker_collect(&b->t.worker);
	}
}

static void
estimate_then_run(void **state)
{
	(void)state;
	struct bench b;
	bench_open(&b, "commons.byline");
	assert_false(trial_is(&b.t, &b.ask));
	trial_estimate(&b.t, b.s, &b.ask);
	assert_true(trial_is(&b.t, &b.ask));
	settle(&b);
	assert_int_equal(b.t.state, TRIAL_READY);
	assert_true(b.t.seconds > 300 && b.t.seconds < 320);
	trial_start(&b.t);
	settle(&b);
	assert_int_equal(b.t.state, TRIAL_DONE);
	assert_int_equal(b.t.result->n_removed, 2);
	assert_true(b.t.result->bit_exact);
	/* Another removal is another trial. */
	struct trial_ask other = b.ask;
	other.options.top = 3;
	assert_false(trial_is(&b.t, &other));
	other = b.ask;
	other.options.example = 5;			/* means nothing beside the best two */
	assert_true(trial_is(&b.t, &other));
	other.options.top = 0;
	trial_estimate(&b.t, b.s, &other);
	assert_null(b.t.result);
	settle(&b);
	trial_start(&b.t);
	settle(&b);
	assert_int_equal(b.t.result->n_removed, 1);
	assert_int_equal(b.t.result->removed[0], 5);
	bench_close(&b);
}

static void
stopping(void **state)
{
	(void)state;
	struct bench b;
	bench_open(&b, "commons.byline");
	b.ask.prompt = long_prompt;
	trial_estimate(&b.t, b.s, &b.ask);
	settle(&b);
	trial_start(&b.t);
	trial_stop(&b.t);
	settle(&b);
	assert_int_equal(b.t.state, TRIAL_STOPPED);
	trial_start(&b.t);				/* again, and closed in the middle */
	assert_true(trial_busy(&b.t));
	bench_close(&b);
}

static void
what_cannot_be_trained_again(void **state)
{
	(void)state;
	struct bench b;
	bench_open(&b, "fresh.byline");
	trial_estimate(&b.t, b.s, &b.ask);
	settle(&b);
	assert_int_equal(b.t.state, TRIAL_FAILED);
	assert_non_null(strstr(b.t.error, "was not trained here"));
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimate_then_run), cmocka_unit_test(stopping),
		cmocka_unit_test(what_cannot_be_trained_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
