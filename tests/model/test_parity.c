/*
 * The engine against `transformers`: logits, loss and the gradient of every parameter of tiny random models.
 * tests/model/make_parity.py made the files.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/model/arch.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/model.h"
#include "byline/safetensors.h"
#include "unit.h"

struct parity {
	struct model m;
	struct st_file weights, reference;
	float *grads;			/* theirs, in our layout */
	const char *name;
};

static char *
path_of(const char *model, const char *file)
{
	const char *dir = getenv("srcdir");
	return xasprintf("%s/tests/data/parity/%s/%s", dir != NULL ? dir : ".", model, file);
}

static void
open_st(struct st_file *f, const char *model, const char *file)
{
	char *path = path_of(model, file);
	assert_ok(st_open(f, path));
	free(path);
}

static void
read_config(struct model_config *c, const char *model)
{
	json_t *root;
	char *path = path_of(model, "config.json");
	assert_ok(json_parse_file(path, 1 << 20, &root));
	assert_ok(model_config_parse(c, root, path));
	json_decref(root);
	free(path);
}

static float *
read_floats(const struct st_file *f, const char *name, uint64_t count)
{
	const struct st_tensor *t = st_find(f, name);
	if (t == NULL)
		fail_msg("%s: no %s", f->path, name);
	assert_int_equal(t->count, count);
	float *v = xcalloc(count, sizeof(*v));
	assert_ok(st_read_f32(f, t, 0, count, v));
	return v;
}

/* Every tensor of the table from `f`, whose names begin with `prefix`, into a vector of our layout. */
static void
read_all(const struct model *m, const struct st_file *f, const char *prefix, float *flat)
{
	struct file_tensor *list;
	size_t n;
	assert_ok(arch_file_tensors(m, &list, &n));
	for (size_t i = 0; i < n; i++) {
		const struct file_tensor *t = &list[i];
		if (t->optional)
			continue;
		char *name = xasprintf("%s%s", prefix, t->name);
		size_t rows = (size_t)t->rows, cols = (size_t)t->cols;
		float *v = read_floats(f, name, rows * cols), *to = flat + t->tensor->at + (size_t)t->row * cols;
		for (size_t r = 0; r < rows; r++)
			for (size_t c = 0; c < cols; c++)
				to[r * cols + c] = t->transposed ? v[c * rows + r] : v[r * cols + c];
		free(v);
		free(name);
	}
	free(list);
}

static void
parity_open(struct parity *p, const char *name)
{
	struct model_config c;
	p->name = name;
	read_config(&c, name);
	assert_ok(model_new(&p->m, &c, true));
	open_st(&p->weights, name, "model.safetensors");
	open_st(&p->reference, name, "reference.safetensors");
	read_all(&p->m, &p->weights, "", p->m.params);
	p->grads = xcalloc(p->m.n_params, sizeof(*p->grads));
	read_all(&p->m, &p->reference, "grad.", p->grads);
}

static void
parity_close(struct parity *p)
{
	st_close(&p->weights);
	st_close(&p->reference);
	free(p->grads);
	model_free(&p->m);
}

/* |a - b| / |b| */
static double
difference(const float *a, const float *b, size_t n)
{
	double d = 0, s = 0;
	for (size_t i = 0; i < n; i++) {
		d += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
		s += (double)b[i] * (double)b[i];
	}
	return sqrt(d / s);
}

static void
check_logits(const struct parity *p, struct acts *a, size_t rows)
{
	size_t n = rows * (size_t)p->m.config.vocab;
	float *want = read_floats(&p->reference, "logits", n);
	double d = difference(acts_logits(a), want, n);
	print_message("# %s: logits differ by %.2g\n", p->name, d);
	assert_true(d < 1e-5);
	free(want);
}

static void
check_loss(const struct parity *p, double got)
{
	float *want = read_floats(&p->reference, "loss", 1);
	assert_true(fabs(got / (double)want[0] - 1) < 1e-5);
	free(want);
}

static void
check_grads(const struct parity *p, const float *got)
{
	double worst = 0;
	const char *where = "";
	for (int i = 0; i < p->m.n_tensors; i++) {
		const struct tensor *t = &p->m.tensors[i];
		double d = difference(got + t->at, p->grads + t->at, (size_t)t->rows * (size_t)t->cols);
		if (!(d <= worst)) {
			worst = d;
			where = t->name;
		}
	}
	print_message("# %s: gradients differ by at most %.2g, at %s\n", p->name, worst, where);
	assert_true(worst < 1e-4);
}

static void
check_model(const char *name)
{
	enum { SEQUENCES = 2, LENGTH = 18, ROWS = SEQUENCES * LENGTH };
	struct parity p = {0};
	int32_t start[] = {0, LENGTH, ROWS}, target[ROWS];
	parity_open(&p, name);
	const struct st_tensor *ids = st_find(&p.reference, "ids");
	assert_true(ids != NULL && ids->dtype == ST_I32 && ids->count == ROWS);
	int32_t token[ROWS];
	memcpy(token, ids->data, sizeof(token));
	for (int i = 0; i < ROWS; i++)
		target[i] = i % LENGTH + 1 < LENGTH ? token[i + 1] : -1;
	struct batch b = {SEQUENCES, ROWS, start, token, target};
	struct acts *a = acts_new(&p.m);
	float *grads = xcalloc(p.m.n_params, sizeof(*grads));
	assert_ok(model_forward(&p.m, p.m.params, a, &b));
	check_logits(&p, a, ROWS);
	check_loss(&p, acts_loss(&p.m, a, &b, NULL, NULL));
	model_backward(&p.m, p.m.params, a, &b, grads, NULL);
	check_grads(&p, grads);
	free(grads);
	acts_free(a);
	parity_close(&p);
}

static void
test_llama_gqa(void **state)
{
	(void)state;
	check_model("llama-gqa");
}

static void
test_llama_bias(void **state)
{
	(void)state;
	check_model("llama-bias");
}

static void
test_gpt2(void **state)
{
	(void)state;
	check_model("gpt2");
}

static void
test_gpt2_erf(void **state)
{
	(void)state;
	check_model("gpt2-erf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_llama_gqa),
		cmocka_unit_test(test_llama_bias),
		cmocka_unit_test(test_gpt2),
		cmocka_unit_test(test_gpt2_erf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
