/* narrow: every way a processor has agrees with sums in double, at every length and at odd addresses. */
#include "byline/narrow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/num/narrow_ways.h"
#include "byline/half.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

enum { ROWS = 7, MOST = 160 };

static const struct narrow_way *const ways[] = {
	&narrow_plain,
#ifdef NARROW_X86
	&narrow_avx2,
#endif
};

struct matrix {
	uint8_t *bytes;			/* rows at odd addresses */
	size_t stride;
	float wide[ROWS][MOST], x[MOST];
};

static void
make_row(enum narrow kind, uint8_t *to, const float *v, int n)
{
	if (kind == NARROW_F32)
		memcpy(to, v, (size_t)n * sizeof(*v));
	else if (kind == NARROW_F16)
		half_write_f16(to, v, (size_t)n);
	else if (kind == NARROW_BF16)
		half_write_bf16(to, v, (size_t)n);
	for (int i = 0; kind == NARROW_Q8_0 && i < n; i++) {
		uint8_t *block = to + i / NARROW_BLOCK * 34;
		half_write_f16(block, &v[i / NARROW_BLOCK], 1);
		block[2 + i % NARROW_BLOCK] = (uint8_t)(int8_t)(v[i] * 40);
	}
}

static void
matrix_make(struct matrix *m, enum narrow kind, int cols)
{
	struct rng r;
	rng_init(&r, 5, (uint64_t)cols);
	m->stride = narrow_bytes(kind, (size_t)cols) + 1;
	m->bytes = xcalloc(ROWS, m->stride);
	for (int i = 0; i < cols; i++)
		m->x[i] = (float)rng_normal(&r);
	for (int k = 0; k < ROWS; k++) {
		float v[MOST];
		for (int i = 0; i < cols; i++)
			v[i] = (float)rng_normal(&r);
		make_row(kind, m->bytes + (size_t)k * m->stride, v, cols);
		narrow_plain.widen[kind](m->wide[k], m->bytes + (size_t)k * m->stride, (size_t)cols);
	}
}

static void
check_dots(const struct narrow_way *way, const struct matrix *m, enum narrow kind, int cols)
{
	for (int k = 0; k < ROWS; k++) {
		double want = 0, size = 1e-30;
		for (int i = 0; i < cols; i++) {
			want += (double)m->wide[k][i] * (double)m->x[i];
			size += fabs((double)m->wide[k][i] * (double)m->x[i]);
		}
		float got = way->dot[kind](m->bytes + (size_t)k * m->stride, m->x, (size_t)cols);
		assert_true(fabs((double)got - want) <= 1e-6 * size);
	}
}

static void
check_sums(const struct narrow_way *way, const struct matrix *m, enum narrow kind, int cols)
{
	float y[MOST] = {0};
	const float by[4] = { 0.5f, -1, 2, 0.25f };
	way->sums[kind](y, m->bytes, m->stride, (size_t)cols, by);
	for (int i = 0; i < cols; i++) {
		double want = 0, size = 1e-30;
		for (int k = 0; k < 4; k++) {
			want += (double)m->wide[k][i] * (double)by[k];
			size += fabs((double)m->wide[k][i] * (double)by[k]);
		}
		assert_true(fabs((double)y[i] - want) <= 1e-6 * size);
	}
}

static void
check_widen(const struct narrow_way *way, const struct matrix *m, enum narrow kind, int cols)
{
	float out[MOST + 1];
	out[cols] = 7;
	way->widen[kind](out, m->bytes + m->stride, (size_t)cols);
	assert_memory_equal(out, m->wide[1], (size_t)cols * sizeof(*out));
	assert_true(out[cols] == 7);
}

static void
test_ways(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(ways); w++)
		for (enum narrow kind = 0; ways[w]->can() && kind < NARROW_KINDS; kind++)
			for (int cols = kind == NARROW_Q8_0 ? NARROW_BLOCK : 1; cols <= MOST;
				cols += kind == NARROW_Q8_0 ? NARROW_BLOCK : 1) {
				struct matrix m;
				matrix_make(&m, kind, cols);
				check_dots(ways[w], &m, kind, cols);
				check_sums(ways[w], &m, kind, cols);
				check_widen(ways[w], &m, kind, cols);
				free(m.bytes);
			}
}

/* Any number of rows, and on top of what is there. */
static void
test_rows(void **state)
{
	(void)state;
	struct matrix m;
	matrix_make(&m, NARROW_BF16, 50);
	for (int rows = 0; rows <= ROWS; rows++) {
		float dots[ROWS] = {0}, sums[MOST] = {0};
		dots[0] = 3;
		sums[0] = 4;
		narrow_dots(dots, NARROW_BF16, m.bytes, m.stride, rows, 50, m.x);
		narrow_sums(sums, NARROW_BF16, m.bytes, m.stride, rows, 50, m.x);
		for (int k = 0; k < ROWS; k++) {
			double want = k == 0 ? 3 : 0;
			for (int i = 0; k < rows && i < 50; i++)
				want += (double)m.wide[k][i] * (double)m.x[i];
			assert_true(fabs((double)dots[k] - want) <= 1e-4);
		}
		for (int i = 0; i < 50; i++) {
			double want = i == 0 ? 4 : 0;
			for (int k = 0; k < rows; k++)
				want += (double)m.wide[k][i] * (double)m.x[k];
			assert_true(fabs((double)sums[i] - want) <= 1e-4);
		}
	}
	free(m.bytes);
}

/* Every 16-bit float there is. */
static void
test_halves(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 65536; bits++) {
		uint8_t src[16];
		float a[8], b[8];
		for (int i = 0; i < 8; i++) {
			src[2 * i] = (uint8_t)(bits & 255);
			src[2 * i + 1] = (uint8_t)(bits >> 8);
		}
		for (enum narrow kind = NARROW_F16; kind <= NARROW_BF16; kind++) {
			narrow_plain.widen[kind](a, src, 8);
			narrow_widen(b, kind, src, 8);
			assert_true(isnan(a[0]) ? isnan(b[0]) != 0 : memcmp(a, b, sizeof(a)) == 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
