/*
 * Every family both ways: a checkpoint that `transformers` wrote is loaded and saved, and the copy has the same tensors
 * under the same names, and a config that makes the same model; run from the file as it lies, it says the same.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/generate.h"
#include "byline/mem.h"
#include "byline/mm.h"
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
original(const char *folder, const char *file)
{
	const char *src = getenv("srcdir");
	return xasprintf("%s/tests/data/parity/%s%s", src != NULL ? src : ".", folder, file);
}

/* A gain less 1 that was made a gain and less 1 again may have lost its last bits. */
static void
check_tensor(const struct st_file *a, const struct st_tensor *x, const struct st_file *b)
{
	const struct st_tensor *y = st_find(b, x->name);
	if (y == NULL || y->n_dims != x->n_dims || memcmp(y->shape, x->shape, sizeof(x->shape[0]) * (size_t)x->n_dims))
		fail_msg("%s: not in the copy, or of another shape", x->name);
	float *v = xcalloc(x->count, sizeof(*v)), *w = xcalloc(x->count, sizeof(*w));
	assert_ok(st_read_f32(a, x, 0, x->count, v));
	assert_ok(st_read_f32(b, y, 0, x->count, w));
	for (uint64_t i = 0; i < x->count; i++)
		assert_true(fabsf(v[i] - w[i]) <= 2e-7f);
	free(v);
	free(w);
}

static void
check_files(const char *folder)
{
	struct st_file a, b;
	char *from = original(folder, "/model.safetensors"), *to = path_join(dir, "model.safetensors");
	assert_ok(st_open(&a, from));
	assert_ok(st_open(&b, to));
	assert_int_equal(a.n_tensors, b.n_tensors);
	for (size_t i = 0; i < a.n_tensors; i++)
		check_tensor(&a, &a.tensors[i], &b);
	st_close(&a);
	st_close(&b);
	free(from);
	free(to);
}

static void
check_family(void **state)
{
	char *from = original(*state, "");
	struct model m, back;
	assert_ok(checkpoint_load(from, &m));
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	check_files(*state);
	assert_ok(checkpoint_load(dir, &back));
	assert_memory_equal(&m.config, &back.config, sizeof(m.config));
	assert_true(m.n_params == back.n_params);
	model_free(&m);
	model_free(&back);
	free(from);
}

/* ---- from the file as it lies ---- */

enum { LENGTH = 11, PIECE = 5 };

static void
feed(const struct model *m, float *logits)
{
	int32_t token[LENGTH];
	struct kv *kv = kv_new(m);
	for (int i = 0; i < LENGTH; i++)
		token[i] = (7 * i + 3) % m->config.vocab;
	assert_ok(model_step(m, kv, token, PIECE, logits));
	for (int i = PIECE; i < LENGTH; i++)
		assert_ok(model_step(m, kv, token + i, 1, logits));
	kv_free(kv);
}

struct taken { const struct model *m; float *grads; };

/* dW of every linear layer from what the tap is given. */
static void
take(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct taken *t = arg;
	const struct linear *l = &t->m->linears[index];
	mm_at(l->out, l->in, b->rows, 1, g, l->out, a, l->in, 1, t->grads + l->w, l->in);
}

/* The gradients of all matrices, and the loss, of two sequences; every third row has no target. */
static double
gradients(const struct model *m, float *grads)
{
	int32_t start[] = { 0, PIECE, LENGTH }, token[LENGTH], target[LENGTH];
	struct batch b = { 2, LENGTH, start, token, target };
	struct taken t = { m, grads };
	struct tap tap = { .arg = &t, .linear = take };
	struct acts *a = acts_new(m);
	for (int i = 0; i < LENGTH; i++) {
		token[i] = (5 * i + 1) % m->config.vocab;
		target[i] = i % 3 == 0 ? -1 : (3 * i) % m->config.vocab;
	}
	assert_ok(model_forward(m, m->params, a, &b));
	double loss = acts_loss(m, a, &b, NULL, NULL);
	model_backward(m, m->params, a, &b, NULL, &tap);
	acts_free(a);
	return loss;
}

static void
check_gradients(const struct model *read, const struct model *mapped)
{
	float *want = xcalloc(read->n_params, sizeof(*want)), *got = xcalloc(read->n_params, sizeof(*got));
	double loss = gradients(read, want), apart = 0, size = 0;
	assert_true(fabs(gradients(mapped, got) / loss - 1) < 1e-5);
	for (size_t i = 0; i < read->n_params; i++) {
		apart += pow((double)got[i] - (double)want[i], 2);
		size += pow((double)want[i], 2);
	}
	assert_true(size > 0 && sqrt(apart / size) < 1e-5);
	free(want);
	free(got);
}

/* Widened in a register or in memory, the numbers are the same; only sums are taken in another order. */
static void
check_mapped(void **state)
{
	static const enum st_dtype dtypes[] = { ST_F32, ST_F16, ST_BF16 };
	char *from = original(*state, "");
	struct model m, read, mapped;
	assert_ok(checkpoint_load(from, &m));
	size_t vocab = (size_t)m.config.vocab;
	float *want = xcalloc(vocab, sizeof(*want)), *got = xcalloc(vocab, sizeof(*got));
	for (size_t d = 0; d < ARRAY_LEN(dtypes); d++) {
		double apart = 0, size = 0;
		assert_ok(checkpoint_save(dir, &m, m.params, NULL, dtypes[d]));
		assert_ok(checkpoint_load(dir, &read));
		assert_ok(checkpoint_map(dir, &mapped));
		assert_null(mapped.params);
		feed(&read, want);
		feed(&mapped, got);
		for (size_t i = 0; i < vocab; i++) {
			apart += pow((double)got[i] - (double)want[i], 2);
			size += pow((double)want[i], 2);
		}
		assert_true(size > 0 && sqrt(apart / size) < 2e-6);
		check_gradients(&read, &mapped);
		model_free(&read);
		model_free(&mapped);
	}
	free(want);
	free(got);
	model_free(&m);
	free(from);
}

/* What nobody read before is found when it is met, and named. */
static void
test_mapped_nan(void **state)
{
	(void)state;
	char *from = original("llama-gqa", ""), *path = path_join(dir, "model.safetensors");
	const int32_t token[2] = { 1, 2 };
	const float nan = NAN;
	float logits[60];
	struct model m;
	struct st_file f;
	assert_ok(checkpoint_load(from, &m));
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	model_free(&m);
	assert_ok(st_open(&f, path));
	const struct st_tensor *t = st_find(&f, "model.layers.1.mlp.down_proj.weight");
	FILE *file = fopen(path, "r+b");
	assert_true(file && fseek(file, (long)(t->data - f.map.data) + 8, SEEK_SET) == 0);
	assert_true(fwrite(&nan, sizeof(nan), 1, file) == 1 && fclose(file) == 0);
	st_close(&f);
	assert_ok(checkpoint_map(dir, &m));
	struct kv *kv = kv_new(&m);
	assert_int_equal(model_step(&m, kv, token, 2, logits), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "model.layers.1.mlp.down_proj.weight"));
	kv_free(kv);
	model_free(&m);
	free(path);
	free(from);
}

#define FAMILY(folder) { .name = folder, .test_func = check_family, .initial_state = (void *)(uintptr_t)folder }, \
	{ .name = folder "-mapped", .test_func = check_mapped, .initial_state = (void *)(uintptr_t)folder }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped_nan),
		FAMILY("llama-gqa"), FAMILY("llama-bias"), FAMILY("llama3"), FAMILY("llama-linear"), FAMILY("llama-yarn"),
		FAMILY("mistral"), FAMILY("qwen2"), FAMILY("qwen2-window"), FAMILY("qwen3"), FAMILY("olmo"),
		FAMILY("olmo2"), FAMILY("gemma"), FAMILY("gemma2"), FAMILY("phi3"), FAMILY("stablelm"),
		FAMILY("stablelm-parallel"), FAMILY("gpt2"), FAMILY("gpt2-erf"), FAMILY("gpt-neo"), FAMILY("gpt-neox"),
		FAMILY("gpt-neox-sequential"), FAMILY("phi"), FAMILY("starcoder2"), FAMILY("gemma3"), FAMILY("smollm3"),
		FAMILY("smollm3-window"), FAMILY("olmo3"), FAMILY("granite"), FAMILY("gptj"), FAMILY("opt"),
		FAMILY("opt-gelu"), FAMILY("cohere"), FAMILY("falcon"), FAMILY("falcon-groups"),
		FAMILY("falcon-sequential"), FAMILY("phi3-long"), FAMILY("cohere2"), FAMILY("gpt-bigcode"),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
