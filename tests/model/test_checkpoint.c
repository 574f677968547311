/* checkpoint: a directory comes back as it was saved, and says what is wrong with it when it does not. */
#include "byline/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "tiny_model.h"
#include "unit.h"

static char dir[] = "/tmp/byline-test.XXXXXX";

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return file_remove_tree(dir) == OK ? 0 : -1;
}

static char *
in_dir(const char *name)
{
	return path_join(dir, name);
}

static void
replace(const char *name, const char *text)
{
	char *path = in_dir(name);
	assert_ok(file_replace(path, text, strlen(text)));
	free(path);
}

static void
drop(const char *name)
{
	char *path = in_dir(name);
	remove(path);
	free(path);
}

static bool
has(const char *name)
{
	char *path = in_dir(name);
	bool there = file_exists(path);
	free(path);
	return there;
}

static void
save_tiny(struct model *m, enum tiny kind)
{
	assert_ok(tiny_model(m, kind, 3));
	assert_ok(checkpoint_save(dir, m, m->params, NULL, ST_F32));
}

/* ---- weights files with one thing wrong ---- */

struct change {
	const char *name;		/* the tensor it happens to */
	bool drop, flip, shrink;	/* flip: the two dimensions change places */
	bool as_int;
	float put;			/* in place of the second number, unless 0 */
	const char *also;		/* one more tensor, of shape (1), or as `name` is when `as_name` */
	bool as_name;
	bool bare;			/* every name loses what comes before the first dot */
};

static const char *
changed_name(const struct change *c, const char *name)
{
	const char *dot = strchr(name, '.');
	bool prefixed = strncmp(name, "model.", 6) == 0 || strncmp(name, "transformer.", 12) == 0;
	return c->bare && prefixed ? dot + 1 : name;
}

static void
write_changed(struct st_writer *w, const struct st_tensor *t, const struct change *c)
{
	bool hit = c->name && strcmp(t->name, c->name) == 0;
	size_t n = t->size / 4;
	float *v = xcalloc(n, sizeof(*v));
	memcpy(v, t->data, t->size);
	if (hit && c->put != 0)
		v[1] = c->put;
	assert_ok(st_writer_bytes(w, v, (hit && c->shrink ? n - 1 : n) * 4));
	free(v);
}

static void
declare_changed(struct st_writer *w, const struct st_tensor *t, const struct change *c)
{
	bool hit = c->name && strcmp(t->name, c->name) == 0;
	uint64_t shape[2] = { t->shape[0], t->n_dims > 1 ? t->shape[1] : 1 };
	uint64_t flipped[2] = { shape[1], shape[0] }, shorter[1] = { shape[0] - 1 };
	st_writer_declare(w, changed_name(c, t->name), hit && c->as_int ? ST_I32 : ST_F32, t->n_dims,
		hit && c->flip ? flipped : hit && c->shrink ? shorter : shape);
}

static void
rewrite(const struct change *c)
{
	struct st_file f;
	struct st_writer w;
	char *path = in_dir("model.safetensors");
	float one = 1;
	assert_ok(st_open(&f, path));
	const struct st_tensor *like = c->as_name ? st_find(&f, c->name) : NULL;
	assert_ok(st_writer_open(&w, path));
	for (size_t i = 0; i < f.n_tensors; i++)
		if (!c->drop || strcmp(f.tensors[i].name, c->name) != 0)
			declare_changed(&w, &f.tensors[i], c);
	if (c->also)
		st_writer_declare(&w, c->also, ST_F32, like ? like->n_dims : 1, like ? like->shape : (uint64_t[]){ 1 });
	assert_ok(st_writer_begin(&w));
	for (size_t i = 0; i < f.n_tensors; i++)
		if (!c->drop || strcmp(f.tensors[i].name, c->name) != 0)
			write_changed(&w, &f.tensors[i], c);
	if (c->also)
		assert_ok(st_writer_bytes(&w, like ? like->data : (const void *)&one, like ? like->size : 4));
	assert_ok(st_writer_commit(&w));
	st_close(&f);
	free(path);
}

/* ---- what is saved comes back ---- */

static float
tolerance(enum st_dtype dtype)
{
	return dtype == ST_F32 ? 0 : dtype == ST_F16 ? 0x1p-11f : 0x1p-8f;
}

static void
test_round_trip(void **state)
{
	(void)state;
	static const enum st_dtype dtypes[] = { ST_F32, ST_F16, ST_BF16 };
	for (int kind = 0; kind < TINY_KINDS; kind++)
		for (size_t d = 0; d < ARRAY_LEN(dtypes); d++) {
			struct model m, back;
			assert_ok(tiny_model(&m, kind, 3));
			assert_ok(checkpoint_save(dir, &m, m.params, NULL, dtypes[d]));
			assert_ok(checkpoint_load(dir, &back));
			/* A model without rotary positions has no use for theta, and does not write it. */
			back.config.rope_theta = m.config.rope_theta;
			assert_memory_equal(&m.config, &back.config, sizeof(m.config));
			assert_int_equal(m.n_params, back.n_params);
			float worst = 0;
			for (size_t i = 0; i < m.n_params; i++)
				worst = fmaxf(worst,
					fabsf(m.params[i] - back.params[i]) / (fabsf(m.params[i]) + 1e-3f));
			assert_true(worst <= tolerance(dtypes[d]));
			model_free(&m);
			model_free(&back);
		}
	assert_false(has("tokenizer.json"));
	assert_false(has("generation_config.json"));
}

/* Other weights than the model's own: a checkpoint of the middle of a run. */
static void
test_other_params(void **state)
{
	(void)state;
	struct model m, back;
	assert_ok(tiny_model(&m, TINY_GPT2, 3));
	float *other = xcalloc(m.n_params, sizeof(*other));
	for (size_t i = 0; i < m.n_params; i++)
		other[i] = (float)i;
	assert_ok(checkpoint_save(dir, &m, other, NULL, ST_F32));
	assert_ok(checkpoint_load(dir, &back));
	assert_memory_equal(other, back.params, m.n_params * sizeof(*other));
	free(other);
	model_free(&m);
	model_free(&back);
}

static void
test_same_bytes(void **state)
{
	(void)state;
	struct model m;
	char one[HASH_HEX], two[HASH_HEX], three[HASH_HEX];
	save_tiny(&m, TINY_LLAMA);
	assert_ok(checkpoint_hash(dir, one));
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	assert_ok(checkpoint_hash(dir, two));
	assert_string_equal(one, two);
	m.params[7] += 1;
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	assert_ok(checkpoint_hash(dir, three));
	assert_string_not_equal(one, three);
	model_free(&m);
	assert_true(checkpoint_hash("/nonexistent", one) != OK);
}

/* Files of a bare model leave the prefix out; masks and rotary tables are in old ones; tied ones may repeat the
 * head. */
static void
test_harmless(void **state)
{
	(void)state;
	static const struct { enum tiny kind; struct change change; } v[] = {
		{ TINY_LLAMA, { .bare = true } },
		{ TINY_GPT2, { .bare = true } },
		{ TINY_GPT2_ERF, { .bare = true } },
		{ TINY_LLAMA, { .also = "model.layers.2.self_attn.rotary_emb.inv_freq" } },
		{ TINY_GPT2, { .also = "transformer.h.0.attn.bias" } },
		{ TINY_GPT2, { .also = "h.1.attn.masked_bias", .bare = true } },
		{ TINY_LLAMA, { .name = "model.embed_tokens.weight", .also = "lm_head.weight", .as_name = true } },
		{ TINY_GPT2, { .name = "transformer.wte.weight", .also = "lm_head.weight", .as_name = true } },
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct model m, back;
		save_tiny(&m, v[i].kind);
		rewrite(&v[i].change);
		assert_ok(checkpoint_load(dir, &back));
		assert_memory_equal(m.params, back.params, m.n_params * sizeof(*m.params));
		model_free(&m);
		model_free(&back);
	}
}

static void
test_harmful(void **state)
{
	(void)state;
	static const struct { enum tiny kind; enum err code; const char *says; struct change change; } v[] = {
		{ TINY_LLAMA, ERR_MISSING, "\"model.layers.1.mlp.up_proj.weight\" is missing",
			{ .name = "model.layers.1.mlp.up_proj.weight", .drop = true } },
		{ TINY_LLAMA_BIASED, ERR_MISSING, "\"model.layers.0.self_attn.k_proj.bias\" is missing",
			{ .name = "model.layers.0.self_attn.k_proj.bias", .drop = true } },
		{ TINY_GPT2, ERR_MISSING, "\"transformer.wpe.weight\"",
			{ .name = "transformer.wpe.weight", .drop = true } },
		{ TINY_LLAMA_BIASED, ERR_MISSING, "tie_word_embeddings", { .name = "lm_head.weight", .drop = true } },
		{ TINY_LLAMA, ERR_MISMATCH, "shape (16, 24), expected (24, 16)",
			{ .name = "model.layers.2.self_attn.q_proj.weight", .flip = true } },
		{ TINY_GPT2, ERR_MISMATCH, "shape (48, 16), expected (16, 48)",
			{ .name = "transformer.h.0.attn.c_attn.weight", .flip = true } },
		{ TINY_GPT2, ERR_MISMATCH, "shape (15), expected (16)",
			{ .name = "transformer.ln_f.bias", .shrink = true } },
		{ TINY_LLAMA, ERR_MISMATCH, "\"lm_head.weight\" has shape (1)", { .also = "lm_head.weight" } },
		{ TINY_LLAMA, ERR_MISMATCH, "\"lm_head.weight\" is not the embedding", { .name = "model.embed_tokens.weight",
			.also = "lm_head.weight", .as_name = true, .put = 7 } },
		{ TINY_LLAMA, ERR_MISMATCH, "\"model.layers.3.mlp.up_proj.weight\" has no place in a llama",
			{ .also = "model.layers.3.mlp.up_proj.weight" } },
		{ TINY_LLAMA, ERR_MISMATCH, "\"norm.weight\" has no place", { .also = "norm.weight" } },
		{ TINY_GPT2, ERR_MISMATCH, "\"\" has no place", { .also = "" } },
		{ TINY_LLAMA, ERR_UNSUPPORTED, "I32", { .name = "model.norm.weight", .as_int = true } },
		{ TINY_LLAMA, ERR_FORMAT, "\"model.norm.weight\" holds NaN",
			{ .name = "model.norm.weight", .put = NAN } },
		{ TINY_GPT2, ERR_FORMAT, "infinity", { .name = "transformer.h.2.mlp.c_fc.weight", .put = -INFINITY } },
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct model m, back;
		save_tiny(&m, v[i].kind);
		rewrite(&v[i].change);
		enum err err = checkpoint_load(dir, &back);
		if (err != v[i].code || !strstr(err_message(), v[i].says))
			fail_msg("%zu: %d, \"%s\"; wanted %d, \"%s\"", i, (int)err, err_message(), (int)v[i].code,
				v[i].says);
		assert_non_null(strstr(err_message(), "model.safetensors"));
		assert_null(back.params);
		assert_null(strchr(err_message(), '\n'));
		model_free(&back);
		model_free(&m);
	}
}

/* ---- directories with something else in them ---- */

static void
assert_load(enum err code, const char *says)
{
	struct model m;
	enum err err = checkpoint_load(dir, &m);
	if (err != code || !strstr(err_message(), says))
		fail_msg("%d, \"%s\"; wanted %d, \"%s\"", (int)err, err_message(), (int)code, says);
	model_free(&m);
}

static void
test_other_weights(void **state)
{
	(void)state;
	struct model m;
	save_tiny(&m, TINY_LLAMA);
	model_free(&m);
	replace("model.safetensors", "version https://git-lfs.github.com/spec/v1\n");
	assert_load(ERR_FORMAT, "Git LFS");
	drop("model.safetensors");
	assert_load(ERR_MISSING, "there is no model.safetensors");
	replace("pytorch_model.bin", "x");
	assert_load(ERR_UNSUPPORTED, "save_pretrained");
	drop("pytorch_model.bin");
}

static void
test_config(void **state)
{
	(void)state;
	struct model m;
	save_tiny(&m, TINY_LLAMA);
	model_free(&m);
	replace("config.json", "{\"model_type\": \"llama\"}");
	assert_load(ERR_FORMAT, "config.json");
	replace("config.json", "[");
	assert_load(ERR_FORMAT, "config.json");
	replace("config.json", "{\"model_type\": \"mamba\"}");
	assert_load(ERR_UNSUPPORTED, "mamba");
	drop("config.json");
	assert_load(ERR_MISSING, "config.json");
}

/* A config of a hundred gigabytes over a file of a few kilobytes: refused before anything is allocated. */
static void
test_boasting_config(void **state)
{
	(void)state;
	struct model m;
	json_t *root;
	save_tiny(&m, TINY_LLAMA);
	model_free(&m);
	char *path = in_dir("config.json");
	assert_ok(json_parse_file(path, 1 << 20, &root));
	json_object_set_new(root, "hidden_size", json_integer(16384));
	json_object_set_new(root, "intermediate_size", json_integer(65536));
	json_object_set_new(root, "num_hidden_layers", json_integer(30));
	char *text = json_dumps(root, 0);
	assert_ok(file_replace(path, text, strlen(text)));
	struct model back;
	assert_err(checkpoint_load(dir, &back), ERR_MISMATCH);
	model_free(&back);
	free(text);
	free(path);
	json_decref(root);
}

/* ---- saving ---- */

static void
test_save_refuses(void **state)
{
	(void)state;
	struct model m;
	assert_ok(tiny_model(&m, TINY_LLAMA, 3));
	char *sub = in_dir("fresh");
	assert_err(checkpoint_save(sub, &m, m.params, NULL, ST_I32), ERR_USAGE);
	m.params[5] = 70000;
	assert_err(checkpoint_save(sub, &m, m.params, NULL, ST_F16), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "70000"));
	m.params[5] = 3.4e38f;
	assert_err(checkpoint_save(sub, &m, m.params, NULL, ST_BF16), ERR_FORMAT);
	m.params[5] = NAN;
	assert_err(checkpoint_save(sub, &m, m.params, NULL, ST_F32), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "diverged"));
	assert_false(file_exists(sub));
	/* The largest that fit come back finite. */
	m.params[5] = 65519;
	assert_ok(checkpoint_save(sub, &m, m.params, NULL, ST_F16));
	m.params[5] = 3.389e38f;
	assert_ok(checkpoint_save(sub, &m, m.params, NULL, ST_BF16));
	struct model back;
	assert_ok(checkpoint_load(sub, &back));
	model_free(&back);
	model_free(&m);
	free(sub);
}

static bool
no_more(void *arg, const char **text, size_t *n)
{
	(void)arg, (void)text, (void)n;
	return false;
}

static struct tokenizer *
bytes_only(void)
{
	struct tokenizer *t;
	struct text_source none = { .next = no_more };
	assert_ok(tokenizer_train(&t, &none, 257, NULL));
	return t;
}

/* What comes before a text: in ours config.json's token, in others' what the template says, which is often nothing. */
static void
check_begin(const struct model *m, const struct tokenizer *t)
{
	struct tokenizer *other;
	struct str text = {0};
	int32_t bos;
	assert_ok(checkpoint_begin(dir, m, t, &bos));
	assert_int_equal(bos, 0);
	char *path = in_dir("config.json");
	assert_ok(file_read(path, 1 << 20, &text));
	free(path);
	*strrchr(text.s, '}') = ' ';
	str_adds(&text, ", \"transformers_version\": \"5\"}");
	replace("config.json", text.s);
	str_free(&text);
	assert_ok(checkpoint_begin(dir, m, t, &bos));
	assert_int_equal(bos, -1);
	static const char with[] = "{\"model\": {\"vocab\": {\"a\": 0, \"s\": 1}, \"merges\": []}, \"post_processor\":"
		"{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"s\"}}, "
		"{\"Sequence\": {\"id\": \"A\"}}], \"special_tokens\": {\"s\": {\"ids\": [1]}}}}";
	assert_ok(tokenizer_parse(&other, with, strlen(with), "with.json"));
	assert_ok(checkpoint_begin(dir, m, other, &bos));
	assert_int_equal(bos, 1);
	tokenizer_free(other);
}

/* An added token for which the model has no embedding is text; one that the template adds cannot be. */
static void
check_surplus(struct model *m)
{
#define WITH(post) "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":2,\"content\":\"ab\"},{\"id\":3,\"content\":\"ba\"}]," post \
	"\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]}}"
	static const char template[] = WITH("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
		"{\"SpecialToken\":{\"id\":\"ba\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],"
		"\"special_tokens\":{\"ba\":{\"id\":\"ba\",\"ids\":[3],\"tokens\":[\"ba\"]}}},");
	struct tokenizer *t;
	struct token_span *span;
	size_t n;
	m->config.vocab = 3;
	replace("tokenizer.json", WITH(""));
	assert_ok(checkpoint_tokenizer(dir, m, &t));
	assert_int_equal(tokenizer_size(t), 3);
	assert_ok(tokenizer_encode(t, "abba", 4, true, &span, &n));
	assert_int_equal(n, 3);
	assert_int_equal(span[0].id, 2);
	assert_int_equal(span[1].id, 1);
	assert_int_equal(span[2].id, 0);
	free(span);
	tokenizer_free(t);
	replace("tokenizer.json", template);
	assert_err(checkpoint_tokenizer(dir, m, &t), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "puts token 3"));
	m->config.vocab = 1;
	replace("tokenizer.json", WITH(""));
	assert_err(checkpoint_tokenizer(dir, m, &t), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "ids up to 1"));
#undef WITH
}

static void
test_tokenizer(void **state)
{
	(void)state;
	struct model m;
	struct model_config c = tiny_config(TINY_LLAMA);
	struct tokenizer *t = bytes_only(), *back;
	json_t *root;
	c.vocab = 260;
	c.bos = c.eos = 0;
	assert_ok(model_new(&m, &c, true));
	assert_ok(checkpoint_save(dir, &m, m.params, t, ST_F32));
	assert_ok(checkpoint_tokenizer(dir, &m, &back));
	assert_int_equal(tokenizer_size(back), 257);
	tokenizer_free(back);
	char *path = in_dir("tokenizer_config.json");
	assert_ok(json_parse_file(path, 1 << 20, &root));
	assert_string_equal(json_string_value(json_object_get(root, "eos_token")), "<|endoftext|>");
	assert_string_equal(json_string_value(json_object_get(root, "tokenizer_class")), "PreTrainedTokenizerFast");
	json_decref(root);
	free(path);
	assert_true(has("generation_config.json"));
	check_begin(&m, t);
	m.config.vocab = 256;
	assert_err(checkpoint_tokenizer(dir, &m, &back), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "up to 256"));
	assert_null(back);
	check_surplus(&m);
	drop("tokenizer.json");
	assert_err(checkpoint_tokenizer(dir, &m, &back), ERR_MISSING);
	replace("vocab.json", "{}");
	assert_err(checkpoint_tokenizer(dir, &m, &back), ERR_MISSING);
	assert_non_null(strstr(err_message(), "AutoTokenizer"));
	tokenizer_free(t);
	model_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_other_params),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_harmful),
		cmocka_unit_test(test_other_weights),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_boasting_config),
		cmocka_unit_test(test_save_refuses),
		cmocka_unit_test(test_tokenizer),
	};
	return cmocka_run_group_tests_name("checkpoint", tests, setup, teardown);
}
