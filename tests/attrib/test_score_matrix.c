/* Scores from elsewhere: NumPy's headers, matrices in both orders, kronfluence's modules, and what is refused. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "byline/scores.h"

static char *
data_file(const char *name)
{
	static char path[4096];
	const char *top = getenv("srcdir");
	snprintf(path, sizeof(path), "%s/tests/data/scores/%s", top ? top : ".", name);
	return path;
}

static void
matrix(const char *name, struct score_matrix *m, double **scores)
{
	assert_int_equal(score_matrix_open(data_file(name), m), OK);
	uint64_t each = m->examples * (m->tokens ? m->tokens : 1);
	*scores = calloc((size_t)(m->queries * each), sizeof(**scores));
	for (uint64_t q = 0; q < m->queries; q++)
		assert_int_equal(score_matrix_read(m, q, *scores + q * each), OK);
}

/* Up to the rounding of the narrower type. */
static void
same(const char *a, const char *b, double off)
{
	struct score_matrix x, y;
	double *u, *v;
	matrix(a, &x, &u);
	matrix(b, &y, &v);
	assert_true(x.queries == y.queries && x.examples == y.examples && x.tokens == y.tokens);
	for (size_t i = 0; i < x.queries * x.examples * (x.tokens ? x.tokens : 1); i++)
		assert_true(fabs(u[i] - v[i]) <= off * fabs(u[i]));
	free(u);
	free(v);
	score_matrix_close(&x);
	score_matrix_close(&y);
}

static void
test_orders_and_versions(void **state)
{
	(void)state;
	same("flat-f4.npy", "flat-f8-fortran.npy", 0);
	same("flat-f4.npy", "flat-v2.npy", 0);
	same("flat-f4.npy", "flat-v3.npy", 0);
	same("tokens-f4.npy", "tokens-f2-fortran.npy", 1.0 / 1024);
}

static void
test_modules_add_up(void **state)
{
	(void)state;
	struct score_matrix m;
	double *v;
	matrix("kronfluence-modules.safetensors", &m, &v);
	assert_int_equal(m.n_modules, 2);
	free(v);
	score_matrix_close(&m);
	same("kronfluence-pairwise.safetensors", "kronfluence-modules.safetensors", 1e-5);
}

static void
test_known_values(void **state)
{
	(void)state;
	struct score_matrix m;
	double *v;
	matrix("flat-f4.npy", &m, &v);
	assert_true(m.queries == 2 && m.examples == 12 && m.tokens == 0);
	assert_true(fabs(v[6] - 1.304) < 1e-4);
	free(v);
	score_matrix_close(&m);
}

static void
refused(const char *name, enum err want, const char *words)
{
	struct score_matrix m;
	assert_int_equal(score_matrix_open(data_file(name), &m), want);
	assert_non_null(strstr(err_message(), words));
	score_matrix_close(&m);
}

static void
test_refused_by_name(void **state)
{
	(void)state;
	refused("big-endian.npy", ERR_UNSUPPORTED, ">f4");
	refused("integers.npy", ERR_UNSUPPORTED, "<i4");
	refused("objects.npy", ERR_UNSUPPORTED, "pickled");
	refused("line.npy", ERR_FORMAT, "1 dimension");
}

static void
test_not_finite(void **state)
{
	(void)state;
	struct score_matrix m;
	double row[12];
	assert_int_equal(score_matrix_open(data_file("nan.npy"), &m), OK);
	assert_int_equal(score_matrix_read(&m, 0, row), OK);
	assert_int_equal(score_matrix_read(&m, 1, row), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "example 3"));
	score_matrix_close(&m);
}

static void
parsed(const char *header, size_t data, enum err want)
{
	uint8_t bytes[1024] = "\x93NUMPY\x01";
	struct npy a;
	size_t n = strlen(header);
	bytes[8] = (uint8_t)n;
	memcpy(bytes + 10, header, n);
	if (npy_parse(bytes, 10 + n + data, "x.npy", &a) != want)
		fail_msg("%s: %s", header, err_message());
}

static void
test_headers(void **state)
{
	(void)state;
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, OK);
	parsed("{\"shape\":(3,),\"fortran_order\":True,\"descr\":\"<f8\"}", 24, OK);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, OK);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 23, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 24, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': False}", 4, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", 4, ERR_FORMAT);
	parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0, ERR_FORMAT);
	parsed("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, ERR_UNSUPPORTED);
	parsed("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, ERR_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_and_versions), cmocka_unit_test(test_modules_add_up),
		cmocka_unit_test(test_known_values), cmocka_unit_test(test_refused_by_name),
		cmocka_unit_test(test_not_finite), cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
