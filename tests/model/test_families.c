/*
 * Every family both ways: a checkpoint that `transformers` wrote is loaded and saved, and the copy has the same tensors
 * under the same names, and a config that makes the same model.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
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

#define FAMILY(folder) { .name = folder, .test_func = check_family, .initial_state = (void *)(uintptr_t)folder }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAMILY("llama-gqa"), FAMILY("llama-bias"), FAMILY("llama3"), FAMILY("llama-linear"), FAMILY("llama-yarn"),
		FAMILY("mistral"), FAMILY("qwen2"), FAMILY("qwen2-window"), FAMILY("qwen3"), FAMILY("olmo"),
		FAMILY("olmo2"), FAMILY("gemma"), FAMILY("gemma2"), FAMILY("phi3"), FAMILY("stablelm"),
		FAMILY("stablelm-parallel"), FAMILY("gpt2"), FAMILY("gpt2-erf"), FAMILY("gpt-neo"), FAMILY("gpt-neox"),
		FAMILY("gpt-neox-sequential"), FAMILY("phi"), FAMILY("starcoder2"),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
