/* capture: who watches a run sees every gradient once, and the run does not notice. */
#include "byline/train.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "toy.h"

enum { EXAMPLES = 30, STEPS = 12 };

/* What was seen, and what was called when. */
struct seen {
	const char *dir;
	const struct dataset *data;
	struct model table;
	atomic_int head[EXAMPLES], layers;
	atomic_int wrong;		/* gradients that are none of a loss of weight 1 */
	struct str calls;
	bool odd;			/* watch odd steps only */
	int64_t fail_at;		/* this step's end is an error; 0: none is */
};

static bool
watch_wants(void *arg, int64_t step)
{
	const struct seen *s = arg;
	return !s->odd || step % 2 == 1;
}

/* The gradient of a loss of weight 1 at a row's logits: p - onehot. */
static bool
is_of_weight_one(const float *g, int32_t target)
{
	double sum = 0, rest = 0;
	for (int j = 0; j < TOY_VOCAB; j++) {
		sum += (double)g[j];
		rest += j == target ? 0 : (double)g[j];
	}
	return fabs(sum) < 1e-5 && fabs(rest + (double)g[target]) < 1e-5 && g[target] < 0 && g[target] > -1;
}

static void
watch_linear(void *arg, int worker, const uint32_t *example, int index, const float *a, const float *g,
	const struct batch *b)
{
	struct seen *s = arg;
	(void)worker;
	(void)a;
	atomic_fetch_add(&s->layers, 1);
	if (s->table.linears[index].role != ROLE_HEAD)
		return;
	for (int i = 0; i < b->n_seq; i++) {
		const uint64_t from = s->data->start[example[i]], n = s->data->start[example[i] + 1] - from;
		const int row = b->start[i];
		atomic_fetch_add(&s->head[example[i]], 1);
		bool same = (uint64_t)(b->start[i + 1] - row) == n - 1
			&& memcmp(b->token + row, s->data->token + from, (n - 1) * sizeof(int32_t)) == 0;
		for (int r = row; same && r < b->start[i + 1]; r++)
			same = is_of_weight_one(g + (size_t)r * TOY_VOCAB, b->target[r]);
		atomic_fetch_add(&s->wrong, !same);
	}
}

static enum err
watch_step(void *arg, int64_t done)
{
	struct seen *s = arg;
	str_addf(&s->calls, "%d ", (int)done);
	return done == s->fail_at ? err_set(ERR_IO, "failed at %d", (int)done) : OK;
}

static enum err
watch_checkpoint(void *arg, int64_t done, const float *params)
{
	struct seen *s = arg;
	struct model kept = {0};
	char name[64];
	snprintf(name, sizeof(name), "checkpoints/step-%08d", (int)done);
	char *path = path_join(s->dir, name);
	assert_ok(checkpoint_load(path, &kept));
	assert_memory_equal(kept.params, params, kept.n_params * sizeof(float));
	str_addf(&s->calls, "kept@%d ", (int)done);
	model_free(&kept);
	free(path);
	return OK;
}

static enum err
watch_save(void *arg, int64_t done)
{
	str_addf(&((struct seen *)arg)->calls, "save@%d ", (int)done);
	return OK;
}

static enum err
watch_begin(void *arg, int64_t done)
{
	str_addf(&((struct seen *)arg)->calls, "begin@%d ", (int)done);
	return OK;
}

struct fixture {
	char top[64];
	struct dataset d;
	struct train_spec spec;
	struct seen seen;
	struct train_capture hooks;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	strcpy(f->top, "/tmp/byline-watch-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	toy_dataset(&f->d, EXAMPLES, 0);
	f->spec.data = &f->d;
	toy_options(&f->spec.options);
	f->spec.options.keep = 2;
	f->spec.options.dtype = ST_BF16;
	f->seen = (struct seen){ .data = &f->d };
	toy_model(&f->seen.table);
	f->hooks = (struct train_capture){ .arg = &f->seen, .wants = watch_wants,
		.linear = watch_linear, .step = watch_step, .checkpoint = watch_checkpoint,
		.save = watch_save, .begin = watch_begin };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	model_free(&f->seen.table);
	str_free(&f->seen.calls);
	dataset_free(&f->d);
	enum err err = file_remove_tree(f->top);
	free(f);
	return err == OK ? 0 : -1;
}

static enum err
run(struct fixture *f, const char *name, bool watched, int threads, char hex[HASH_HEX])
{
	struct model m;
	struct pool *pool = pool_new(threads);
	char *dir = path_join(f->top, name), *checkpoint = path_join(dir, "checkpoint");
	f->seen.dir = dir;
	f->spec.capture = watched ? &f->hooks : NULL;
	toy_model(&m);
	enum err err = train_run(&m, dir, &f->spec, pool, NULL);
	if (err == OK)
		assert_ok(checkpoint_hash(checkpoint, hex));
	model_free(&m);
	pool_free(pool);
	free(checkpoint);
	free(dir);
	return err;
}

static void
test_unnoticed(void **state)
{
	struct fixture *f = *state;
	char plain[HASH_HEX], watched[HASH_HEX];
	assert_ok(run(f, "plain", false, 1, plain));
	assert_ok(run(f, "watched", true, 2, watched));
	assert_string_equal(plain, watched);
	for (int i = 0; i < EXAMPLES; i++)
		assert_int_equal(f->seen.head[i], f->spec.options.epochs);
	assert_int_equal(f->seen.wrong, 0);
	assert_int_equal(f->seen.layers, STEPS * 4 * f->seen.table.n_linears);
}

static void
test_calls(void **state)
{
	struct fixture *f = *state;
	char hex[HASH_HEX];
	f->seen.odd = true;
	assert_ok(run(f, "calls", true, 2, hex));
	assert_string_equal(f->seen.calls.s, "begin@0 2 4 save@4 6 kept@6 save@6 8 save@8 10 12 kept@12 save@12 ");
	assert_int_equal(train_steps(&f->spec), STEPS);
	for (int i = 0; i <= STEPS; i++)
		assert_int_equal(train_keeps(&f->spec, i), i == 6 || i == STEPS);
}

static void
test_roles(void **state)
{
	struct fixture *f = *state;
	char hex[HASH_HEX];
	f->hooks.roles = 1u << ROLE_HEAD;
	assert_ok(run(f, "roles", true, 2, hex));
	assert_int_equal(f->seen.layers, STEPS * 4);
}

/* An error ends the run, and it goes on from the resume point before. */
static void
test_error(void **state)
{
	struct fixture *f = *state;
	char plain[HASH_HEX], hex[HASH_HEX];
	f->seen.fail_at = 7;
	assert_err(run(f, "error", true, 2, hex), ERR_IO);
	assert_string_equal(err_message(), "failed at 7");
	assert_string_equal(f->seen.calls.s, "begin@0 1 2 3 4 save@4 5 6 kept@6 save@6 7 ");
	f->seen.fail_at = 0;
	str_clear(&f->seen.calls);
	assert_ok(run(f, "error", true, 1, hex));
	assert_string_equal(f->seen.calls.s, "begin@6 7 8 save@8 9 10 11 12 kept@12 save@12 ");
	assert_ok(run(f, "plain", false, 1, plain));
	assert_string_equal(plain, hex);
}

/* Whoever has no functions at all is watched by nobody, and a replay by nobody ever. */
static void
test_nobody(void **state)
{
	struct fixture *f = *state;
	char plain[HASH_HEX], hex[HASH_HEX];
	struct model m;
	struct pool *pool = pool_new(1);
	toy_model(&m);
	f->spec.capture = &f->hooks;
	assert_ok(train_replay(&m, &f->spec, 3, pool, NULL));
	assert_int_equal(f->seen.layers, 0);
	assert_int_equal(f->seen.calls.len, 0);
	f->hooks = (struct train_capture){0};
	assert_ok(run(f, "none", true, 1, hex));
	assert_ok(run(f, "plain", false, 1, plain));
	assert_string_equal(plain, hex);
	model_free(&m);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unnoticed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
