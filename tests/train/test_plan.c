/* plan: order of examples, learning rates, kept steps; and how batches are dealt to lanes. */
#include "../../src/train/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/train/lanes.h"
#include "byline/mem.h"
#include "toy.h"

/* 23 trained examples among 26, in batches of 5, three epochs. */
static void
setup(struct dataset *d, struct train_spec *spec)
{
	toy_dataset(d, 23, 1);
	*spec = (struct train_spec){ .data = d };
	toy_options(&spec->options);
	spec->options.batch = 5;
}

static void
test_epochs(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec;
	struct plan p;
	setup(&d, &spec);
	plan_open(&p, &spec);
	assert_int_equal(p.per_epoch, 5);
	assert_int_equal(train_steps(&spec), 15);
	uint32_t order[3][23];
	for (int e = 0; e < 3; e++) {
		int seen[26] = {0};
		size_t n = 0;
		for (int64_t s = 0; s < 5; s++) {
			size_t k = plan_batch(&p, e * 5 + s);
			assert_int_equal(k, s < 4 ? 5 : 3);
			memcpy(order[e] + n, p.batch, k * sizeof(*p.batch));
			n += k;
			assert_int_equal(plan_epoch_ends(&p, e * 5 + s + 1), s == 4);
		}
		for (size_t i = 0; i < n; i++)
			seen[order[e][i]]++;
		for (size_t i = 0; i < d.n; i++)
			assert_int_equal(seen[i], !d.heldout[i]);
	}
	assert_memory_not_equal(order[0], order[1], sizeof(order[0]));
	assert_memory_not_equal(order[1], order[2], sizeof(order[0]));
	/* From the middle, as after a resume. */
	plan_close(&p);
	plan_open(&p, &spec);
	assert_int_equal(plan_batch(&p, 7), 5);
	assert_memory_equal(p.batch, order[1] + 10, 5 * sizeof(uint32_t));
	plan_close(&p);
	dataset_free(&d);
}

static void
test_drop(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec;
	struct plan all, some;
	setup(&d, &spec);
	uint8_t drop[26];
	for (size_t i = 0; i < d.n; i++)
		drop[i] = i % 3 == 0;
	plan_open(&all, &spec);
	struct train_spec without = spec;
	without.drop = drop;
	plan_open(&some, &without);
	for (int64_t s = 0; s < all.steps; s++) {
		size_t n = plan_batch(&all, s), k = plan_batch(&some, s), j = 0;
		for (size_t i = 0; i < n; i++)
			if (!drop[all.batch[i]]) {
				assert_true(j < k);
				assert_int_equal(all.batch[i], some.batch[j++]);
			}
		assert_int_equal(j, k);
	}
	plan_close(&all);
	plan_close(&some);
	dataset_free(&d);
}

static void
check_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * fabs(want)))
		fail_msg("%.17g, not %.17g", got, want);
}

static void
test_rates(void **state)
{
	(void)state;
	struct dataset d;
	struct train_spec spec;
	struct plan p;
	setup(&d, &spec);
	spec.options.epochs = 21;	/* 105 steps */
	spec.options.warmup = 4;
	spec.options.lr = 0.02;
	spec.options.lr_floor = 0.25;
	plan_open(&p, &spec);
	check_near(plan_lr(&p, 0), 0.005);
	check_near(plan_lr(&p, 2), 0.015);
	check_near(plan_lr(&p, 3), 0.02);
	check_near(plan_lr(&p, 4), 0.02);
	check_near(plan_lr(&p, 54), (0.02 + 0.005) / 2);	/* half way between 4 and 104 */
	check_near(plan_lr(&p, 104), 0.005);
	for (int64_t s = 5; s < 105; s++)
		assert_true(plan_lr(&p, s) < plan_lr(&p, s - 1));
	plan_close(&p);
	spec.options.warmup = -1;
	plan_open(&p, &spec);
	assert_int_equal(p.warmup, 9);	/* 8.4 rounded up */
	plan_close(&p);
	/* Nothing is divided by zero when the warm-up takes all, or all but one. */
	for (int w = 104; w < 107; w++) {
		spec.options.warmup = w;
		plan_open(&p, &spec);
		assert_true(isfinite(plan_lr(&p, 104)) && plan_lr(&p, 104) > 0.9 * 0.02);
		plan_close(&p);
	}
	dataset_free(&d);
}

static void
check_keeps(int keep, int epochs, const char *want)
{
	struct dataset d;
	struct train_spec spec;
	struct plan p;
	struct str got = {0};
	setup(&d, &spec);
	spec.options.epochs = epochs;
	spec.options.keep = keep;
	plan_open(&p, &spec);
	for (int64_t s = 0; s <= p.steps; s++)
		if (plan_keeps(&p, s))
			str_addf(&got, "%d ", (int)s);
	assert_string_equal(got.s, want);
	str_free(&got);
	plan_close(&p);
	dataset_free(&d);
}

static void
test_keeps(void **state)
{
	(void)state;
	check_keeps(1, 12, "60 ");
	check_keeps(2, 12, "30 60 ");
	check_keeps(3, 12, "30 45 60 ");
	check_keeps(4, 12, "15 30 45 60 ");
	check_keeps(5, 12, "20 30 40 50 60 ");
	check_keeps(6, 12, "10 20 30 40 50 60 ");
	check_keeps(4, 1, "1 3 4 5 ");
	check_keeps(100, 1, "1 2 3 4 5 ");
}

/* ---- lanes ---- */

static void
test_deal(void **state)
{
	(void)state;
	struct dataset d = {0};
	static const size_t lengths[] = { 9, 2, 3, 7, 4, 5 };
	static const int32_t token[16];
	for (size_t i = 0; i < 6; i++)
		dataset_add(&d, token, lengths[i], false);
	/* 9 to the first, 7 to the second, 5 to the second (7 < 9), 4 to the first, 3 to the second (12 < 13), 2 to the
	 * first. */
	static const uint32_t batch[] = { 5, 4, 3, 2, 1, 0 }, want[] = { 4, 1, 0, 5, 3, 2 };
	uint32_t out[6];
	size_t start[9];
	assert_int_equal(lanes_deal(&d, batch, 6, 2, out, start), 2);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(start[1], 3);
	assert_int_equal(start[2], 6);
	assert_int_equal(lanes_deal(&d, batch, 2, 8, out, start), 2);
	assert_int_equal(out[0], 5);
	assert_int_equal(out[1], 4);
	assert_int_equal(start[1], 1);
	assert_int_equal(start[8], 2);
	dataset_free(&d);
}

static void
test_balance(void **state)
{
	(void)state;
	struct dataset d;
	toy_dataset(&d, 64, 0);
	uint32_t batch[64], out[64];
	size_t start[5];
	for (uint32_t i = 0; i < 64; i++)
		batch[i] = i;
	lanes_deal(&d, batch, 64, 4, out, start);
	int seen[64] = {0};
	uint64_t most = 0, least = UINT64_MAX;
	for (size_t l = 0; l < 4; l++) {
		uint64_t tokens = 0;
		for (size_t i = start[l]; i < start[l + 1]; i++) {
			seen[out[i]]++;
			tokens += d.start[out[i] + 1] - d.start[out[i]];
		}
		most = tokens > most ? tokens : most;
		least = tokens < least ? tokens : least;
	}
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(seen[i], 1);
	assert_true(most - least <= TOY_SHORTEST);
	dataset_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_epochs),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_keeps),
		cmocka_unit_test(test_deal),
		cmocka_unit_test(test_balance),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
