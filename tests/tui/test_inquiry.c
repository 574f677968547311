/* An inquiry: which job follows which, and what a change of mind does to them. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "byline/mem.h"
#include "fake.h"
#include "inquiry.h"
#include "rows.h"
#include "unit.h"

struct desk { struct source *s; struct worker w; struct inquiry *q; };

static void
desk_open(struct desk *d)
{
	const struct tui_options o = {0};
	assert_ok(fake_open(&o, &d->s));
	assert_ok(worker_open(&d->w));
	d->q = inquiry_new(d->s, &d->w);
}

static void
desk_close(struct desk *d)
{
	inquiry_free(d->q);
	worker_close(&d->w);
	d->s->ops->close(d->s);
}

static void
ask(struct desk *d, const char *prompt)
{
	const struct sample_options o = { .temperature = 1, .top_p = 1, .seed = 1, .max_tokens = 32 };
	inquiry_ask(d->q, prompt, NULL, &o);
}

/* One turn of a loop: false when nothing is left to do. */
static bool
turn(struct desk *d)
{
	worker_hush(&d->w);
	worker_collect(&d->w);
	if (!inquiry_step(d->q))
		return false;
	struct pollfd p = { .fd = d->w.pipe[0], .events = POLLIN };
	poll(&p, 1, 1000);
	return true;
}

static void
settle(struct desk *d)
{
	while (turn(d))
		;
}

static void
until_stage(struct desk *d, enum stage stage)
{
	for (int i = 0; d->q->stage != stage; i++) {
		assert_true(i < 100000);
		turn(d);
	}
}

static void
from_prompt_to_exact(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	assert_false(inquiry_step(d.q));		/* nothing was asked */
	ask(&d, "The keeper");
	assert_false(inquiry_ranked(d.q));
	settle(&d);
	assert_int_equal(inquiry_tokens(d.q), 30);
	assert_true(inquiry_current(d.q));
	assert_true(d.q->standing->exact);
	assert_non_null(d.q->strength);
	assert_int_equal(d.q->standing->row[0].example, 0);
	assert_int_equal(d.q->standing->n, 13);
	assert_true(d.q->standing->row[12].score < 0);
	assert_true(d.q->standing->row[12].score <= d.q->standing->row[11].score);
	double sum = d.q->standing->shares.residual;
	for (size_t i = 0; i < d.q->standing->shares.n; i++)
		sum += d.q->standing->shares.c[i].share;
	assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
	assert_true(d.q->standing->rests_on > 1 && d.q->standing->rests_on < 3);
	desk_close(&d);
}

static void
a_span_ranks_again(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "The keeper");
	settle(&d);
	inquiry_span(d.q, 20, 30);
	assert_false(inquiry_ranked(d.q));
	assert_non_null(d.q->standing);			/* the old one stays on the screen */
	settle(&d);
	assert_int_equal(d.q->standing->ranking->from, 20);
	assert_int_equal(d.q->standing->row[0].example, 1);
	inquiry_span(d.q, 5, 999);
	assert_int_equal(d.q->wish.to, 30);
	inquiry_span(d.q, 0, 0);
	assert_true(d.q->span_whole);
	settle(&d);
	assert_int_equal(d.q->standing->ranking->to, 30);
	desk_close(&d);
}

/* While the exact scores are being worked out, a new span is ranked at once. */
static void
a_change_cancels_what_is_stale(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "stuck");
	until_stage(&d, STAGE_EXACT);
	assert_true(inquiry_ranked(d.q));
	assert_false(inquiry_current(d.q));
	inquiry_span(d.q, 0, 3);
	while (d.q->have.to != 3)
		turn(&d);
	until_stage(&d, STAGE_EXACT);
	assert_false(d.q->standing->exact);
	inquiry_method(d.q, &d.s->info.methods[1]);
	settle(&d);
	assert_string_equal(d.q->standing->ranking->method->name, "bm25");
	assert_true(inquiry_current(d.q));
	desk_close(&d);
}

/* Ranks that cannot be told apart share a bracket; where all is noise, the standing says so. */
static void
brackets_and_emptiness(void **state)
{
	(void)state;
	struct desk d;
	size_t first, last;
	desk_open(&d);
	ask(&d, "The keeper");
	settle(&d);
	assert_false(d.q->standing->nothing);
	rows_bracket(d.q->standing, 0, &first, &last);
	assert_int_equal(first, 1);
	assert_int_equal(last, 1);
	rows_bracket(d.q->standing, 4, &first, &last);
	assert_int_equal(first, 3);
	assert_int_equal(last, 6);
	rows_bracket(d.q->standing, 12, &first, &last);	/* the strongest opponent */
	assert_int_equal(first, 1);
	assert_int_equal(last, 7);
	ask(&d, "noise");
	settle(&d);
	assert_true(d.q->standing->nothing);
	d.q->raw = true;
	ask(&d, "noise again");
	assert_false(d.q->raw);
	desk_close(&d);
}

/* What stands word for word, and influence token by token, whose sums are the score. */
static void
words_and_tokens(void **state)
{
	(void)state;
	struct desk d;
	size_t n;
	desk_open(&d);
	ask(&d, "The keeper");
	assert_null(inquiry_verbatim(d.q, &n));
	settle(&d);
	assert_true(d.q->verbatim.done);
	assert_int_equal(d.q->verbatim.n, 3);
	assert_non_null(inquiry_verbatim(d.q, &n));
	assert_int_equal(n, 3);
	inquiry_span(d.q, 10, 14);
	const struct verbatim_span *v = inquiry_verbatim(d.q, &n);
	assert_int_equal(n, 1);
	assert_memory_equal(d.q->query->output.s + v->from, "came round the point", 20);
	inquiry_span(d.q, 7, 8);
	assert_null(inquiry_verbatim(d.q, &n));
	inquiry_tokens_of(d.q, 2);
	settle(&d);
	assert_non_null(d.q->tokens.t);
	inquiry_span(d.q, 2, 6);
	inquiry_tokens_of(d.q, 2);
	assert_null(d.q->tokens.t);
	settle(&d);
	const struct token_influence *t = d.q->tokens.t;
	double sum = 0;
	assert_int_equal(t->to - t->from, 4);
	for (int i = 0; i < 4 * t->n_in; i++)
		sum += (double)t->matrix[i];
	assert_true(sum > t->score - 1e-5 && sum < t->score + 1e-5);
	desk_close(&d);
}

static void
halting(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "slow");
	until_stage(&d, STAGE_ASK);
	while (inquiry_tokens(d.q) == 0)
		turn(&d);
	inquiry_halt(d.q);
	settle(&d);
	assert_true(d.q->halted);
	assert_null(d.q->query);
	assert_int_equal(inquiry_tokens(d.q), 1);	/* what came stays to be read */
	ask(&d, "quick");
	settle(&d);
	assert_int_equal(inquiry_tokens(d.q), 30);
	/* A question may come while another is being answered. */
	ask(&d, "slow");
	until_stage(&d, STAGE_ASK);
	ask(&d, "quick");
	settle(&d);
	assert_int_equal(inquiry_tokens(d.q), 30);
	desk_close(&d);
}

static void
marks_go_first(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "stuck");
	until_stage(&d, STAGE_EXACT);
	inquiry_mark(d.q, 3);
	while (!d.q->marks.ready)
		turn(&d);
	assert_int_equal(d.q->marks.example, 3);
	until_stage(&d, STAGE_EXACT);			/* and then the list goes on */
	inquiry_span(d.q, 1, 2);			/* marks are of a span */
	assert_false(d.q->marks.ready);
	inquiry_exact(d.q, 0);
	settle(&d);
	assert_true(d.q->marks.ready);
	assert_int_equal(d.q->marks.to, 2);
	desk_close(&d);
}

/* What was worked out for one example is not shown beside another that was opened meanwhile. */
static void
marks_of_the_example_that_is_open(void **state)
{
	(void)state;
	struct desk d;
	float score, *mark;
	desk_open(&d);
	ask(&d, "quick");
	settle(&d);
	inquiry_mark(d.q, 3);
	until_stage(&d, STAGE_MARKS);
	inquiry_mark(d.q, 5);
	while (!d.q->marks.ready)
		turn(&d);
	mark = xcalloc((size_t)d.q->source->ops->example(d.q->source, 5)->n_tokens + 1, sizeof(*mark));
	assert_ok(d.q->source->ops->marks(d.q->source, d.q->query, d.q->wish.from, d.q->wish.to, 5, NULL, &score, mark));
	assert_true(d.q->marks.score == score);
	free(mark);
	settle(&d);
	desk_close(&d);
}

static void
failures_stop_and_speak(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "fail");
	settle(&d);
	assert_int_equal(d.q->err, ERR_FORMAT);
	assert_non_null(strstr(d.q->error, "are broken"));
	assert_true(d.q->halted);
	ask(&d, "empty");
	settle(&d);
	assert_int_equal(d.q->err, OK);
	assert_int_equal(inquiry_tokens(d.q), 0);
	assert_null(d.q->standing);
	desk_close(&d);
}

static void
closing_in_the_middle(void **state)
{
	(void)state;
	struct desk d;
	desk_open(&d);
	ask(&d, "stuck");
	until_stage(&d, STAGE_EXACT);
	desk_close(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_prompt_to_exact), cmocka_unit_test(a_span_ranks_again),
		cmocka_unit_test(a_change_cancels_what_is_stale),
		cmocka_unit_test(brackets_and_emptiness),
		cmocka_unit_test(words_and_tokens), cmocka_unit_test(halting),
		cmocka_unit_test(marks_go_first), cmocka_unit_test(marks_of_the_example_that_is_open),
		cmocka_unit_test(failures_stop_and_speak),
		cmocka_unit_test(closing_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
