/* gguf: files with one thing wrong each, every kind of value, and models against what `transformers` computes with the
 * same numbers (tests/model/make_gguf.py made those files). */
#include "byline/gguf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/weights.h"
#include "gguf_maker.h"
#include "unit.h"

static char dir[] = "/tmp/byline-test.XXXXXX";
static char *path;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "model.gguf");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(path);
	return file_remove_tree(dir) == OK ? 0 : -1;
}

static void
assert_said(enum err got, enum err code, const char *says)
{
	if (got != code || (code != OK && (!strstr(err_message(), says) || !strstr(err_message(), "model.gguf"))))
		fail_msg("%d, \"%s\"; wanted %d, \"%s\"", (int)got, err_message(), (int)code, says);
	assert_null(strchr(err_message(), '\n'));
}

/* ---- one thing wrong ---- */

/* What is not 0 replaces what a good file has there: three keys, and two tensors of F32 (2, 4) and of Q8_0 (32). */
struct change {
	uint32_t version, kind, of, type, n_dims;
	uint64_t keys, tensors, key_len, list, text_len, dim, width, offset, second, alignment;
	const char *key, *name;
	uint8_t truth;
	int cut, more;			/* bytes off the end, and after it */
	int nested;			/* depth of arrays in arrays */
};

static void
put_nested(struct str *out, int depth)
{
	gguf_put_array(out, "x.deep", GGUF_ARRAY, 1);
	for (int i = 0; i < depth; i++) {
		gguf_put(out, GGUF_ARRAY, 4);
		gguf_put(out, 1, 8);
	}
	gguf_put(out, GGUF_U8, 4);
	gguf_put(out, 2, 8);
	gguf_put(out, 0x0201, 2);
}

static void
put_keys(struct str *out, const struct change *c)
{
	gguf_put(out, c->key_len ? c->key_len : 6, 8);
	str_adds(out, "x.list");
	gguf_put(out, c->kind ? c->kind : GGUF_ARRAY, 4);
	gguf_put(out, c->of ? c->of : GGUF_STRING, 4);
	gguf_put(out, c->list ? c->list : 2, 8);
	gguf_put(out, c->text_len ? c->text_len : 3, 8);
	str_adds(out, "one");
	gguf_put_text(out, "");
	gguf_put_key(out, c->key ? c->key : "x.truth", GGUF_BOOL);
	gguf_put(out, c->truth ? c->truth : 1, 1);
	gguf_put_key(out, "general.alignment", GGUF_U32);
	gguf_put(out, c->alignment ? c->alignment : 64, 4);
	if (c->nested)
		put_nested(out, c->nested);
}

static void
make(const struct change *c)
{
	struct str out = {0};
	uint64_t dims[5] = { c->width ? c->width : 4, c->dim == 9 ? 0 : c->dim ? c->dim : 2, 1, 1, 1 };
	gguf_put_head(&out, c->version ? c->version : 3, c->tensors ? c->tensors : 2,
		c->keys ? c->keys : c->nested ? 4 : 3);
	put_keys(&out, c);
	gguf_put_tensor(&out, c->name ? c->name : "a", c->n_dims == 9 ? 0 : c->n_dims ? (int)c->n_dims : 2, dims,
		c->type,
		c->offset);
	gguf_put_tensor(&out, "b", 1, (uint64_t[]){ 32 }, GGUF_TYPE_Q8_0, c->second ? c->second : 64);
	str_fill(&out, '\0', (64 - out.len % 64) % 64);
	for (int i = 0; i < 8; i++)
		str_add(&out, (const char *)&(float){ (float)i }, 4);
	str_fill(&out, '\0', 32);
	gguf_put(&out, 0x3800, 2);	/* 0.5 in F16 */
	for (int i = 0; i < 32; i++)
		str_addc(&out, (char)(i - 16));
	str_fill(&out, '\0', (size_t)c->more);
	assert_ok(file_replace(path, out.s, out.len - (size_t)c->cut));
	str_free(&out);
}

#define HUGE_COUNT ((uint64_t)1 << 60)

static const struct { struct change change; enum err code; const char *says; } cases[] = {
	{{0}, OK, ""},
	{{.version = 2}, OK, ""},
	{{.more = 30}, OK, ""},
	{{.nested = 5}, OK, ""},
	{{.type = GGUF_TYPE_F16, .width = 8}, OK, ""},
	{{.n_dims = 4}, OK, ""},
	{{.version = 1}, ERR_UNSUPPORTED, "version 1"},
	{{.version = 4}, ERR_UNSUPPORTED, "version 4"},
	{{.version = 3u << 24}, ERR_UNSUPPORTED, "big-endian"},
	{{.keys = 2}, ERR_FORMAT, ""},
	{{.keys = 1 << 17}, ERR_LIMIT, "131072 keys"},
	{{.keys = UINT64_MAX}, ERR_LIMIT, "keys"},
	{{.keys = 60000}, ERR_FORMAT, "ends inside the metadata"},
	{{.tensors = 1}, ERR_FORMAT, ""},
	{{.tensors = 3}, ERR_FORMAT, "list of tensors"},
	{{.tensors = (1 << 20) + 1}, ERR_LIMIT, "1048577 tensors"},
	{{.tensors = 1 << 20}, ERR_FORMAT, "ends inside the list of tensors"},
	{{.key_len = HUGE_COUNT}, ERR_FORMAT, "ends inside the metadata"},
	{{.key_len = UINT64_MAX}, ERR_FORMAT, "ends inside the metadata"},
	{{.kind = 13}, ERR_FORMAT, "\"x.list\" is of type 13"},
	{{.kind = UINT32_MAX}, ERR_FORMAT, "which there is not"},
	{{.of = 13}, ERR_FORMAT, "which there is not"},
	{{.list = HUGE_COUNT}, ERR_FORMAT, "ends inside x.list"},
	{{.list = UINT64_MAX, .of = GGUF_U64}, ERR_FORMAT, "ends inside x.list"},
	{{.list = (UINT64_MAX >> 3) + 2, .of = GGUF_U64}, ERR_FORMAT, "ends inside x.list"},
	{{.text_len = HUGE_COUNT}, ERR_FORMAT, "ends inside x.list"},
	{{.text_len = UINT64_MAX - 7}, ERR_FORMAT, "ends inside x.list"},
	{{.of = GGUF_ARRAY}, ERR_FORMAT, "x.list"},
	{{.key = "x.list"}, ERR_FORMAT, "\"x.list\" is there twice"},
	{{.key = ""}, ERR_FORMAT, "a name of 0 bytes"},
	{{.truth = 2}, ERR_FORMAT, "\"x.truth\" is 2"},
	{{.nested = 7}, ERR_LIMIT, "nested"},
	{{.nested = 1000}, ERR_LIMIT, "nested"},
	{{.alignment = 24}, ERR_FORMAT, "power of 2"},
	{{.alignment = 1 << 30}, ERR_FORMAT, "general.alignment"},
	{{.alignment = 128}, ERR_FORMAT, "multiple of 128"},
	{{.name = "b"}, ERR_FORMAT, "\"b\": is there twice"},
	{{.name = ""}, ERR_FORMAT, "a name of 0 bytes"},
	{{.n_dims = 9}, ERR_FORMAT, "0 dimensions"},
	{{.n_dims = 5}, ERR_FORMAT, "5 dimensions"},
	{{.dim = 9}, ERR_FORMAT, "a dimension is 0"},
	{{.dim = HUGE_COUNT, .width = HUGE_COUNT}, ERR_FORMAT, "overflows"},
	{{.dim = HUGE_COUNT, .width = 4}, ERR_FORMAT, "overflows"},
	{{.dim = HUGE_COUNT, .width = 1}, ERR_FORMAT, "truncated"},
	{{.type = 2}, ERR_UNSUPPORTED, "type Q4_0, which is not supported; F32, F16, BF16 and Q8_0 are"},
	{{.type = 2}, ERR_UNSUPPORTED, "llama-quantize"},
	{{.type = 16}, ERR_UNSUPPORTED, "type IQ2_XXS"},
	{{.type = 26}, ERR_UNSUPPORTED, "type I32"},
	{{.type = 42}, ERR_UNSUPPORTED, "type 42, which is not known here: newer than this program, or broken"},
	{{.type = 12}, ERR_UNSUPPORTED, "\"a\" is of type Q4_K"},
	{{.type = 14}, ERR_UNSUPPORTED, "type Q6_K"},
	{{.type = 23}, ERR_UNSUPPORTED, "type IQ4_XS"},
	{{.type = 39}, ERR_UNSUPPORTED, "type MXFP4"},
	{{.type = 99}, ERR_UNSUPPORTED, "type 99"},
	{{.type = UINT32_MAX}, ERR_UNSUPPORTED, "type 4294967295"},
	{{.type = GGUF_TYPE_Q8_0}, ERR_FORMAT, "no multiple of 32"},
	{{.offset = 1}, ERR_FORMAT, "multiple of 64"},
	{{.offset = 64, .second = 64}, ERR_FORMAT, ""},
	{{.offset = UINT64_MAX - 63}, ERR_FORMAT, ""},
	{{.second = 128}, ERR_FORMAT, "gap"},
	{{.width = 12}, ERR_FORMAT, "overlaps"},
	{{.cut = 1}, ERR_FORMAT, "\"b\" ends 1 bytes after the file"},
	{{.cut = 34 + 64}, ERR_FORMAT, "truncated"},
	{{.more = 64}, ERR_FORMAT, "64 bytes follow the last tensor"},
};

static void
test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gguf g;
		make(&cases[i].change);
		enum err err = gguf_open(&g, path);
		if (err != cases[i].code)
			print_message("case %zu\n", i);
		assert_said(err, cases[i].code, cases[i].says);
		assert_int_equal(g.n_tensors, err == OK ? 2 : 0);
		gguf_close(&g);
	}
}

/* Cut anywhere, a file is refused or lacks nothing but padding. */
static void
test_cut_anywhere(void **state)
{
	(void)state;
	struct gguf g;
	struct str whole = {0};
	make(&(struct change){ .nested = 2 });
	assert_ok(file_read(path, 1 << 20, &whole));
	for (size_t n = 0; n < whole.len; n++) {
		assert_ok(file_replace(path, whole.s, n));
		assert_int_equal(gguf_open(&g, path), ERR_FORMAT);
	}
	str_free(&whole);
}

static void
test_tensors(void **state)
{
	(void)state;
	struct weights w;
	const struct weights_tensor *t;
	float v[32];
	make(&(struct change){0});
	assert_ok(weights_open(&w, path));
	assert_int_equal(w.container, WEIGHTS_GGUF);
	assert_ok(weights_want(&w, "a", 2, (uint64_t[]){ 2, 4 }, &t));
	assert_ok(weights_read_f32(t, 1, 7, v));
	assert_true(v[0] == 1 && v[6] == 7);
	assert_ok(weights_want(&w, "b", 1, (uint64_t[]){ 32 }, &t));
	assert_string_equal(t->type_name, "Q8_0");
	for (uint64_t from = 0; from < 32; from++) {
		assert_ok(weights_read_f32(t, from, 32 - from, v));
		for (uint64_t i = from; i < 32; i++)
			assert_true(v[i - from] == 0.5f * ((float)i - 16));
	}
	weights_close(&w);
}

/* ---- values ---- */

static void
make_values(void)
{
	static const struct { enum gguf_kind kind; uint64_t bits; size_t bytes; } values[] = {
		{GGUF_U8, 200, 1}, {GGUF_I8, 0xff, 1}, {GGUF_U16, 60000, 2}, {GGUF_I16, 0xfffe, 2},
		{GGUF_U32, 4000000000, 4}, {GGUF_I32, 0xfffffffd, 4}, {GGUF_F32, 0x3fc00000, 4}, {GGUF_BOOL, 1, 1},
		{GGUF_U64, 5, 8}, {GGUF_I64, UINT64_MAX - 3, 8}, {GGUF_F64, 0x4004000000000000, 8},
	};
	struct str out = {0};
	gguf_put_head(&out, 3, 0, ARRAY_LEN(values) + 5);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char name[] = { 'k', (char)('a' + values[i].kind), '\0' };
		gguf_put_key(&out, name, values[i].kind);
		gguf_put(&out, values[i].bits, values[i].bytes);
	}
	gguf_put_key(&out, "text", GGUF_STRING);
	gguf_put_text(&out, "hello");
	gguf_put_key(&out, "big", GGUF_U64);
	gguf_put(&out, UINT64_MAX, 8);
	gguf_put_key(&out, "nan", GGUF_F32);
	gguf_put(&out, 0x7fc00000, 4);
	gguf_put_array(&out, "numbers", GGUF_I16, 2);
	gguf_put(&out, 0xffff0007, 4);
	gguf_put_array(&out, "none", GGUF_STRING, 0);
	assert_ok(file_replace(path, out.s, out.len));
	str_free(&out);
}

static void
test_values(void **state)
{
	(void)state;
	static const struct { const char *name; int64_t v; } wholes[] = {
		{"ka", 200}, {"kb", -1}, {"kc", 60000}, {"kd", -2}, {"ke", 4000000000}, {"kf", -3}, {"kk", 5}, {"kl",
			-4},
		{"absent", 77},
	};
	static const char *const not_whole[] = { "kg", "kh", "km", "text", "big", "numbers", "none" };
	struct gguf g;
	int64_t v;
	double r;
	bool b;
	make_values();
	assert_ok(gguf_open(&g, path));
	for (size_t i = 0; i < ARRAY_LEN(wholes); i++) {
		assert_ok(gguf_int(&g, wholes[i].name, INT64_MIN, INT64_MAX, 77, &v));
		assert_true(v == wholes[i].v);
	}
	for (size_t i = 0; i < ARRAY_LEN(not_whole); i++)
		assert_err(gguf_int(&g, not_whole[i], INT64_MIN, INT64_MAX, 0, &v), ERR_FORMAT);
	assert_err(gguf_int(&g, "ka", 0, 199, 0, &v), ERR_FORMAT);
	assert_err(gguf_int(&g, "kb", 0, 199, 0, &v), ERR_FORMAT);
	assert_ok(gguf_real(&g, "kg", 0, &r));
	assert_true(r == 1.5);
	assert_ok(gguf_real(&g, "km", 0, &r));
	assert_true(r == 2.5);
	assert_ok(gguf_real(&g, "kf", 0, &r));
	assert_true(r == -3);
	assert_err(gguf_real(&g, "nan", 0, &r), ERR_FORMAT);
	assert_err(gguf_real(&g, "none", 0, &r), ERR_FORMAT);
	assert_ok(gguf_bool(&g, "kh", false, &b));
	assert_true(b);
	assert_err(gguf_bool(&g, "ka", false, &b), ERR_FORMAT);
	assert_err(gguf_bool(&g, "none", false, &b), ERR_FORMAT);
	gguf_close(&g);
}

static void
test_lists(void **state)
{
	(void)state;
	struct gguf g;
	const struct gguf_key *list;
	const char *s;
	const uint8_t *at = NULL;
	size_t n;
	make_values();
	assert_ok(gguf_open(&g, path));
	assert_ok(gguf_str(&g, "text", &s, &n));
	assert_true(n == 5 && memcmp(s, "hello", 5) == 0);
	assert_ok(gguf_str(&g, "absent", &s, &n));
	assert_null(s);
	assert_err(gguf_str(&g, "ka", &s, &n), ERR_FORMAT);
	assert_ok(gguf_array(&g, "numbers", GGUF_I16, &list));
	assert_true(list->n == 2 && gguf_number(list, 0) == 7 && gguf_number(list, 1) == -1);
	assert_err(gguf_array(&g, "numbers", GGUF_STRING, &list), ERR_FORMAT);
	assert_err(gguf_array(&g, "text", GGUF_STRING, &list), ERR_FORMAT);
	assert_ok(gguf_array(&g, "none", GGUF_STRING, &list));
	assert_false(gguf_next_string(list, &at, &s, &n));
	gguf_close(&g);
	make(&(struct change){0});
	assert_ok(gguf_open(&g, path));
	assert_ok(gguf_array(&g, "x.list", GGUF_STRING, &list));
	assert_true(gguf_next_string(list, &at, &s, &n) && n == 3 && memcmp(s, "one", 3) == 0);
	assert_true(gguf_next_string(list, &at, &s, &n) && n == 0);
	assert_false(gguf_next_string(list, &at, &s, &n));
	gguf_close(&g);
}

/* ---- models ---- */

static const char *const models[] = {
	"llama-f32", "llama-f16", "llama-q8_0", "gpt2-f16", "gpt2-bf16", "gpt2-q8_0",
	"gemma", "gemma2", "gpt-neox", "gpt-neox-sequential", "llama-bias", "llama-linear", "llama3", "olmo", "olmo2",
	"phi", "qwen2", "qwen3", "phi3", "stablelm", "stablelm-parallel", "starcoder2", "llama-yarn",
	"llama-yarn-factors", "gemma3", "gemma3-silent", "smollm3", "granite", "cohere", "cohere2", "olmo3", "falcon",
	"falcon-groups", "gpt-bigcode", "phi3-long", "command-r-tokens", "falcon-tokens",
};

static char *
data_path(const char *name, const char *end)
{
	const char *source = getenv("srcdir");
	return xasprintf("%s/tests/data/gguf/%s%s", source ? source : ".", name, end);
}

static const void *
reference(const struct st_file *f, const char *name, size_t *n)
{
	const struct st_tensor *t = st_find(f, name);
	assert_non_null(t);
	*n = (size_t)t->count;
	return t->data;
}

static void
check_logits(const struct model *m, const struct st_file *f, const char *name)
{
	size_t n, n_logits;
	const int32_t *ids = reference(f, "ids", &n);
	const float *want = reference(f, "logits", &n_logits);
	struct batch b = { 1, (int)n, (int32_t[]){ 0, (int32_t)n }, ids, NULL };
	struct acts *a = acts_new(m);
	assert_int_equal(n_logits, n * (size_t)m->config.vocab);
	assert_ok(model_forward(m, m->params, a, &b));
	double d = 0, s = 0;
	for (size_t i = 0; i < n_logits; i++) {
		d += pow((double)acts_logits(a)[i] - (double)want[i], 2);
		s += pow((double)want[i], 2);
	}
	print_message("# %s: logits differ by %.2g\n", name, sqrt(d / s));
	assert_true(sqrt(d / s) < 2e-6);
	acts_free(a);
}

static void
check_tokens(const struct tokenizer *t, const struct st_file *f)
{
	static const char text[] = "The tide's turned:  24 boats, 12345 lamps\n\n and <|endoftext|> caf\u00e9 \u706f!";
	struct token_span *spans;
	size_t n, n_want;
	const int32_t *want = reference(f, "text", &n_want);
	assert_ok(tokenizer_encode(t, text, sizeof(text) - 1, true, &spans, &n));
	assert_int_equal(n, n_want);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(spans[i].id, want[i]);
	free(spans);
}

static void
test_models(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		struct model m;
		struct st_file f;
		struct tokenizer *t;
		char *file = data_path(models[i], ".gguf"), *want = data_path(models[i], ".safetensors");
		assert_ok(st_open(&f, want));
		assert_ok(checkpoint_load(file, &m));
		check_logits(&m, &f, models[i]);
		if (st_find(&f, "text")->count > 0) {
			bool llama = strncmp(models[i], "llama", 5) == 0;
			assert_ok(checkpoint_tokenizer(file, &m, &t));
			check_tokens(t, &f);
			assert_int_equal(tokenizer_before(t, &(const int32_t *){ NULL }), llama ? 1 : 0);
			tokenizer_free(t);
		} else {
			assert_err(checkpoint_tokenizer(file, &m, &t), ERR_MISSING);
		}
		model_free(&m);
		st_close(&f);
		free(file);
		free(want);
	}
}

/* Scores as merges: "a" and "aa" after a space are pieces, and what is no piece is a byte, or unknown. */
static void
test_pieces(void **state)
{
	(void)state;
	static const int32_t want[] = { 5, 7, 3, 2, 0 };
	const char *source = getenv("srcdir");
	char *file = xasprintf("%s/tests/fuzz/corpus/gguf/llama_pieces", source ? source : ".");
	struct tokenizer *t;
	struct model m;
	struct token_span *spans;
	const int32_t *before;
	size_t n;
	assert_ok(checkpoint_load(file, &m));
	assert_ok(checkpoint_tokenizer(file, &m, &t));
	assert_ok(tokenizer_encode(t, "a aa A?", 7, true, &spans, &n));
	assert_int_equal(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(spans[i].id, want[i]);
	assert_int_equal(tokenizer_before(t, &before), 1);
	free(spans);
	tokenizer_free(t);
	model_free(&m);
	free(file);
}

/* ---- in parts ---- */

static char *
part_path(const char *folder, int no)
{
	return xasprintf("%s/qwen3-%05d-of-00003.gguf", folder, no);
}

static void
copy_part(const char *to_folder, int from, int to)
{
	char *folder = data_path("parts", ""), *source = part_path(folder, from), *copy = part_path(to_folder, to);
	struct str bytes = {0};
	assert_ok(file_read(source, 1 << 20, &bytes));
	assert_ok(file_replace(copy, bytes.s, bytes.len));
	str_free(&bytes);
	free(folder);
	free(source);
	free(copy);
}

/* The directory and every part stand for the whole, which is what the single file is. */
static void
test_parts(void **state)
{
	(void)state;
	char *folder = data_path("parts", ""), *whole = data_path("qwen3", ".gguf"),
		*want = data_path("qwen3", ".safetensors"), hex[HASH_HEX], again[HASH_HEX];
	struct st_file f;
	struct model m, single;
	assert_ok(st_open(&f, want));
	assert_ok(checkpoint_load(whole, &single));
	assert_ok(checkpoint_hash(folder, hex));
	for (int no = 0; no <= 3; no++) {
		char *named = no == 0 ? xstrdup(folder) : part_path(folder, no);
		assert_ok(checkpoint_load(named, &m));
		check_logits(&m, &f, "parts");
		assert_int_equal(m.n_params, single.n_params);
		assert_memory_equal(m.params, single.params, m.n_params * sizeof(*m.params));
		assert_ok(checkpoint_hash(named, again));
		assert_string_equal(hex, again);
		model_free(&m);
		free(named);
	}
	model_free(&single);
	st_close(&f);
	free(folder);
	free(whole);
	free(want);
}

static void
check_parts(const char *folder, int named, enum err code, const char *says)
{
	struct weights w;
	char *file = part_path(folder, named);
	enum err err = weights_open(&w, file);
	if (err != code || !strstr(err_message(), says))
		fail_msg("%d, \"%s\"; wanted %d, \"%s\"", (int)err, err_message(), (int)code, says);
	free(file);
}

static void
test_parts_wrong(void **state)
{
	(void)state;
	struct weights w;
	char *folder = path_join(dir, "parts"), *other = path_join(dir, "parts/x.gguf"), *first = part_path(folder, 1);
	assert_ok(file_mkdirs(folder));
	copy_part(folder, 2, 2);
	check_parts(folder, 2, ERR_MISSING, "qwen3-00001-of-00003.gguf: is missing");
	copy_part(folder, 1, 1);
	check_parts(folder, 1, ERR_MISSING, "qwen3-00003-of-00003.gguf: is missing; the model is in 3 parts");
	assert_err(weights_open(&w, folder), ERR_UNSUPPORTED);
	copy_part(folder, 2, 3);
	check_parts(folder, 1, ERR_FORMAT, "is part 2 of 3, and must be called NAME-00002-of-00003.gguf");
	copy_part(folder, 3, 3);
	assert_ok(weights_open(&w, folder));
	weights_close(&w);
	assert_int_equal(rename(first, other), 0);
	check_parts(folder, 3, ERR_MISSING, "first part");
	assert_err(weights_open(&w, other), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_message(), "llama-gguf-split --merge"));
	make(&(struct change){0});
	assert_int_equal(rename(path, first), 0);
	check_parts(folder, 1, ERR_FORMAT, "is called part 1 of 3, and is whole");
	free(folder);
	free(other);
	free(first);
}

/* Alone in a directory, under any name, and by what identity. */
static void
test_directory(void **state)
{
	(void)state;
	struct model m;
	struct tokenizer *t;
	char *file = data_path(models[2], ".gguf"), hex[HASH_HEX], want[HASH_HEX];
	struct str bytes = {0};
	assert_ok(file_read(file, 1 << 20, &bytes));
	assert_ok(file_replace(path, bytes.s, bytes.len));
	assert_ok(checkpoint_load(dir, &m));
	assert_ok(checkpoint_tokenizer(dir, &m, &t));
	hash_bytes(bytes.s, bytes.len, want);
	assert_ok(checkpoint_hash(dir, hex));
	assert_string_equal(hex, want);
	assert_ok(checkpoint_hash(file, hex));
	assert_string_equal(hex, want);
	tokenizer_free(t);
	model_free(&m);
	str_free(&bytes);
	free(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_tensors),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_parts_wrong),
		cmocka_unit_test(test_directory),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
