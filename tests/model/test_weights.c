/* weights: tensors of several files by their index, and what is said about directories that hold something else. */
#include "byline/weights.h"

#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "tiny_model.h"
#include "unit.h"

static char root[] = "/tmp/byline-test.XXXXXX";
static char *dir;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	dir = path_join(root, "model");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(dir);
	return file_remove_tree(root) == OK ? 0 : -1;
}

static void
empty(void)
{
	if (file_exists(dir))
		assert_ok(file_remove_tree(dir));
	assert_ok(file_mkdirs(dir));
}

static void
put(const char *name, const char *text)
{
	char *path = path_join(dir, name);
	assert_ok(file_replace(path, text, strlen(text)));
	free(path);
}

/* A file whose tensors, named by one letter each, hold the letters' numbers. */
static void
put_shard(const char *name, const char *tensors)
{
	struct st_writer w;
	char *path = path_join(dir, name);
	assert_ok(st_writer_open(&w, path));
	for (const char *t = tensors; *t; t++)
		st_writer_declare(&w, (char[]){ *t, '\0' }, ST_F16, 2, (uint64_t[]){ 2, 3 });
	assert_ok(st_writer_begin(&w));
	for (const char *t = tensors; *t; t++)
		assert_ok(st_writer_f32(&w, ST_F16, (float[]){ *t, 1, 2, 3, 4, 5 }, 6));
	assert_ok(st_writer_commit(&w));
	free(path);
}

static void
assert_said(enum err got, enum err code, const char *says, const char *what)
{
	if (got != code || (code != OK && !strstr(err_message(), says)) || strchr(err_message(), '\n'))
		fail_msg("%s: %d, \"%s\"; wanted %d, \"%s\"", what, (int)got, err_message(), (int)code, says);
}

/* ---- several files ---- */

#define INDEX "model.safetensors.index.json"

static const struct { const char *index; enum err code; const char *says; } indexes[] = {
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}}", OK, ""},
	{"{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\"c\": \"2.safetensors\", \"a\": \"1.safetensors\", "
		"\"b\": \"1.safetensors\"}}", OK, ""},
	{"", ERR_FORMAT, INDEX}, {"[]", ERR_FORMAT, "weight_map"}, {"{}", ERR_FORMAT, "weight_map"},
	{"{\"weight_map\": []}", ERR_FORMAT, "weight_map"}, {"{\"weight_map\": {}}", ERR_FORMAT, "names no tensors"},
	{"{\"weight_map\": {\"a\": 1}}", ERR_FORMAT, "\"a\" is not given the name of a file"},
	{"{\"weight_map\": {\"a\": null}}", ERR_FORMAT, "\"a\" is not given the name of a file"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\\u0000\"}}", ERR_FORMAT, "\"a\" is not given the name of a file"},
	{"{\"weight_map\": {\"a\": \"../model/1.safetensors\"}}", ERR_FORMAT, "not a file of this directory"},
	{"{\"weight_map\": {\"a\": \"/etc/1.safetensors\"}}", ERR_FORMAT, "not a file of this directory"},
	{"{\"weight_map\": {\"a\": \"sub/1.safetensors\"}}", ERR_FORMAT, "not a file of this directory"},
	{"{\"weight_map\": {\"a\": \"..\"}}", ERR_FORMAT, "not a file of this directory"},
	{"{\"weight_map\": {\"a\": \"..\\\\1.safetensors\"}}", ERR_FORMAT, "not a file of this directory"},
	{"{\"weight_map\": {\"a\": \"\"}}", ERR_UNSUPPORTED, "not a safetensors file"},
	{"{\"weight_map\": {\"a\": \".safetensors\"}}", ERR_UNSUPPORTED, "not a safetensors file"},
	{"{\"weight_map\": {\"a\": \"pytorch_model-1.bin\"}}", ERR_UNSUPPORTED, "not a safetensors file"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"a\": \"1.safetensors\"}}", ERR_FORMAT, "duplicate"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"3.safetensors\"}}",
	ERR_MISSING,
		"3.safetensors: is missing"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\", \"c\": \"2.safetensors\"}}",
	ERR_MISMATCH,
		"\"b\" is in 1.safetensors, not in 2.safetensors"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\", "
		"\"d\": \"2.safetensors\"}}", ERR_MISSING, "\"d\" is not in 2.safetensors"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"2.safetensors\"}}", ERR_MISMATCH,
		"\"b\" of 1.safetensors is not in the index"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"twice.safetensors\"}}",
	ERR_FORMAT,
		"\"a\" is there twice"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"lfs.safetensors\"}}", ERR_FORMAT,
		"lfs.safetensors: is a Git LFS pointer"},
	{"{\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"junk.safetensors\"}}", ERR_FORMAT, "junk.safetensors"},
	{"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", ERR_FORMAT, INDEX ": is a Git LFS pointer"},
};

static void
put_shards(void)
{
	empty();
	put_shard("1.safetensors", "ab");
	put_shard("2.safetensors", "c");
	put_shard("twice.safetensors", "ca");
	put("lfs.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
	put("junk.safetensors", "PK\003\004PK\003\004PK\003\004");
}

static void
test_indexes(void **state)
{
	(void)state;
	put_shards();
	for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
		struct weights w;
		put(INDEX, indexes[i].index);
		enum err err = weights_open(&w, dir);
		assert_said(err, indexes[i].code, indexes[i].says, indexes[i].index);
		assert_int_equal(w.n_tensors, err == OK ? 3 : 0);
		weights_close(&w);
	}
}

static void
test_views(void **state)
{
	(void)state;
	struct weights w;
	const struct weights_tensor *t;
	float v[6];
	put_shards();
	put(INDEX, indexes[0].index);
	assert_ok(weights_open(&w, dir));
	assert_int_equal(w.container, WEIGHTS_SHARDED);
	assert_null(weights_find(&w, "d"));
	for (const char *name = "a\0b\0c\0"; *name; name += 2) {
		assert_ok(weights_want(&w, name, 2, (uint64_t[]){ 2, 3 }, &t));
		assert_int_equal(t->type, WEIGHTS_F16);
		assert_string_equal(t->type_name, "F16");
		assert_int_equal(t->size, 12);
		assert_ok(weights_read_f32(t, 0, 6, v));
		assert_true(v[0] == *name && v[5] == 5);
		assert_ok(weights_read_f32(t, 4, 2, v));
		assert_true(v[0] == 4 && v[1] == 5);
		assert_err(weights_read_f32(t, 4, 3, v), ERR_MISMATCH);
		assert_err(weights_read_f32(t, UINT64_MAX, 2, v), ERR_MISMATCH);
	}
	assert_err(weights_want(&w, "d", 2, (uint64_t[]){ 2, 3 }, &t), ERR_MISSING);
	assert_err(weights_want(&w, "c", 2, (uint64_t[]){ 3, 2 }, &t), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "2.safetensors: tensor \"c\" has shape (2, 3), expected (3, 2)"));
	weights_close(&w);
}

/* A model cut in two is the same model. */
static void
test_sharded_model(void **state)
{
	(void)state;
	struct model m, back;
	struct st_file f;
	struct st_writer w[2];
	struct str index = {0};
	empty();
	assert_ok(tiny_model(&m, TINY_LLAMA_BIASED, 5));
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	char *whole = path_join(dir, "model.safetensors"), *parts[] = { path_join(dir,
		"model-00001-of-00002.safetensors"),
		path_join(dir, "model-00002-of-00002.safetensors") };
	assert_ok(st_open(&f, whole));
	for (int part = 0; part < 2; part++) {
		assert_ok(st_writer_open(&w[part], parts[part]));
		for (size_t i = (size_t)part; i < f.n_tensors; i += 2) {
			const struct st_tensor *t = &f.tensors[i];
			st_writer_declare(&w[part], t->name, t->dtype, t->n_dims, t->shape);
			str_addf(&index, "%s\"%s\": \"%s\"", index.len ? ", " : "{\"weight_map\": {", t->name,
				path_base(parts[part]));
		}
		assert_ok(st_writer_begin(&w[part]));
		for (size_t i = (size_t)part; i < f.n_tensors; i += 2)
			assert_ok(st_writer_bytes(&w[part], f.tensors[i].data, f.tensors[i].size));
		assert_ok(st_writer_commit(&w[part]));
	}
	str_adds(&index, "}}");
	put(INDEX, index.s);
	st_close(&f);
	assert_int_equal(remove(whole), 0);
	assert_ok(checkpoint_load(dir, &back));
	assert_memory_equal(m.params, back.params, m.n_params * sizeof(*m.params));
	str_free(&index);
	free(whole);
	free(parts[0]);
	free(parts[1]);
	model_free(&m);
	model_free(&back);
}

/* What `sha256sum 1.safetensors 2.safetensors | sha256sum` prints. */
static void
test_hash(void **state)
{
	(void)state;
	char hex[HASH_HEX], one[HASH_HEX], two[HASH_HEX], want[HASH_HEX];
	put_shards();
	put(INDEX, indexes[1].index);
	char *a = path_join(dir, "1.safetensors"), *b = path_join(dir, "2.safetensors");
	assert_ok(hash_file(a, one));
	assert_ok(hash_file(b, two));
	char *lines = xasprintf("%s  1.safetensors\n%s  2.safetensors\n", one, two);
	hash_bytes(lines, strlen(lines), want);
	assert_ok(weights_hash(dir, hex));
	assert_string_equal(hex, want);
	put_shard("2.safetensors", "d");
	assert_ok(weights_hash(dir, hex));
	assert_string_not_equal(hex, want);
	free(lines);
	free(a);
	free(b);
}

/* ---- something else ---- */

#define LFS "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"

static const struct { const char *files[3], *text; enum err code; const char *says; } others[] = {
	{{NULL}, "", ERR_MISSING, "is empty"},
	{{"README.md"}, "", ERR_MISSING, "there is no model.safetensors"},
	{{"weights.safetensors"}, "", ERR_MISSING, "Name it model.safetensors"},
	{{"config.json", "pytorch_model.bin"}, "", ERR_UNSUPPORTED, "save_pretrained"},
	{{"config.json", "pytorch_model.bin.index.json"}, "", ERR_UNSUPPORTED, "save_pretrained"},
	{{"pytorch_model-00001-of-00002.bin"}, "", ERR_UNSUPPORTED, "save_pretrained"},
	{{"training_args.bin", "optimizer.pt", "pytorch_model.bin"}, "", ERR_UNSUPPORTED,
	"pytorch_model.bin, a format"},
	{{"weights.bin"}, "", ERR_UNSUPPORTED, "can run code"},
	{{"model.pt"}, "", ERR_UNSUPPORTED, ".pt file, a format that can run code"},
	{{"model.pth"}, "", ERR_UNSUPPORTED, ".pth file, a format that can run code"},
	{{"epoch3.ckpt"}, "", ERR_UNSUPPORTED, ".ckpt file, a format that can run code"},
	{{"consolidated.00.pth", "params.json"}, "", ERR_UNSUPPORTED, "consolidated.pth"},
	{{"consolidated.safetensors", "params.json"}, "", ERR_UNSUPPORTED, "other names"},
	{{"config.json", "tf_model.h5"}, "", ERR_UNSUPPORTED, "TensorFlow"},
	{{"model.ckpt.index"}, "", ERR_UNSUPPORTED, "TensorFlow"},
	{{"config.json", "flax_model.msgpack"}, "", ERR_UNSUPPORTED, "Flax"},
	{{"model.onnx"}, "", ERR_UNSUPPORTED, "ONNX"},
	{{"adapter_config.json", "adapter_model.safetensors"}, "", ERR_UNSUPPORTED, "LoRA"},
	{{"adapter_config.json", "adapter_model.bin"}, "", ERR_UNSUPPORTED, "merge_and_unload"},
	{{"quantize_config.json", "model.safetensors"}, "", ERR_UNSUPPORTED, "GPTQ"},
	{{"quant_config.json", "model.safetensors"}, "", ERR_UNSUPPORTED, "AWQ"},
	{{"model.safetensors"}, LFS, ERR_FORMAT, "model.safetensors: is a Git LFS pointer"},
	{{"model.gguf"}, LFS, ERR_FORMAT, "model.gguf: is a Git LFS pointer"},
	{{"model.gguf"}, "GGML", ERR_FORMAT, "does not begin as a GGUF file"},
	{{"a.gguf", "b.gguf"}, "GGUF", ERR_UNSUPPORTED,
	"several .gguf files; name the .gguf file that is meant (a.gguf)"},
	{{"a.gguf", "config.json"}, "GGUF", ERR_UNSUPPORTED, "config.json and a .gguf file"},
};

static void
test_others(void **state)
{
	(void)state;
	struct model m;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		empty();
		for (size_t f = 0; f < 3 && others[i].files[f]; f++)
			put(others[i].files[f], others[i].text);
		assert_said(checkpoint_load(dir, &m), others[i].code, others[i].says, others[i].files[0]);
		assert_null(m.params);
	}
	assert_err(checkpoint_load("/nonexistent", &m), ERR_MISSING);
}

static const struct { const char *file, *text; enum err code; const char *says; } singles[] = {
	{"model.pt", "x", ERR_UNSUPPORTED, "can run code"},
	{"model.safetensors", "x", ERR_UNSUPPORTED, "name the directory"},
	{"model.gguf", LFS, ERR_FORMAT, "Git LFS"},
	{"model.gguf", "", ERR_UNSUPPORTED, "is not a GGUF file"},
	{"model.gguf", "GGUF", ERR_FORMAT, "ends inside the header"},
	{"model", "GGUF", ERR_FORMAT, "ends inside the header"},
};

static void
test_single_files(void **state)
{
	(void)state;
	struct model m;
	for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
		empty();
		put(singles[i].file, singles[i].text);
		char *path = path_join(dir, singles[i].file);
		assert_said(checkpoint_load(path, &m), singles[i].code, singles[i].says, singles[i].file);
		free(path);
	}
}

static void
test_config(void **state)
{
	(void)state;
	struct model m;
	struct model_config c;
	empty();
	assert_ok(tiny_model(&m, TINY_LLAMA, 5));
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	assert_ok(checkpoint_config(dir, &c));
	assert_memory_equal(&c, &m.config, sizeof(c));
	model_free(&m);
	put("config.json", LFS);
	assert_said(checkpoint_config(dir, &c), ERR_FORMAT, "config.json: is a Git LFS pointer", "config");
	assert_said(checkpoint_load(dir, &m), ERR_FORMAT, "config.json: is a Git LFS pointer", "load");
	put("config.json", "{\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"gptq\"}}");
	assert_said(checkpoint_load(dir, &m), ERR_UNSUPPORTED, "quantised", "load");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_indexes),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_sharded_model),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_single_files),
		cmocka_unit_test(test_config),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
