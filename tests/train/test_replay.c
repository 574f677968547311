/* replay: the arithmetic of a run: the same bits whatever the threads, what leaving out means, that it learns, when it
 * gives up. */
#include "byline/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "toy.h"

static void
replay(struct model *m, const struct train_spec *spec, int64_t at_step, int threads)
{
	struct pool *pool = pool_new(threads);
	toy_model(m);
	assert_ok(train_replay(m, spec, at_step, pool, NULL));
	pool_free(pool);
}

static void
test_threads(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	struct model m[4];
	toy_dataset(&d, 60, 1);
	toy_options(&spec.options);
	for (int i = 0; i < 4; i++)
		replay(&m[i], &spec, 0, i + 1);
	for (int i = 1; i < 4; i++)
		assert_same_weights(&m[0], &m[i]);
	for (int i = 0; i < 4; i++)
		model_free(&m[i]);
	dataset_free(&d);
}

/* Another seed, or another number of lanes, is another run: otherwise the tests of equality would show nothing. */
static void
test_recipe_matters(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	struct model a, b;
	toy_dataset(&d, 30, 0);
	toy_options(&spec.options);
	replay(&a, &spec, 0, 1);
	spec.options.lanes = 3;
	replay(&b, &spec, 0, 1);
	assert_memory_not_equal(a.params, b.params, a.n_params * sizeof(float));
	double far = 0;
	for (size_t i = 0; i < a.n_params; i++)
		far = fmax(far, fabs((double)a.params[i] - (double)b.params[i]));
	assert_true(far < 1e-2);	/* rounding alone */
	model_free(&b);
	spec.options.seed++;
	replay(&b, &spec, 0, 1);
	assert_memory_not_equal(a.params, b.params, a.n_params * sizeof(float));
	model_free(&a);
	model_free(&b);
	dataset_free(&d);
}

/* ---- held-out text, learning ---- */

static void
test_heldout_unused(void **state)
{
	(void)state;
	struct model m[3];
	for (uint64_t i = 0; i < 3; i++) {
		struct dataset d;
		struct train_spec spec = { .data = &d };
		toy_dataset(&d, 40, i);		/* 0: none is held out */
		toy_options(&spec.options);
		replay(&m[i], &spec, 0, 2);
		dataset_free(&d);
	}
	assert_same_weights(&m[0], &m[1]);
	assert_same_weights(&m[0], &m[2]);
	for (int i = 0; i < 3; i++)
		model_free(&m[i]);
}

static void
test_learns(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	struct model m;
	struct pool *pool = pool_new(2);
	toy_dataset(&d, 300, 1);
	toy_options(&spec.options);
	spec.options.epochs = 12;
	toy_model(&m);
	model_init(&m, 1);
	double before = train_evaluate(&m, m.params, &d, true, pool);
	assert_true(fabs(before - log(TOY_VOCAB)) < 0.1);
	model_free(&m);
	replay(&m, &spec, 0, 2);
	double seen = train_evaluate(&m, m.params, &d, false, pool);
	double unseen = train_evaluate(&m, m.params, &d, true, pool);
	/* 9 of 10 tokens are certain to one who knows the rule: about 0.65 nats are left, and each first token. */
	if (!(seen < 1.6 && unseen < 2.0 && seen < unseen))
		fail_msg("trained %.3f, held out %.3f nats", seen, unseen);
	model_free(&m);
	pool_free(pool);
	dataset_free(&d);
}

/* ---- leaving out ---- */

struct trace { int n; struct train_status s[64]; };

static enum err
single_steps(const struct train_spec *spec, struct trace *t)
{
	struct pool *pool = pool_new(1);
	enum err err = OK;
	*t = (struct trace){0};
	for (int64_t at = 1; err == OK && at <= train_steps(spec); at++) {
		struct model m;
		toy_model(&m);
		err = train_replay(&m, spec, at, pool, NULL);
		model_free(&m);
	}
	pool_free(pool);
	return err;
}

static void
note_status(void *arg, const struct train_status *s)
{
	struct trace *t = arg;
	t->n = (int)s->step;
	t->s[s->step - 1] = *s;
}

/* Two steps of four examples; `first` gets the examples of the first. */
static void
two_steps(struct dataset *d, struct train_spec *spec, uint8_t first[8])
{
	toy_dataset(d, 8, 0);
	*spec = (struct train_spec){ .data = d };
	toy_options(&spec->options);
	spec->options.batch = 4;
	spec->options.epochs = 1;
	spec->options.warmup = 0;
	uint32_t order[8];
	struct rng r;
	for (uint32_t i = 0; i < 8; i++)
		order[i] = i;
	rng_init(&r, spec->options.seed, 0);
	rng_shuffle(&r, order, 8);
	for (int i = 0; i < 8; i++)
		first[order[i]] = i < 4;
}

static void
test_empty_batch(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec;
	struct model one, both;
	uint8_t first[8], second[8];
	two_steps(&d, &spec, first);
	for (int i = 0; i < 8; i++)
		second[i] = !first[i];
	/* The second batch is empty: as if it had stopped after the first. */
	replay(&one, &spec, 1, 1);
	struct train_spec without = spec;
	without.drop = second;
	replay(&both, &without, 0, 1);
	assert_same_weights(&one, &both);
	model_free(&both);
	/* The first is empty: the second is still taken at its own learning rate. */
	struct trace t;
	without.drop = first;
	without.status = note_status;
	without.arg = &t;
	assert_ok(single_steps(&without, &t));
	assert_int_equal(t.n, 2);
	assert_true(isnan(t.s[0].loss) && t.s[0].step == 1);
	assert_int_equal(t.s[1].step, 2);
	assert_true(fabs(t.s[1].lr - spec.options.lr * spec.options.lr_floor) < 1e-12);
	assert_true(t.s[1].grad_norm > 0);
	model_free(&one);
	/* Nothing is left at all: the weights are the fresh ones. */
	uint8_t all[8];
	memset(all, 1, sizeof(all));
	without = spec;
	without.drop = all;
	replay(&one, &without, 0, 2);
	toy_model(&both);
	model_init(&both, spec.options.seed);
	assert_same_weights(&one, &both);
	model_free(&one);
	model_free(&both);
	dataset_free(&d);
}

/* Dropping from a batch is training on the mean over what remains: a dataset without the example has the same first
 * step. */
static void
test_drop_mean(void **state)
{
	(void)state;
	struct dataset all, some = {0};
	struct train_spec spec = { .data = &all }, rest = { .data = &some };
	struct model a, b;
	uint8_t drop[4] = { 0, 0, 1, 0 };
	toy_dataset(&all, 4, 0);
	for (size_t i = 0; i < 4; i++)
		if (!drop[i])
			dataset_add(&some, all.token + all.start[i], (size_t)(all.start[i + 1] - all.start[i]), false);
	toy_options(&spec.options);
	spec.options.clip = 0;
	spec.options.eps = 1;		/* far from sign descent: differences of rounding stay small */
	rest.options = spec.options;
	spec.drop = drop;
	replay(&a, &spec, 1, 1);
	replay(&b, &rest, 1, 1);
	double moved = 0, apart = 0;
	struct model fresh;
	toy_model(&fresh);
	model_init(&fresh, spec.options.seed);
	for (size_t i = 0; i < a.n_params; i++) {
		moved = fmax(moved, fabs((double)a.params[i] - (double)fresh.params[i]));
		apart = fmax(apart, fabs((double)a.params[i] - (double)b.params[i]));
	}
	assert_true(moved > 1e-5 && apart < 1e-3 * moved);
	model_free(&fresh);
	model_free(&a);
	model_free(&b);
	dataset_free(&all);
	dataset_free(&some);
}

/* ---- clipping ---- */

static double
first_move(const struct train_spec *spec)
{
	struct model m, fresh;
	double sum = 0;
	replay(&m, spec, 1, 1);
	toy_model(&fresh);
	model_init(&fresh, spec->options.seed);
	for (size_t i = 0; i < m.n_params; i++)
		sum += pow((double)m.params[i] - (double)fresh.params[i], 2);
	model_free(&m);
	model_free(&fresh);
	return sqrt(sum);
}

/* With eps far above the gradients the first step goes along the gradient, a clipped one as far as the clip says. */
static void
test_clip(void **state)
{
	(void)state;
	struct dataset d;
	struct trace t;
	struct train_spec spec = { .data = &d, .status = note_status, .arg = &t };
	toy_dataset(&d, 8, 0);
	toy_options(&spec.options);
	spec.options.eps = 1;
	spec.options.weight_decay = 0;
	spec.options.clip = 0;
	double free_move = first_move(&spec), norm = t.s[0].grad_norm;
	spec.options.clip = norm / 4;
	assert_true(fabs(first_move(&spec) / free_move - 0.25) < 0.01);
	assert_true(t.s[0].grad_norm == norm);
	spec.options.clip = norm * 2;
	assert_true(first_move(&spec) == free_move);
	dataset_free(&d);
}

/* ---- what is refused ---- */

static void
check_replay(const struct train_spec *spec, struct job *job, enum err want, const char *word)
{
	struct pool *pool = pool_new(2);
	struct model m;
	toy_model(&m);
	assert_err(train_replay(&m, spec, 0, pool, job), want);
	if (!strstr(err_message(), word))
		fail_msg("\"%s\" does not say %s", err_message(), word);
	model_free(&m);
	pool_free(pool);
}

static void
test_refused(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	static const int32_t alien[] = { 0, TOY_VOCAB }, below[] = { 0, -1 }, long_one[TOY_CTX + 2] = { 0 };
	toy_options(&spec.options);
	toy_dataset(&d, 0, 0);
	check_replay(&spec, NULL, ERR_USAGE, "no example");
	dataset_add(&d, alien, 2, true);
	check_replay(&spec, NULL, ERR_MISMATCH, "token 32");
	dataset_free(&d);
	dataset_add(&d, below, 2, false);
	check_replay(&spec, NULL, ERR_MISMATCH, "token -1");
	dataset_free(&d);
	dataset_add(&d, long_one, TOY_CTX + 1, false);
	dataset_add(&d, long_one, TOY_CTX + 2, false);
	check_replay(&spec, NULL, ERR_LIMIT, "example 1");
	dataset_free(&d);
	toy_dataset(&d, 4, 0);
	spec.options.batch = 0;
	check_replay(&spec, NULL, ERR_USAGE, "batch");
	dataset_free(&d);
}

static void
test_divergence(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	toy_dataset(&d, 40, 0);
	toy_options(&spec.options);
	spec.options.lr = 10;
	spec.options.warmup = 0;
	spec.options.weight_decay = 100;	/* w <- -999 w */
	spec.options.epochs = 30;
	check_replay(&spec, NULL, ERR_USAGE, "lower --lr");
	assert_non_null(strstr(err_message(), "at step "));
	dataset_free(&d);
}

static void
test_cancel(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec = { .data = &d };
	struct job job;
	toy_dataset(&d, 40, 0);
	toy_options(&spec.options);
	job_init(&job);
	job_cancel(&job);
	check_replay(&spec, &job, ERR_CANCELLED, "");
	job_done(&job);
	dataset_free(&d);
}

/* ---- evaluation ---- */

/* One sequence at a time, by hand. */
static double
evaluate_slowly(const struct model *m, const struct dataset *d, bool which)
{
	struct acts *acts = acts_new(m);
	double loss = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		struct ragged r = {0};
		if ((d->heldout[i] != 0) != which)
			continue;
		ragged_fill(&r, d, &i, 1);
		assert_ok(model_forward(m, m->params, acts, &r.batch));
		loss += acts_loss(m, acts, &r.batch, NULL, NULL);
		ragged_free(&r);
	}
	acts_free(acts);
	return loss / (double)dataset_tokens(d, which);
}

static void
test_evaluate(void **state)
{
	(void)state;
	struct dataset d;
	struct model m;
	double loss[3][2];
	toy_dataset(&d, 100, 3);
	toy_model(&m);
	model_init(&m, 3);
	for (int i = 0; i < 3; i++) {
		struct pool *pool = pool_new(i + 1);
		loss[i][0] = train_evaluate(&m, m.params, &d, false, pool);
		loss[i][1] = train_evaluate(&m, m.params, &d, true, pool);
		assert_memory_equal(loss[i], loss[0], sizeof(loss[0]));
		pool_free(pool);
	}
	assert_true(fabs(loss[0][0] - evaluate_slowly(&m, &d, false)) < 1e-5);
	assert_true(fabs(loss[0][1] - evaluate_slowly(&m, &d, true)) < 1e-5);
	dataset_free(&d);
	struct pool *pool = pool_new(1);
	toy_dataset(&d, 3, 0);
	assert_true(isnan(train_evaluate(&m, m.params, &d, true, pool)));
	dataset_add(&d, (const int32_t[]){ 0, 99, 1 }, 3, false);
	assert_true(isnan(train_evaluate(&m, m.params, &d, false, pool)));
	pool_free(pool);
	dataset_free(&d);
	model_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_recipe_matters),
		cmocka_unit_test(test_heldout_unused),
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_empty_batch),
		cmocka_unit_test(test_drop_mean),
		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_divergence),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_evaluate),
	};
	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
