/* What a bergson index says of itself: read, or refused in words; and its random matrices, bit for bit as bergson and
 * numpy made them (make_bergson.py). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/safetensors.h"
#include "bergson_info.h"
#include "bergson_random.h"
#include "bergson_yaml.h"
#include "md5.h"
#include "unit.h"

/* ---- digests and matrices --------------------------------------------------------------------------------------- */

static void
digest_is(const char *text, const char *hex)
{
	uint8_t d[16];
	char got[33];
	md5(text, strlen(text), d);
	for (int i = 0; i < 16; i++)
		snprintf(got + 2 * i, 3, "%02x", d[i]);
	assert_string_equal(got, hex);
}

/* The suite of RFC 1321, A.5: lengths on either side of a block's end. */
static void
test_md5(void **state)
{
	(void)state;
	digest_is("", "d41d8cd98f00b204e9800998ecf8427e");
	digest_is("abc", "900150983cd24fb0d6963f7d28e17f72");
	digest_is("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f");
	digest_is("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		"57edf4a22be3c955ac49da2e2107b67a");
}

/* "VERSION:TYPE:NAME" */
static void
matrix_is(const struct st_file *f, const struct st_tensor *t)
{
	const char *type = strchr(t->name, ':') + 1, *name = strchr(type, ':') + 1;
	bool normal = strncmp(type, "normal", 6) == 0;
	size_t cols = (size_t)t->shape[1];
	float *want = xcalloc(cols, sizeof(*want)), *got = xcalloc(cols, sizeof(*got));
	struct bergson_matrix m;
	bergson_matrix_begin(&m, name, t->name[0] - '0', normal, cols);
	for (uint64_t r = 0; r < t->shape[0]; r++) {
		assert_ok(st_read_f32(f, t, r * cols, cols, want));
		bergson_matrix_row(&m, got);
		for (size_t c = 0; c < cols; c++)
			if (normal ? fabsf(got[c] - want[c]) > 2e-6f : got[c] < want[c] || got[c] > want[c])
				fail_msg("%s (%d, %zu): %.9g, wanted %.9g", t->name, (int)r, c, (double)got[c], (double)want[c]);
	}
	free(want);
	free(got);
}

static void
test_matrices(void **state)
{
	const char *dir = getenv("srcdir");
	char *path = xasprintf("%s/tests/data/bergson/projections.safetensors", dir ? dir : ".");
	struct st_file f;
	(void)state;
	assert_ok(st_open(&f, path));
	assert_int_equal(f.n_tensors, 9);
	for (size_t i = 0; i < f.n_tensors; i++)
		matrix_is(&f, &f.tensors[i]);
	st_close(&f);
	free(path);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

typedef enum err parse_fn(const char *text, size_t n, const char *name, struct bergson_info *info);

struct bad { const char *text, *words; };

static void
all_refused(parse_fn *parse, const struct bad *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bergson_info info = {0};
		enum err err = parse(bad[i].text, strlen(bad[i].text), "file", &info);
		if (err == OK || !strstr(err_message(), bad[i].words) || strchr(err_message(), '\n'))
			fail_msg("%s: error %d, \"%s\"; wanted \"%s\"", bad[i].text, (int)err, err_message(), bad[i].words);
		bergson_info_free(&info);
	}
}

#define SIZES "\"grad_sizes\": {\"z\": 4, \"a\": 2}"

static void
test_info(void **state)
{
	static const char text[] = "{\"attribute_tokens\": true, \"num_items\": 3, \"num_grads\": 9, " SIZES
		", \"base_dtype\": \"bfloat16\"}";
	static const char old[] = "{\"num_grads\": 5, \"dtype\": {\"names\": [\"z\", \"a\"], \"formats\": "
		"[\"(4,)float16\", \"(2,)float16\"], \"itemsize\": 12}, " SIZES "}";
	struct bergson_info info = {0};
	(void)state;
	assert_ok(bergson_info_parse(text, strlen(text), "info.json", &info));
	assert_true(info.tokens && info.n_items == 3 && info.n_rows == 9 && info.width == 6 && info.dtype == ST_BF16);
	assert_string_equal(info.block[0].name, "z");
	assert_true(info.n_blocks == 2 && info.block[1].at == 4 && info.block[1].size == 2);
	bergson_info_free(&info);
	assert_ok(bergson_info_parse(old, strlen(old), "info.json", &info));
	assert_true(!info.tokens && info.n_items == 5 && info.n_rows == 5 && info.dtype == ST_F16);
	assert_int_equal(bergson_row_bytes(&info), 12);
	bergson_info_free(&info);
}

static void
test_info_refused(void **state)
{
	static const struct bad bad[] = {
		{ "", "file" }, { "[]", "not a JSON object" }, { "{}", "num_grads" },
		{ "{\"num_grads\": -1, \"base_dtype\": \"float32\", " SIZES "}", "num_grads" },
		{ "{\"num_grads\": 1e3, \"base_dtype\": \"float32\", " SIZES "}", "num_grads" },
		{ "{\"num_grads\": 4, \"num_items\": 3, \"base_dtype\": \"float32\", " SIZES "}", "4 rows for 3 examples" },
		{ "{\"num_grads\": 4, " SIZES "}", "base_dtype" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"int8\", " SIZES "}", "int8" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"(\", " SIZES "}", "type \"(\"" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\"}", "grad_sizes" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\", \"grad_sizes\": {}}", "grad_sizes" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\", \"grad_sizes\": {\"q\": 0}}", "module q" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\", \"grad_sizes\": {\"q\": \"4\"}}", "module q" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\", \"grad_sizes\": {\"q\": 4, \"q\": 4}}", "q" },
		{ "{\"num_grads\": 4, \"base_dtype\": \"float32\", \"grad_sizes\": {\"q\": 2000000000, \"k\": 2000000000}}",
			"projection_dim" },
		{ "{\"num_grads\": 4, \"dtype\": {\"formats\": [\"<f4\", \"<f2\"]}, " SIZES "}", "several types" },
		{ "{\"num_grads\": 4, \"dtype\": {\"formats\": [\"<f4\"], \"itemsize\": 32}, " SIZES "}", "gaps" },
		{ "{\"num_grads\": 4, \"dtype\": {\"formats\": [4]}, " SIZES "}", "formats" },
	};
	(void)state;
	all_refused(bergson_info_parse, bad, ARRAY_LEN(bad));
}

static void
test_processor(void **state)
{
	static const char now[] = "projection_dim: 16\nprojection_type: normal\nprojection_target: per_module\n"
		"projection_scale: jl\ninclude_bias: true\nprojection_seed: -4\nprojection_version: 2\n";
	static const char old[] = "projection_dim: 8\nprojection_type: rademacher\n";
	struct bergson_info info = {0};
	const struct bergson_projection *p = &info.projection;
	(void)state;
	assert_ok(bergson_processor_parse(now, strlen(now), "p", &info));
	assert_true(p->dim == 16 && p->version == 2 && p->normal && !p->row_norm && p->bias && p->seeded && p->seed == -4);
	assert_ok(bergson_processor_parse(old, strlen(old), "p", &info));
	assert_true(p->dim == 8 && p->version == 1 && !p->normal && p->row_norm && !p->bias && !p->seeded && !p->global);
	assert_ok(bergson_processor_parse("projection_dim: null\n", 21, "p", &info));
	assert_int_equal(p->dim, 0);
}

static void
test_processor_refused(void **state)
{
	static const struct bad bad[] = {
		{ "projection_dim: 8\n", "cannot be made again" },
		{ "projection_dim: 8\nprojection_version: 3\nprojection_type: rademacher\n", "version 3" },
		{ "projection_dim: 8\nprojection_type: sparse\n", "\"sparse\"" },
		{ "projection_dim: 8\nprojection_scale: 2\n", "\"2\"" },
		{ "projection_dim: -8\n", "projection_dim" }, { "projection_dim: 8x\n", "projection_dim" },
		{ "projection_dim: 99999999999999999999\n", "projection_dim" },
		{ "projection_dim: 8\nprojection_type: rademacher\nreshape_to_square: true\n", "reshape_to_square" },
		{ "include_bias: maybe\n", "include_bias" }, { "projection_target: sideways\n", "\"sideways\"" },
		{ "projection_dim: 'open\n", "not closed" }, { "projection_dim: &a 8\n", "more of YAML" },
		{ "projection_dim:\t8\n", "a tab" }, { "x: 'a' b\n", "closing quote" },
	};
	(void)state;
	all_refused(bergson_processor_parse, bad, ARRAY_LEN(bad));
}

static void
test_config(void **state)
{
	static const char text[] = "steps:\n- build:\n    index_cfg:\n      model: 'it''s\n        two: lines'\n"
		"      loss_reduction: mean\n      optimizer_state: ''\n    preprocess_cfg:\n      unit_normalize: true\n"
		"      hessian_path: null\nmetadata:\n  created: now\n";
	struct bergson_info info = {0};
	struct yaml y;
	(void)state;
	assert_ok(bergson_config_parse(text, strlen(text), "c", &info));
	assert_true(info.unit && info.mean);
	assert_ok(yaml_parse(text, strlen(text), "c", &y));
	assert_string_equal(yaml_find(&y, "steps.build.index_cfg.model"), "it's two: lines");
	assert_string_equal(yaml_find(&y, "metadata.created"), "now");
	assert_null(yaml_find(&y, "two"));
	assert_null(yaml_find(&y, "cfg.model"));
	yaml_free(&y);
}

static void
test_config_refused(void **state)
{
	static const struct bad bad[] = {
		{ "index_cfg:\n  optimizer_state: ckpt/optimizer.pt\n", "second moments" },
		{ "index_cfg:\n  loss_fn: log_odds\n", "log_odds" }, { "index_cfg:\n  label_smoothing: 0.1\n", "smoothed" },
		{ "index_cfg:\n  logit_scale: 2.0\n", "logit_scale" }, { "index_cfg:\n  loss_reduction: max\n", "max" },
		{ "index_cfg:\n  peft_init_kwargs: r=8\n", "adapter" },
		{ "preprocess_cfg:\n  hessian_path: runs/h\n", "Hessian" },
		{ "preprocess_cfg:\n  aggregation: mean\n", "nothing to rank" },
		{ "preprocess_cfg:\n  unit_normalize: 1\n", "unit_normalize" },
	};
	(void)state;
	all_refused(bergson_config_parse, bad, ARRAY_LEN(bad));
}

/* ---- offsets.npy ------------------------------------------------------------------------------------------------ */

/* numpy 1.0: a header of 118 bytes, then these. */
static size_t
npy(uint8_t *to, const char *header, const int64_t *v, size_t n)
{
	memcpy(to, "\x93NUMPY\x01\x00\x76\x00", 10);
	memset(to + 10, ' ', 118);
	memcpy(to + 10, header, strlen(header));
	for (size_t i = 0; i < 8 * n; i++)
		to[128 + i] = (uint8_t)((uint64_t)v[i / 8] >> (8 * (i % 8)));
	return 128 + 8 * n;
}

static void
test_offsets(void **state)
{
	static const char plain[] = "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }";
	static const int64_t good[] = { 0, 2, 2, 9 }, falls[] = { 0, 5, 2, 9 }, below[] = { 0, -1, 2, 9 };
	struct bergson_info info = { .n_items = 3, .n_rows = 9, .tokens = true };
	uint8_t data[256];
	uint64_t *offset = NULL;
	(void)state;
	size_t n = npy(data, plain, good, 4);
	assert_ok(bergson_offsets_parse(data, n, "o", &info, &offset));
	assert_true(offset[1] == 2 && offset[3] == 9);
	free(offset);
	for (size_t cut = 0; cut < n; cut++)
		assert_err(bergson_offsets_parse(data, cut, "o", &info, &offset), ERR_FORMAT);
	assert_err(bergson_offsets_parse(data, npy(data, plain, falls, 4), "o", &info, &offset), ERR_FORMAT);
	assert_err(bergson_offsets_parse(data, npy(data, plain, below, 4), "o", &info, &offset), ERR_FORMAT);
	assert_err(bergson_offsets_parse(data, npy(data, "'<f8'", good, 4), "o", &info, &offset), ERR_FORMAT);
	info.n_rows = 8;
	assert_err(bergson_offsets_parse(data, npy(data, plain, good, 4), "o", &info, &offset), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md5), cmocka_unit_test(test_matrices),
		cmocka_unit_test(test_info), cmocka_unit_test(test_info_refused),
		cmocka_unit_test(test_processor), cmocka_unit_test(test_processor_refused),
		cmocka_unit_test(test_config), cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_offsets),
	};
	return cmocka_run_group_tests_name("bergson_read", tests, NULL, NULL);
}
