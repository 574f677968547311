/* step: the gradient of a batch cut into lanes is the gradient of the batch. */
#include "../../src/train/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "toy.h"

enum { EXAMPLES = 7 };
static const uint32_t batch[EXAMPLES] = { 3, 9, 1, 0, 17, 12, 5 };

/* One ragged batch, one backward pass; returns the mean loss. */
static double
plain(const struct model *m, const struct dataset *d, size_t n, float *grad, int64_t *tokens)
{
	struct ragged r = {0};
	struct acts *a = acts_new(m);
	ragged_fill(&r, d, batch, n);
	assert_ok(model_forward(m, m->params, a, &r.batch));
	double loss = acts_loss(m, a, &r.batch, NULL, NULL);
	model_backward(m, m->params, a, &r.batch, grad, NULL);
	*tokens = r.batch.rows;
	for (size_t i = 0; i < m->n_params; i++)
		grad[i] /= (float)*tokens;
	ragged_free(&r);
	acts_free(a);
	return loss / (double)*tokens;
}

static double
norm(const float *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * (double)v[i];
	return sqrt(sum);
}

static void
check_lanes(struct model *m, const struct dataset *d, size_t n, int lanes, int threads)
{
	struct step s;
	struct step_result r, again;
	struct train_options o;
	struct pool *pool = pool_new(threads);
	float *want = xcalloc(m->n_params, sizeof(float)), *got = xcalloc(m->n_params, sizeof(float));
	int64_t tokens;
	double loss = plain(m, d, n, want, &tokens);
	train_defaults(&o);
	assert_ok(step_open(&s, m, lanes, EXAMPLES, pool));
	assert_ok(step_gradient(&s, d, batch, n, &r));
	memcpy(got, s.lanes[0].grad, m->n_params * sizeof(float));
	assert_int_equal(r.tokens, tokens);
	assert_true(fabs(r.loss - loss) < 1e-6 * loss);
	assert_true(fabs(r.norm - norm(want, m->n_params)) < 1e-5 * r.norm);
	assert_true(fabs(r.norm - norm(got, m->n_params)) < 1e-12 * r.norm);
	for (size_t i = 0; i < m->n_params; i++)
		assert_true(fabsf(got[i] - want[i]) < 1e-5f * (float)r.norm);
	/* The update leaves every lane zero: another round, with weights that did not move, gives the same bits. */
	step_update(&s, &o, 0, 1, 1);
	assert_ok(step_gradient(&s, d, batch, n, &again));
	assert_memory_equal(got, s.lanes[0].grad, m->n_params * sizeof(float));
	assert_memory_equal(&r, &again, sizeof(r));
	free(want);
	free(got);
	step_close(&s);
	pool_free(pool);
}

static void
test_gradient(void **state)
{
	(void)state;
	struct dataset d;
	struct model m;
	mm_init();
	toy_dataset(&d, 20, 0);
	toy_model(&m);
	model_init(&m, 4);
	for (int lanes = 1; lanes <= 9; lanes++)
		check_lanes(&m, &d, EXAMPLES, lanes, 1 + lanes % 3);
	check_lanes(&m, &d, 1, 4, 2);
	check_lanes(&m, &d, 2, 4, 2);
	model_free(&m);
	dataset_free(&d);
}

/* An error in a worker reaches the caller with its message. */
static void
test_error(void **state)
{
	(void)state;
	struct dataset d;
	struct model m;
	struct step s;
	struct step_result r;
	struct pool *pool = pool_new(3);
	toy_dataset(&d, 20, 0);
	d.token[d.start[18] - 2] = TOY_VOCAB;
	toy_model(&m);
	model_init(&m, 4);
	assert_ok(step_open(&s, &m, 4, EXAMPLES, pool));
	assert_err(step_gradient(&s, &d, batch, EXAMPLES, &r), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "32"));
	step_close(&s);
	pool_free(pool);
	model_free(&m);
	dataset_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_error),
	};
	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
