/* safetensors: what is written comes back; every lie in a header is refused with a word about it. */
#include "byline/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/mem.h"
#include "byline/str.h"
#include "unit.h"

static char dir[] = "/tmp/byline-test.XXXXXX";
static char *path;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "model.safetensors");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(path);
	return file_remove_tree(dir) == OK ? 0 : -1;
}

/* ---- files made by hand ---- */

static void
put_file(const char *header, size_t header_n, const char *data, size_t data_n)
{
	struct str s = {0};
	uint64_t n = header_n;
	str_add(&s, (const char *)&n, sizeof(n));
	str_add(&s, header, header_n);
	str_add(&s, data, data_n);
	assert_ok(file_replace(path, s.s, s.len));
	str_free(&s);
}

/* Single quotes for double; `data_n` bytes of data. */
static void
put(const char *header, size_t data_n)
{
	char *h = xstrdup(header), *data = xcalloc(1, data_n);
	for (char *c = h; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	put_file(h, strlen(h), data, data_n);
	free(h);
	free(data);
}

struct lie { enum err code; const char *says, *header; size_t data_n; };

static void
check_lies(const struct lie *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct st_file f;
		put(v[i].header, v[i].data_n);
		enum err err = st_open(&f, path);
		if (err != v[i].code || !strstr(err_message(), v[i].says))
			fail_msg("%s: %d, \"%s\"; wanted %d, \"%s\"", v[i].header, (int)err, err_message(),
				(int)v[i].code, v[i].says);
		assert_non_null(strstr(err_message(), "model.safetensors"));
		assert_null(f.tensors);
		st_close(&f);
	}
}

static void
test_entries(void **state)
{
	(void)state;
	static const struct lie v[] = {
		{ ERR_FORMAT, "not described", "{'a': 3}", 0 },
		{ ERR_FORMAT, "not described", "{'a': []}", 0 },
		{ ERR_FORMAT, "dtype", "{'a': {'shape': [1], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "dtype", "{'a': {'dtype': 3, 'shape': [1], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_UNSUPPORTED, "\"F8_E4M3\"", "{'a': {'dtype': 'F8_E4M3', 'shape': [4], 'data_offsets': [0, 4]}}",
			4 },
		{ ERR_UNSUPPORTED, "\"f32\"", "{'a': {'dtype': 'f32', 'shape': [1], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'shape': 1, 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'shape': [-1], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'shape': [1.0], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'shape': ['1'], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "shape", "{'a': {'dtype': 'F32', 'shape': [null], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "overflows",
			"{'a': {'dtype': 'F32', 'shape': [4294967296, 4294967296], 'data_offsets': [0, 0]}}", 0 },
		{ ERR_FORMAT, "overflows",
			"{'a': {'dtype': 'F32', 'shape': [4294967296, 4294967297], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "overflows",
			"{'a': {'dtype': 'F32', 'shape': [4611686018427387904], 'data_offsets': [0, 0]}}", 0 },
		{ ERR_FORMAT, "overflows",
			"{'a': {'dtype': 'F64', 'shape': [9223372036854775807], 'data_offsets': [0, 8]}}", 8 },
		{ ERR_UNSUPPORTED, "9 dimensions",
			"{'a': {'dtype': 'U8', 'shape': [1,1,1,1,1,1,1,1,1], 'data_offsets': [0, 1]}}", 1 },
		{ ERR_FORMAT, "data_offsets", "{'a': {'dtype': 'F32', 'shape': [1]}}", 4 },
		{ ERR_FORMAT, "data_offsets", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0]}}", 4 },
		{ ERR_FORMAT, "data_offsets", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4, 8]}}", 4 },
		{ ERR_FORMAT, "data_offsets", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [-4, 0]}}", 4 },
		{ ERR_FORMAT, "data_offsets", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': ['0', '4']}}", 4 },
		{ ERR_FORMAT, "backwards", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [4, 0]}}", 4 },
		{ ERR_FORMAT, "truncated", "{'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}}", 4 },
		{ ERR_FORMAT, "truncated",
			"{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [9223372036854775800, "
			"9223372036854775804]}}", 4 },
		{ ERR_FORMAT, "data_offsets",
			"{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [18446744073709551612, 0]}}", 4 },
		{ ERR_FORMAT, "need 4", "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 8]}}", 8 },
		{ ERR_FORMAT, "need 2", "{'a': {'dtype': 'BF16', 'shape': [], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "need 0", "{'a': {'dtype': 'BF16', 'shape': [0, 5], 'data_offsets': [0, 4]}}", 4 },
	};
	check_lies(v, ARRAY_LEN(v));
}

static void
test_layout(void **state)
{
	(void)state;
	static const struct lie v[] = {
		{ ERR_FORMAT, "gap", "{'a': {'dtype': 'U8', 'shape': [2], 'data_offsets': [1, 3]}}", 3 },
		{ ERR_FORMAT, "gap",
			"{'a': {'dtype': 'U8', 'shape': [2], 'data_offsets': [0, 2]}, 'b': {'dtype': 'U8', 'shape': "
			"[2], 'data_offsets': [3, 5]}}", 5 },
		{ ERR_FORMAT, "overlaps",
			"{'a': {'dtype': 'U8', 'shape': [4], 'data_offsets': [0, 4]}, 'b': {'dtype': 'U8', 'shape': "
			"[2], 'data_offsets': [2, 4]}}", 4 },
		{ ERR_FORMAT, "overlaps",
			"{'a': {'dtype': 'U8', 'shape': [4], 'data_offsets': [0, 4]}, 'b': {'dtype': 'U8', 'shape': "
			"[4], 'data_offsets': [0, 4]}}", 4 },
		{ ERR_FORMAT, "1 bytes follow", "{'a': {'dtype': 'U8', 'shape': [2], 'data_offsets': [0, 2]}}", 3 },
		{ ERR_FORMAT, "5 bytes follow", "{}", 5 },
		{ ERR_FORMAT, "duplicate",
			"{'a': {'dtype': 'U8', 'shape': [2], 'data_offsets': [0, 2]}, 'a': {'dtype': 'U8', 'shape': "
			"[2], 'data_offsets': [2, 4]}}", 4 },
		{ ERR_FORMAT, "__metadata__", "{'__metadata__': 3}", 0 },
		{ ERR_FORMAT, "__metadata__", "{'__metadata__': {'a': 3}}", 0 },
		{ ERR_FORMAT, "__metadata__", "{'__metadata__': {'a': 'b', 'c': {'d': 'e'}}}", 0 },
		{ ERR_FORMAT, "'{'", "[]", 0 },
		{ ERR_FORMAT, "'{'", " {}", 0 },
		{ ERR_FORMAT, "line 1", "{'a'", 0 },
		{ ERR_FORMAT, "line 1", "{}{}", 0 },
	};
	check_lies(v, ARRAY_LEN(v));
}

static void
test_not_utf8_or_deep(void **state)
{
	(void)state;
	struct st_file f;
	static const char bad[] = "{\"\xff\": {\"dtype\": \"U8\", \"shape\": [0], \"data_offsets\": [0, 0]}}";
	put_file(bad, sizeof(bad) - 1, "", 0);
	assert_err(st_open(&f, path), ERR_FORMAT);
	struct str deep = {0};
	str_adds(&deep, "{\"a\":");
	str_fill(&deep, '[', 100000);
	put_file(deep.s, deep.len, "", 0);
	assert_err(st_open(&f, path), ERR_LIMIT);
	str_free(&deep);
}

/* Header lengths that do not fit the file, and files of other kinds. */
static void
test_length(void **state)
{
	(void)state;
	static const struct { enum err code; const char *says, *bytes; size_t n; } v[] = {
		{ ERR_FORMAT, "too few", "", 0 },
		{ ERR_FORMAT, "too few", "\2\0\0\0\0\0\0", 7 },
		{ ERR_FORMAT, "'{'", "\0\0\0\0\0\0\0\0", 8 },
		{ ERR_FORMAT, "ends inside", "\2\0\0\0\0\0\0\0{", 9 },
		{ ERR_FORMAT, "ends inside", "\0\0\1\0\0\0\0\0{}", 10 },
		{ ERR_LIMIT, "18446744073709551615", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10 },
		{ ERR_LIMIT, "at most", "\1\xe1\xf5\5\0\0\0\0{}", 10 },
		{ ERR_FORMAT, "ends inside", "\0\xe1\xf5\5\0\0\0\0{}", 10 },
		{ ERR_FORMAT, "Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", 63 },
		{ ERR_FORMAT, "zip", "PK\3\4\0\0\0\0\0\0", 10 },
		{ ERR_FORMAT, "GGUF", "GGUF\3\0\0\0\0\0", 10 },
		{ ERR_FORMAT, "web page", "<!DOCTYPE html><html>", 21 },
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct st_file f;
		assert_ok(file_replace(path, v[i].bytes, v[i].n));
		enum err err = st_open(&f, path);
		if (err != v[i].code || !strstr(err_message(), v[i].says))
			fail_msg("%zu: %d, \"%s\"; wanted %d, \"%s\"", i, (int)err, err_message(), (int)v[i].code,
				v[i].says);
	}
	struct st_file f;
	assert_err(st_open(&f, "/nonexistent/model.safetensors"), ERR_MISSING);
	assert_err(st_open(&f, dir), ERR_IO);
	st_close(&f);
}

/* ---- files that are right ---- */

static void
test_empty(void **state)
{
	(void)state;
	struct st_file f;
	put("{}", 0);
	assert_ok(st_open(&f, path));
	assert_int_equal(f.n_tensors, 0);
	assert_null(st_find(&f, "a"));
	assert_null(st_meta(&f, "a"));
	st_close(&f);
	st_close(&f);
	put("{}                                            ", 0);
	assert_ok(st_open(&f, path));
	st_close(&f);
}

/* Scalars, empty tensors where others begin, any order of names, keys nobody knows. */
static void
test_unusual(void **state)
{
	(void)state;
	struct st_file f;
	put("{'z': {'dtype': 'U8', 'shape': [2, 1, 2], 'data_offsets': [4, 8], 'note': 1}, '__metadata__': {'k': 'v', "
		"'': 'w'},"
		"'none': {'dtype': 'F32', 'shape': [3, 0], 'data_offsets': [4, 4]}, 'a': {'dtype': 'F32', 'shape': [], "
		"'data_offsets': [0, 4]},"
		"'end': {'dtype': 'F32', 'shape': [0], 'data_offsets': [8, 8]}, '': {'dtype': 'BOOL', 'shape': [1], "
		"'data_offsets': [8, 9]}}", 9);
	assert_ok(st_open(&f, path));
	assert_int_equal(f.n_tensors, 5);
	assert_string_equal(f.tensors[0].name, "a");
	assert_string_equal(f.tensors[1].name, "none");
	assert_string_equal(f.tensors[2].name, "z");
	assert_int_equal(st_find(&f, "a")->n_dims, 0);
	assert_int_equal(st_find(&f, "a")->count, 1);
	assert_int_equal(st_find(&f, "z")->shape[2], 2);
	assert_int_equal(st_find(&f, "")->dtype, ST_BOOL);
	assert_int_equal(st_find(&f, "end")->count, 0);
	assert_null(st_find(&f, "__metadata__"));
	assert_string_equal(st_meta(&f, "k"), "v");
	assert_string_equal(st_meta(&f, ""), "w");
	assert_null(st_meta(&f, "x"));
	st_close(&f);
}

static void
test_want(void **state)
{
	(void)state;
	struct st_file f;
	const struct st_tensor *t;
	put("{'w': {'dtype': 'U8', 'shape': [2, 3], 'data_offsets': [0, 6]}}", 6);
	assert_ok(st_open(&f, path));
	assert_ok(st_want(&f, "w", 2, (uint64_t[]){ 2, 3 }, &t));
	assert_int_equal(t->count, 6);
	assert_err(st_want(&f, "w", 2, (uint64_t[]){ 3, 2 }, &t), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "tensor \"w\" has shape (2, 3), expected (3, 2)"));
	assert_err(st_want(&f, "w", 1, (uint64_t[]){ 6 }, &t), ERR_MISMATCH);
	assert_err(st_want(&f, "w", 0, NULL, &t), ERR_MISMATCH);
	assert_err(st_want(&f, "v", 0, NULL, &t), ERR_MISSING);
	assert_non_null(strstr(err_message(), "\"v\""));
	float x[6];
	assert_err(st_read_f32(&f, t, 0, 6, x), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_message(), "U8"));
	assert_err(st_read_f32(&f, t, 0, 7, x), ERR_MISMATCH);
	assert_err(st_read_f32(&f, t, 7, 0, x), ERR_MISMATCH);
	assert_err(st_read_f32(&f, t, UINT64_MAX, 2, x), ERR_MISMATCH);
	st_close(&f);
}

/* Odd offsets: F64 at byte 1, which no machine may read in place without care. */
static void
test_unaligned(void **state)
{
	(void)state;
	struct st_file f;
	char data[1 + 8 + 4 + 2] = {0};
	double d = -2.5;
	float s = 1e-3f, x;
	memcpy(data + 1, &d, 8);
	memcpy(data + 9, &s, 4);
	memcpy(data + 13, "\x80\x3f", 2);
	static const char h[] = "{\"u\": {\"dtype\": \"I8\", \"shape\": [1], \"data_offsets\": [0, 1]}, \"d\": "
		"{\"dtype\": \"F64\", \"shape\": [1],"
		"\"data_offsets\": [1, 9]}, \"s\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [9, 13]},"
		"\"b\": {\"dtype\": \"BF16\", \"shape\": [1], \"data_offsets\": [13, 15]}}";
	put_file(h, sizeof(h) - 1, data, sizeof(data));
	assert_ok(st_open(&f, path));
	assert_ok(st_read_f32(&f, st_find(&f, "d"), 0, 1, &x));
	assert_true(x == -2.5f);
	assert_ok(st_read_f32(&f, st_find(&f, "s"), 0, 1, &x));
	assert_true(x == 1e-3f);
	assert_ok(st_read_f32(&f, st_find(&f, "b"), 0, 1, &x));
	assert_true(x == 1.0f);
	assert_ok(st_read_f32(&f, st_find(&f, "b"), 1, 0, &x));
	st_close(&f);
}

/* ---- writing ---- */

static void
test_round_trip(void **state)
{
	(void)state;
	struct st_writer w;
	struct st_file f;
	float x[5000], y[5000];
	uint8_t bytes[3] = { 1, 2, 255 };
	for (int i = 0; i < 5000; i++)
		x[i] = (float)(i % 4001 - 2000) / 64;	/* exact in F16; BF16 rounds it */
	assert_ok(st_writer_open(&w, path));
	st_writer_meta(&w, "format", "pt");
	st_writer_meta(&w, "odd \"key\"", "value\n");
	st_writer_declare(&w, "small", ST_U8, 1, (uint64_t[]){ 3 });
	st_writer_declare(&w, "f16", ST_F16, 2, (uint64_t[]){ 50, 100 });
	st_writer_declare(&w, "empty", ST_F32, 2, (uint64_t[]){ 0, 7 });
	st_writer_declare(&w, "f32", ST_F32, 1, (uint64_t[]){ 5000 });
	st_writer_declare(&w, "bf16", ST_BF16, 1, (uint64_t[]){ 5000 });
	st_writer_declare(&w, "scalar", ST_I64, 0, NULL);
	assert_ok(st_writer_begin(&w));
	assert_ok(st_writer_bytes(&w, bytes, 1));
	assert_ok(st_writer_bytes(&w, bytes + 1, 2));
	assert_ok(st_writer_f32(&w, ST_F16, x, 4999));
	assert_ok(st_writer_f32(&w, ST_F16, x + 4999, 1));
	assert_ok(st_writer_f32(&w, ST_F32, x, 5000));
	assert_ok(st_writer_f32(&w, ST_BF16, x, 5000));
	assert_ok(st_writer_bytes(&w, &(int64_t){ -9 }, 8));
	assert_ok(st_writer_commit(&w));
	st_writer_abort(&w);

	assert_ok(st_open(&f, path));
	assert_string_equal(st_meta(&f, "format"), "pt");
	assert_string_equal(st_meta(&f, "odd \"key\""), "value\n");
	for (size_t i = 0; i < f.n_tensors; i++)
		assert_int_equal((uintptr_t)f.tensors[i].data % st_dtype_size(f.tensors[i].dtype), 0);
	assert_memory_equal(st_find(&f, "small")->data, bytes, 3);
	assert_int_equal(*(const int64_t *)(const void *)st_find(&f, "scalar")->data, -9);
	assert_ok(st_read_f32(&f, st_find(&f, "f32"), 0, 5000, y));
	assert_memory_equal(x, y, sizeof(x));
	assert_ok(st_read_f32(&f, st_find(&f, "f16"), 0, 5000, y));
	assert_memory_equal(x, y, sizeof(x));
	assert_ok(st_read_f32(&f, st_find(&f, "bf16"), 4000, 1000, y));
	for (int i = 0; i < 1000; i++)
		assert_true(fabsf(y[i] - x[4000 + i]) <= fabsf(x[4000 + i]) / 256);
	assert_int_equal(st_find(&f, "f16")->shape[0], 50);
	st_close(&f);
}

/* Nothing appears under the name until all is written. */
static void
test_writer_refuses(void **state)
{
	(void)state;
	struct st_writer w;
	char *other = path_join(dir, "other.safetensors");
	assert_ok(st_writer_open(&w, other));
	st_writer_declare(&w, "a", ST_F32, 1, (uint64_t[]){ 4 });
	assert_ok(st_writer_begin(&w));
	assert_ok(st_writer_bytes(&w, "12345678", 8));
	assert_err(st_writer_bytes(&w, "123456789", 9), ERR_INTERNAL);
	assert_err(st_writer_commit(&w), ERR_INTERNAL);
	assert_false(file_exists(other));
	assert_ok(st_writer_open(&w, other));
	st_writer_abort(&w);
	st_writer_abort(&w);
	assert_false(file_exists(other));
	assert_true(st_writer_open(&w, "/nonexistent/x.safetensors") != OK);
	st_writer_abort(&w);
	free(other);
}

/* Many names, found each. */
static void
test_many(void **state)
{
	(void)state;
	struct st_writer w;
	struct st_file f;
	char name[32];
	assert_ok(st_writer_open(&w, path));
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "layer.%d", (i * 7919) % 3000);
		st_writer_declare(&w, name, ST_I32, 1, (uint64_t[]){ 1 });
	}
	assert_ok(st_writer_begin(&w));
	for (int32_t i = 0; i < 3000; i++)
		assert_ok(st_writer_bytes(&w, &i, 4));
	assert_ok(st_writer_commit(&w));
	assert_ok(st_open(&f, path));
	for (int32_t i = 0; i < 3000; i++) {
		int32_t got;
		snprintf(name, sizeof(name), "layer.%d", (i * 7919) % 3000);
		memcpy(&got, st_find(&f, name)->data, 4);
		assert_int_equal(got, i);
	}
	assert_null(st_find(&f, "layer.3000"));
	st_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_not_utf8_or_deep),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_unusual),
		cmocka_unit_test(test_want),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests_name("safetensors", tests, setup, teardown);
}
