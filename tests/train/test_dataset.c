/* dataset: what goes in comes out, in batches too; the hash sees every difference. */
#include "byline/dataset.h"

#include <string.h>

#include "byline/mem.h"
#include "unit.h"

static const int32_t three[] = { 0, 5, 6 }, two[] = { 0, 9 }, four[] = { 0, 1, 2, 3 };

static void
make(struct dataset *d)
{
	*d = (struct dataset){0};
	dataset_add(d, three, 3, false);
	dataset_add(d, two, 2, true);
	dataset_add(d, four, 4, false);
}

static void
test_add(void **state)
{
	(void)state;
	struct dataset d;
	make(&d);
	static const uint64_t start[] = { 0, 3, 5, 9 };
	static const int32_t token[] = { 0, 5, 6, 0, 9, 0, 1, 2, 3 };
	assert_int_equal(d.n, 3);
	assert_memory_equal(d.start, start, sizeof(start));
	assert_memory_equal(d.token, token, sizeof(token));
	assert_int_equal(d.heldout[0] + 2 * d.heldout[1] + 4 * d.heldout[2], 2);
	assert_int_equal(dataset_tokens(&d, false), 5);
	assert_int_equal(dataset_tokens(&d, true), 1);
	dataset_free(&d);
	assert_int_equal(dataset_tokens(&d, false), 0);
	dataset_free(&d);
}

/* Past several doublings of every array. */
static void
test_growth(void **state)
{
	(void)state;
	struct dataset d = {0};
	int32_t token[40];
	for (int i = 0; i < 1000; i++) {
		for (int j = 0; j < 40; j++)
			token[j] = i * 40 + j;
		dataset_add(&d, token, 2 + (size_t)i % 39, i % 7 == 0);
	}
	size_t at = 0;
	for (int i = 0; i < 1000; i++) {
		size_t n = 2 + (size_t)i % 39;
		assert_int_equal(d.start[i], at);
		assert_int_equal(d.token[at], i * 40);
		assert_int_equal(d.token[at + n - 1], i * 40 + (int)n - 1);
		assert_int_equal(d.heldout[i], i % 7 == 0);
		at += n;
	}
	assert_int_equal(d.start[1000], at);
	dataset_free(&d);
}

static void
test_hash(void **state)
{
	(void)state;
	static const int32_t other[] = { 0, 5, 7 };
	char hex[5][HASH_HEX];
	struct dataset d[5] = {{0}};
	make(&d[0]);
	make(&d[1]);
	d[1].heldout[0] = 1;
	dataset_add(&d[2], other, 3, false);
	dataset_add(&d[2], two, 2, true);
	dataset_add(&d[2], four, 4, false);
	dataset_add(&d[3], three, 2, false);	/* the same tokens in a row, cut elsewhere */
	dataset_add(&d[3], (const int32_t[]){ 6, 0, 9 }, 3, true);
	dataset_add(&d[3], four, 4, false);
	for (int i = 0; i < 5; i++) {
		dataset_hash(&d[i], hex[i]);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(hex[i], hex[j]);
		dataset_free(&d[i]);
	}
	make(&d[0]);
	dataset_hash(&d[0], hex[1]);
	assert_string_equal(hex[0], hex[1]);
	dataset_free(&d[0]);
}

static void
check_ragged(const struct ragged *r, size_t n, const int32_t *start, const int32_t *token, const int32_t *target)
{
	size_t rows = (size_t)start[n];
	assert_int_equal(r->batch.n_seq, n);
	assert_int_equal(r->batch.rows, rows);
	assert_memory_equal(r->batch.start, start, (n + 1) * sizeof(*start));
	assert_memory_equal(r->batch.token, token, rows * sizeof(*token));
	assert_memory_equal(r->batch.target, target, rows * sizeof(*target));
}

static void
test_ragged(void **state)
{
	(void)state;
	struct dataset d;
	struct ragged r = {0};
	make(&d);
	ragged_fill(&r, &d, (const uint32_t[]){ 2, 0 }, 2);
	check_ragged(&r, 2, (const int32_t[]){ 0, 3, 5 }, (const int32_t[]){ 0, 1, 2, 0, 5 },
		(const int32_t[]){ 1, 2, 3, 5, 6 });
	assert_int_equal(r.example[0], 2);
	assert_int_equal(r.example[1], 0);
	ragged_fill(&r, &d, (const uint32_t[]){ 1 }, 1);
	check_ragged(&r, 1, (const int32_t[]){ 0, 1 }, (const int32_t[]){ 0 }, (const int32_t[]){ 9 });
	uint32_t many[100];
	for (uint32_t i = 0; i < 100; i++)
		many[i] = i % 3;
	ragged_fill(&r, &d, many, 100);
	assert_int_equal(r.batch.rows, 34 * 2 + 33 * 1 + 33 * 3);
	assert_int_equal(r.target[r.batch.rows - 1], 6);
	ragged_fill(&r, &d, NULL, 0);
	assert_int_equal(r.batch.rows, 0);
	ragged_free(&r);
	ragged_free(&r);
	dataset_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_ragged),
	};
	return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
