/*
 * The engine against `transformers`: logits, loss and the gradient of every parameter of tiny random models.
 * tests/model/make_parity.py made the files.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/model/arch.h"
#include "byline/generate.h"
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

/* Every tensor of the table from `f`, whose names begin with `prefix`, into a vector of our layout; plus 1: weights, 0:
 * gradients. */
static void
read_all(const struct model *m, const struct st_file *f, const char *prefix, float plus, float *flat)
{
	struct file_tensor *list;
	size_t n;
	assert_ok(arch_file_tensors(m, &list, &n));
	for (size_t i = 0; i < n; i++) {
		const struct file_tensor *t = &list[i];
		if (t->optional)
			continue;
		char *name = xasprintf("%s%s", prefix, t->name);
		size_t all = (size_t)t->file_rows, cols = (size_t)t->cols, from = (size_t)t->from;
		float *v = read_floats(f, name, all * cols), *to = flat + t->tensor->at + (size_t)t->row * cols;
		for (size_t r = 0; r < (size_t)t->rows; r++)
			for (size_t c = 0; c < cols; c++)
				to[r * cols + c] = plus * t->plus
					+ (t->transposed ? v[c * all + from + r] : v[(from + r) * cols + c]);
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
	read_all(&p->m, &p->weights, "", 1, p->m.params);
	p->grads = xcalloc(p->m.n_params, sizeof(*p->grads));
	read_all(&p->m, &p->reference, "grad.", 0, p->grads);
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
	assert_true(worst < 1e-5);
}

/* The same tokens one at a time and in pieces, through the cache of keys and values. */
static void
check_steps(const struct parity *p, const struct batch *b)
{
	size_t vocab = (size_t)p->m.config.vocab;
	float *want = read_floats(&p->reference, "logits", (size_t)b->rows * vocab), *got = xcalloc(vocab, sizeof(*got));
	for (int s = 0; s < b->n_seq; s++) {
		struct kv *kv = kv_new(&p->m);
		for (int from = b->start[s], n; from < b->start[s + 1]; from += n) {
			n = from == b->start[s] ? 7 : 1;
			assert_ok(model_step(&p->m, kv, b->token + from, n, got));
			assert_true(difference(got, want + (size_t)(from + n - 1) * vocab, vocab) < 1e-5);
		}
		kv_free(kv);
	}
	free(want);
	free(got);
}

/* Beginnings of a sequence, copied from the whole, have the gradients that they have by themselves. */
static void
check_prefixes(const struct parity *p, const int32_t *token, const int32_t *target)
{
	enum { SHORT = 6, LONG = 9, ROWS = SHORT + LONG };
	int32_t whole_start[] = {0, LONG + 2}, start[] = {0, SHORT, ROWS}, tokens[ROWS], targets[ROWS];
	struct acts *whole = acts_new(&p->m), *copied = acts_new(&p->m), *own = acts_new(&p->m);
	float *got = xcalloc(p->m.n_params, sizeof(*got)), *want = xcalloc(p->m.n_params, sizeof(*want));
	for (int i = 0; i < ROWS; i++) {
		int at = i < SHORT ? i : i - SHORT;
		tokens[i] = token[at];
		targets[i] = at % 3 == 0 ? -1 : target[at];
	}
	struct batch one = {1, LONG + 2, whole_start, token, target}, b = {2, ROWS, start, tokens, targets};
	assert_ok(model_forward(&p->m, p->m.params, whole, &one));
	assert_ok(model_forward_prefixes(&p->m, whole, copied, &b));
	assert_ok(model_forward(&p->m, p->m.params, own, &b));
	assert_true(fabs(acts_loss(&p->m, copied, &b, NULL, NULL) - acts_loss(&p->m, own, &b, NULL, NULL)) < 1e-3);
	model_backward(&p->m, p->m.params, copied, &b, got, NULL);
	model_backward(&p->m, p->m.params, own, &b, want, NULL);
	assert_true(difference(got, want, p->m.n_params) < 1e-5);
	free(got);
	free(want);
	acts_free(whole);
	acts_free(copied);
	acts_free(own);
}

static int
read_ints(const struct st_file *f, const char *name, int most, int32_t *out)
{
	const struct st_tensor *t = st_find(f, name);
	assert_true(t != NULL && t->dtype == ST_I32 && t->count <= (uint64_t)most);
	memcpy(out, t->data, t->size);
	return (int)t->count;
}

static void
check_model(void **state)
{
	enum { SEQUENCES = 4, ROWS = 64 };
	struct parity p = {0};
	int32_t start[SEQUENCES + 1] = {0}, length[SEQUENCES], token[ROWS], target[ROWS];
	parity_open(&p, *state);
	struct batch b = { .token = token, .target = target, .start = start };
	b.rows = read_ints(&p.reference, "ids", ROWS, token);
	b.n_seq = read_ints(&p.reference, "lengths", SEQUENCES, length);
	for (int s = 0; s < b.n_seq; s++) {
		start[s + 1] = start[s] + length[s];
		for (int i = start[s]; i < start[s + 1]; i++)
			target[i] = i + 1 < start[s + 1] ? token[i + 1] : -1;
	}
	struct acts *a = acts_new(&p.m);
	float *grads = xcalloc(p.m.n_params, sizeof(*grads));
	assert_ok(model_forward(&p.m, p.m.params, a, &b));
	check_logits(&p, a, (size_t)b.rows);
	check_loss(&p, acts_loss(&p.m, a, &b, NULL, NULL));
	model_backward(&p.m, p.m.params, a, &b, grads, NULL);
	check_grads(&p, grads);
	check_steps(&p, &b);
	check_prefixes(&p, token, target);
	free(grads);
	acts_free(a);
	parity_close(&p);
}

#define MODEL(folder) { .name = folder, .test_func = check_model, .initial_state = (void *)(uintptr_t)folder }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MODEL("llama-gqa"), MODEL("llama-bias"), MODEL("llama3"), MODEL("llama-linear"), MODEL("llama-yarn"),
		MODEL("mistral"), MODEL("qwen2"), MODEL("qwen2-window"), MODEL("qwen3"), MODEL("olmo"), MODEL("olmo2"),
		MODEL("gemma"), MODEL("gemma2"), MODEL("phi3"), MODEL("stablelm"), MODEL("stablelm-parallel"),
		MODEL("gpt2"), MODEL("gpt2-erf"), MODEL("gpt-neo"), MODEL("gpt-neox"), MODEL("gpt-neox-sequential"),
		MODEL("phi"), MODEL("starcoder2"), MODEL("gemma3"), MODEL("smollm3"), MODEL("smollm3-window"),
		MODEL("olmo3"), MODEL("granite"), MODEL("gptj"), MODEL("opt"), MODEL("opt-gelu"), MODEL("cohere"),
		MODEL("falcon"), MODEL("falcon-groups"), MODEL("falcon-sequential"), MODEL("phi3-long"), MODEL("cohere2"),
		MODEL("gpt-bigcode"),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
