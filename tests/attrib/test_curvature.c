/* Curvature: its factors against direct sums, its solve against the whole matrix, its files against what can be in them. */
#include <float.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/curvature.h"
#include "byline/file.h"
#include "byline/half.h"
#include "byline/linalg.h"
#include "byline/pool.h"
#include "small.h"
#include "unit.h"

#include "../../src/attrib/curvature_internal.h"
#include "../../src/attrib/curvature_io.h"

enum { N = 20 };

struct setting {
	struct model m;
	struct dataset d;
	struct curvature_options o;
	struct pool *pool;
	struct curvature c;
};

static void
begin(struct setting *s, enum tiny kind, int k)
{
	*s = (struct setting){ .pool = pool_new(1) };
	assert_ok(tiny_model(&s->m, kind, 3));
	small_data(&s->d, N, 4);
	curvature_defaults(&s->o);
	s->o.k = k;
	s->o.seed = 9;
	assert_ok(curvature_compute(&s->c, &s->m, s->m.params, &s->d, &s->o, s->pool, NULL));
}

static void
end(struct setting *s)
{
	curvature_free(&s->c);
	dataset_free(&s->d);
	model_free(&s->m);
	pool_free(s->pool);
}

/* ---- against direct sums ---- */

/* All that the small set of examples (one piece) gives: covariances over its tokens, and labels. */
struct direct {
	const struct model *m;
	double *a[32], *s[32];
	struct ragged r;
	struct acts *acts;
	int32_t *label;
};

static void
direct_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct direct *d = arg;
	int in = d->m->linears[index].in, out = d->m->linears[index].out;
	d->a[index] = xcalloc((size_t)in * (size_t)in, sizeof(double));
	d->s[index] = xcalloc((size_t)out * (size_t)out, sizeof(double));
	for (int r = 0; r < b->rows; r++) {
		for (int i = 0; i < in * in; i++)
			d->a[index][i] += (double)a[r * in + i / in] * a[r * in + i % in] / b->rows;
		for (int i = 0; i < out * out; i++)
			d->s[index][i] += (double)g[r * out + i / out] * g[r * out + i % out] / b->rows;
	}
}

static void
direct_begin(struct direct *d, const struct setting *s)
{
	uint32_t example[N];
	size_t n = 0;
	struct rng rng;
	struct tap tap = { .arg = d, .linear = direct_linear };
	*d = (struct direct){ .m = &s->m, .acts = acts_new(&s->m) };
	for (uint32_t i = 0; i < N; i++)
		if (!s->d.heldout[i])
			example[n++] = i;
	rng_init(&rng, s->o.seed, STREAM_SAMPLE);
	rng_shuffle(&rng, example, n);
	ragged_fill(&d->r, &s->d, example, n);
	struct batch b = d->r.batch;
	d->label = xcalloc((size_t)b.rows, sizeof(*d->label));
	assert_ok(model_forward(&s->m, s->m.params, d->acts, &b));
	acts_sample_targets(&s->m, d->acts, &b, s->o.seed, STREAM_LABELS, d->label);
	b.target = d->label;
	acts_loss(&s->m, d->acts, &b, NULL, NULL);
	model_backward(&s->m, s->m.params, d->acts, &b, NULL, &tap);
}

static void
direct_end(struct direct *d)
{
	for (int i = 0; i < 32; i++) {
		free(d->a[i]);
		free(d->s[i]);
	}
	ragged_free(&d->r);
	acts_free(d->acts);
	free(d->label);
}

/* The factor is the covariance but for the basis's half precision, which turns it by some 1e-3. */
static void
check_factor(const struct curvature_side *side, const double *want)
{
	int n = side->n;
	double most = 0;
	float *got = xcalloc((size_t)n * (size_t)n, sizeof(*got));
	linalg_from_eig(got, side->q, side->w, n);
	for (int i = 0; i < n * n; i++)
		most = fabs(want[i]) > most ? fabs(want[i]) : most;
	for (int i = 0; i < n * n; i++)
		assert_true(fabs(got[i] - want[i]) < 3e-3 * most);
	free(got);
}

static void
test_factors(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct setting s;
		struct direct d;
		begin(&s, kind, 8);
		direct_begin(&d, &s);
		for (int i = 0; i < s.c.n_layers; i++) {
			const struct curvature_layer *l = &s.c.layers[i];
			check_factor(&l->a, d.a[l->linear]);
			if (l->s.q)
				check_factor(&l->s, d.s[l->linear]);
			assert_int_equal(l->s.q == NULL, s.m.linears[l->linear].role == ROLE_HEAD);
		}
		direct_end(&d);
		end(&s);
	}
}

/* The gradient of one example of the set, with its sampled labels, by the ordinary backward pass. */
static void
example_gradient(const struct setting *s, const struct direct *d, int seq, float *grads)
{
	const struct batch *all = &d->r.batch;
	int32_t start[2] = { 0, all->start[seq + 1] - all->start[seq] };
	struct batch b = { .n_seq = 1, .rows = start[1], .start = start, .token = all->token + all->start[seq],
		.target = d->label + all->start[seq] };
	memset(grads, 0, s->m.n_params * sizeof(*grads));
	assert_ok(model_forward(&s->m, s->m.params, d->acts, &b));
	acts_loss(&s->m, d->acts, &b, NULL, NULL);
	model_backward(&s->m, s->m.params, d->acts, &b, grads, NULL);
}

static void
add_squares(double *sum, const struct model *m, const struct curvature_layer *l, const float *grads)
{
	size_t n = (size_t)l->in * (size_t)l->out;
	double *g = xcalloc(n, sizeof(*g)), *half = xcalloc(n, sizeof(*half));
	double *qa = small_doubles(l->a.q, (size_t)l->in * (size_t)l->in);
	double *qs = l->s.q ? small_doubles(l->s.q, (size_t)l->out * (size_t)l->out) : NULL;
	small_layer_gradient(g, m, grads, l->linear);
	small_product(half, qs, 1, g, 0, l->out, l->out, l->in);
	small_product(g, half, 0, qa, 0, l->out, l->in, l->in);
	for (size_t i = 0; i < n; i++)
		sum[i] += g[i] * g[i];
	free(g);
	free(half);
	free(qa);
	free(qs);
}

static void
check_spectrum(const struct setting *s, const struct direct *d, const struct curvature_layer *l, float *grads)
{
	size_t n = (size_t)l->in * (size_t)l->out;
	double *want = xcalloc(n, sizeof(*want)), mean = 0;
	for (int q = 0; q < d->r.batch.n_seq; q++) {
		example_gradient(s, d, q, grads);
		add_squares(want, &s->m, l, grads);
	}
	for (size_t i = 0; i < n; i++) {
		want[i] /= d->r.batch.n_seq;
		mean += want[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++)
		assert_true(fabs(l->lambda[i] - want[i]) < 1e-4 * (want[i] + mean));
	assert_true(fabs(l->damping - 0.1 * mean) < 1e-5 * mean);
	free(want);
}

/* Untied models: there the gradient of the head is not mixed with the embedding's. */
static void
test_spectrum(void **state)
{
	const enum tiny kinds[] = { TINY_LLAMA_BIASED, TINY_GPT2_ERF };
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct setting s;
		struct direct d;
		begin(&s, kinds[k], 8);
		direct_begin(&d, &s);
		float *grads = xcalloc(s.m.n_params, sizeof(*grads));
		for (int i = 0; i < s.c.n_layers; i++)
			check_spectrum(&s, &d, &s.c.layers[i], grads);
		free(grads);
		direct_end(&d);
		end(&s);
	}
}

/* Mean of p (1 - p) over the tokens of the sample; the caller's. */
static double *
head_diagonal(const struct setting *s, const struct direct *d)
{
	int vocab = s->m.config.vocab, rows = d->r.batch.rows;
	double *mean = xcalloc((size_t)vocab, sizeof(*mean));
	assert_ok(model_forward(&s->m, s->m.params, d->acts, &d->r.batch));
	for (int r = 0; r < rows; r++) {
		const float *logit = acts_logits(d->acts) + (size_t)r * (size_t)vocab;
		double sum = 0;
		for (int v = 0; v < vocab; v++)
			sum += exp(logit[v]);
		for (int v = 0; v < vocab; v++)
			mean[v] += exp(logit[v]) / sum * (1 - exp(logit[v]) / sum) / rows;
	}
	return mean;
}

enum { PRIOR = 5 };

/* One layer with the prior beside the same without it; head: the diagonal of its outputs. */
static void
check_prior(const struct curvature_layer *l, const struct curvature_layer *was, const double *head, double n,
	double tokens)
{
	double most = 0, sum = 0;
	for (int j = 0; j < l->out * l->in; j++) {
		most = fmax(most, (double)l->lambda[j]);
		sum += (double)l->lambda[j];
	}
	for (int j = 0; j < l->out * l->in; j++) {
		double ws = l->s.w ? fmax(0, (double)l->s.w[j / l->in]) : head[j / l->in];
		double wa = fmax(0, (double)l->a.w[j % l->in]);
		double want = (n * (double)was->lambda[j] + PRIOR * tokens * ws * wa) / (n + PRIOR);
		assert_true(fabs((double)l->lambda[j] - want) < 1e-4 * most);
	}
	assert_true(fabs((double)l->damping - 0.1 * sum / (l->out * l->in)) < 1e-4 * (double)l->damping);
}

/* So many examples whose L is T w_S w_A^T, beside those that were seen; also where logits are scaled, whose gradient is
 * then not p - onehot. */
static void
test_prior(void **state)
{
	static const double divisors[] = {0, 4};
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(divisors); k++) {
		struct setting s;
		struct direct d;
		struct curvature c;
		begin(&s, TINY_LLAMA, 4);
		s.m.config.logit_divisor = divisors[k];
		curvature_free(&s.c);
		assert_ok(curvature_compute(&s.c, &s.m, s.m.params, &s.d, &s.o, s.pool, NULL));
		direct_begin(&d, &s);
		s.o.prior = PRIOR;
		assert_ok(curvature_compute(&c, &s.m, s.m.params, &s.d, &s.o, s.pool, NULL));
		double n = d.r.batch.n_seq, tokens = d.r.batch.rows / n, *head = head_diagonal(&s, &d);
		for (int v = 0; v < s.m.config.vocab && divisors[k] > 0; v++)
			head[v] /= divisors[k] * divisors[k];
		for (int i = 0; i < c.n_layers; i++)
			check_prior(&c.layers[i], &s.c.layers[i], head, n, tokens);
		free(head);
		curvature_free(&c);
		direct_end(&d);
		end(&s);
	}
}

/* ---- against the whole matrix ---- */

/* (Q_S x Q_A) diag(lambda + damping) (Q_S x Q_A)^T over the entries of a matrix (out, in), row-major. */
static double *
whole_matrix(const struct curvature_layer *l)
{
	int n = l->in * l->out;
	double *h = xcalloc((size_t)n * (size_t)n, sizeof(*h)), *column = xcalloc((size_t)n, sizeof(*column));
	for (int e = 0; e < n; e++) {
		int j = e / l->in, k = e % l->in;
		for (int i = 0; i < n; i++) {
			double s = l->s.q ? l->s.q[i / l->in * l->out + j] : i / l->in == j;
			column[i] = s * l->a.q[i % l->in * l->in + k];
		}
		for (int i = 0; i < n; i++)
			for (int o = 0; o < n && column[i] != 0; o++)
				h[(size_t)i * (size_t)n + (size_t)o] += column[i] * column[o] * ((double)l->lambda[e] + l->damping);
	}
	free(column);
	return h;
}

static void
check_solve(const struct curvature_layer *l)
{
	int n = l->in * l->out;
	struct rng rng;
	float *v = xcalloc((size_t)n, sizeof(*v)), *scratch = xcalloc(2 * (size_t)n, sizeof(*scratch));
	double *h = whole_matrix(l), *want = xcalloc((size_t)n, sizeof(*want)), most = 0;
	rng_init(&rng, 1, (uint64_t)l->linear);
	for (int i = 0; i < n; i++)
		want[i] = v[i] = (float)rng_normal(&rng);
	assert_ok(linalg_solve_spd(h, want, n));
	curvature_solve(l, v, scratch);
	for (int i = 0; i < n; i++)
		most = fabs(want[i]) > most ? fabs(want[i]) : most;
	for (int i = 0; i < n; i++)
		assert_true(fabs(v[i] - want[i]) < 1e-4 * most);
	free(v);
	free(scratch);
	free(h);
	free(want);
}

static void
test_solve(void **state)
{
	struct setting s;
	(void)state;
	begin(&s, TINY_LLAMA, 8);
	for (int i = 0; i < s.c.n_layers; i++)
		check_solve(&s.c.layers[i]);
	end(&s);
}

/* ---- projections ---- */

/* The unembedding's outputs: each coordinate by the root of its own damped moment. */
static void
check_diagonal(const struct curvature_side *side)
{
	double mean = 0;
	for (int i = 0; i < side->n; i++)
		mean += side->diagonal[i] / side->n;
	assert_true(mean > 0 && !side->p);
	for (int i = 0; i < side->n; i++)
		assert_true(fabs(side->weight[i] * side->weight[i] * (side->diagonal[i] + 0.1 * mean) - 1) < 1e-5);
}

/* P C P^T with C the damped factor is the identity: the rows are orthonormal in the metric that whitens. */
static void
check_whitened(const struct curvature_side *side)
{
	double trace = 0;
	for (int i = 0; i < side->n; i++)
		trace += side->w[i];
	for (int i = 0; i < side->k; i++)
		for (int j = 0; j <= i; j++) {
			double sum = 0;
			for (int e = 0; e < side->n; e++) {
				double x = 0, y = 0;
				for (int d = 0; d < side->n; d++) {
					x += (double)side->p[i * side->n + d] * side->q[d * side->n + e];
					y += (double)side->p[j * side->n + d] * side->q[d * side->n + e];
				}
				sum += x * y * (side->w[e] + 0.1 * trace / side->n);
			}
			assert_true(fabs(sum - (i == j)) < 1e-4);
		}
}

static void
test_projections(void **state)
{
	struct setting s;
	(void)state;
	begin(&s, TINY_LLAMA, 8);
	for (int i = 0; i < s.c.n_layers; i++) {
		const struct curvature_layer *l = &s.c.layers[i];
		assert_int_equal(l->a.k, l->s.q ? 8 : 16 < l->in ? 16 : l->in);
		check_whitened(&l->a);
		if (l->s.q)
			check_whitened(&l->s);
		else
			check_diagonal(&l->s);
	}
	end(&s);
}

/* A smaller k is a prefix, and more than a side has is all it has. */
static void
test_prefix(void **state)
{
	struct setting small, large;
	(void)state;
	begin(&small, TINY_LLAMA, 5);
	begin(&large, TINY_LLAMA, 64);
	for (int i = 0; i < small.c.n_layers; i++) {
		const struct curvature_side *s = &small.c.layers[i].a, *b = &large.c.layers[i].a;
		assert_int_equal(b->k, b->n < 64 ? b->n : 64);
		for (int j = 0; j < s->k * s->n; j++)
			assert_true(fabsf(s->p[j] - b->p[j]) <= 1e-5f * (1 + fabsf(b->p[j])));
	}
	end(&small);
	end(&large);
}

/* ---- determinism, sampling, stopping ---- */

static void
assert_same(const struct curvature *x, const struct curvature *y)
{
	assert_int_equal(x->n_layers, y->n_layers);
	for (int i = 0; i < x->n_layers; i++) {
		const struct curvature_layer *a = &x->layers[i], *b = &y->layers[i];
		assert_memory_equal(a->lambda, b->lambda, (size_t)a->in * (size_t)a->out * sizeof(float));
		assert_memory_equal(a->a.p, b->a.p, (size_t)a->in * (size_t)a->a.k * sizeof(float));
		if (a->s.p)
			assert_memory_equal(a->s.p, b->s.p, (size_t)a->out * (size_t)a->s.k * sizeof(float));
		else
			assert_memory_equal(a->s.weight, b->s.weight, (size_t)a->out * sizeof(float));
		assert_memory_equal(a->a.q, b->a.q, (size_t)a->in * (size_t)a->in * sizeof(float));
	}
}

static void
test_threads(void **state)
{
	struct model m;
	struct dataset d;
	struct curvature_options o;
	struct curvature c[3];
	(void)state;
	assert_ok(tiny_model(&m, TINY_GPT2, 3));
	small_data(&d, 300, 4);		/* several pieces */
	curvature_defaults(&o);
	o.k = 8;
	for (int i = 0; i < 3; i++) {
		struct pool *pool = pool_new(1 + 2 * i);
		assert_ok(curvature_compute(&c[i], &m, m.params, &d, &o, pool, NULL));
		pool_free(pool);
	}
	assert_same(&c[0], &c[1]);
	assert_same(&c[0], &c[2]);
	for (int i = 0; i < 3; i++)
		curvature_free(&c[i]);
	dataset_free(&d);
	model_free(&m);
}

static void
test_sample(void **state)
{
	struct setting s;
	struct curvature c;
	struct job job;
	(void)state;
	begin(&s, TINY_GPT2, 4);
	s.o.max_tokens = 30;
	assert_ok(curvature_compute(&c, &s.m, s.m.params, &s.d, &s.o, s.pool, NULL));
	assert_memory_not_equal(c.layers[0].lambda, s.c.layers[0].lambda, sizeof(float));
	curvature_free(&c);
	job_init(&job);
	job_cancel(&job);
	assert_err(curvature_compute(&c, &s.m, s.m.params, &s.d, &s.o, s.pool, &job), ERR_CANCELLED);
	job_done(&job);
	memset(s.d.heldout, 1, s.d.n);
	assert_err(curvature_compute(&c, &s.m, s.m.params, &s.d, &s.o, s.pool, NULL), ERR_MISSING);
	curvature_free(&c);
	end(&s);
}

/* Which layers: each block's down projection, and the head, whose outputs have a diagonal in place of a basis. */
static void
test_layers(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct setting s;
		begin(&s, kind, 4);
		assert_int_equal(s.c.n_layers, s.m.config.n_layer + 1);
		for (int i = 0; i < s.c.n_layers; i++) {
			enum tensor_role role = s.m.linears[s.c.layers[i].linear].role;
			assert_int_equal(role, i < s.m.config.n_layer ? ROLE_DOWN : ROLE_HEAD);
			assert_int_equal(s.c.layers[i].s.diagonal != NULL, role == ROLE_HEAD);
			assert_int_equal(s.c.layers[i].s.q == NULL, role == ROLE_HEAD);
		}
		end(&s);
	}
}

/* ---- files ---- */

static char folder[64];

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "test_curvature.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
drop_folder(void **state)
{
	(void)state;
	return file_remove_tree(folder) == OK ? 0 : -1;
}

static void
save(const struct setting *s, const char *path, enum st_dtype dtype)
{
	const char *prefix[] = { "one", "two" };
	struct curvature both[2] = { s->c, s->c };
	const struct curvature_meta meta = { "checkpoint.one", "abc" };
	assert_ok(curvature_save(path, &s->m, both, 2, prefix, &s->o, dtype, &meta, 1));
}

static double
cosine(const float *x, const float *y, size_t n)
{
	double xy = 0, xx = 0, yy = 0;
	for (size_t i = 0; i < n; i++) {
		xy += (double)x[i] * y[i];
		xx += (double)x[i] * x[i];
		yy += (double)y[i] * y[i];
	}
	return xy / sqrt(xx * yy);
}

static double
solve_agreement(const struct curvature_layer *x, const struct curvature_layer *y)
{
	size_t n = (size_t)x->in * (size_t)x->out;
	struct rng rng;
	float *v = xcalloc(4 * n, sizeof(*v)), *w = v + n;
	rng_init(&rng, 1, 1);
	for (size_t i = 0; i < n; i++)
		v[i] = w[i] = (float)rng_normal(&rng);
	curvature_solve(x, v, v + 2 * n);
	curvature_solve(y, w, v + 2 * n);
	double c = cosine(v, w, n);
	free(v);
	return c;
}

static void
check_loaded(const struct setting *s, const char *path, const char *prefix, double lambda_error, double agreement)
{
	struct st_file f;
	struct curvature c;
	assert_ok(st_open(&f, path));
	assert_ok(curvature_load(&f, prefix, &s->m, s->pool, &c));
	for (int i = 0; i < c.n_layers; i++) {
		const struct curvature_layer *x = &c.layers[i], *y = &s->c.layers[i];
		float most = 0;
		for (int j = 0; j < y->in * y->out; j++) {
			double off = fabs(x->lambda[j] - (double)y->lambda[j]);
			assert_true(off <= lambda_error * y->lambda[j] + (lambda_error > 0 ? y->damping / 32 : 0));
		}
		for (int j = 0; j < y->a.k * y->a.n; j++)
			most = fabsf(y->a.p[j]) > most ? fabsf(y->a.p[j]) : most;
		for (int j = 0; j < y->a.k * y->a.n; j++)
			assert_true(fabsf(x->a.p[j] - y->a.p[j]) < 1e-4f * most);
		assert_true(solve_agreement(x, y) > agreement);
	}
	curvature_drop_solve(&c);
	assert_null(c.layers[0].a.q);
	assert_non_null(c.layers[0].a.p);
	curvature_free(&c);
	assert_err(curvature_load(&f, "three", &s->m, NULL, &c), ERR_MISSING);
	curvature_free(&c);
	st_close(&f);
}

static void
test_files(void **state)
{
	struct setting s;
	(void)state;
	char *exact = path_join(folder, "f32"), *compact = path_join(folder, "u8");
	begin(&s, TINY_LLAMA, 8);
	save(&s, exact, ST_F32);
	check_loaded(&s, exact, "one", 0, 0.99999);
	save(&s, compact, ST_U8);
	check_loaded(&s, compact, "two", 0.05, 0.999);
	assert_err(curvature_save(exact, &s.m, &s.c, 1, (const char *[]){ "x" }, &s.o, ST_F16, NULL, 0), ERR_USAGE);
	end(&s);
	free(exact);
	free(compact);
}

/* The same tensors and metadata, wherever in the file they lie. */
static void
assert_same_file(const char *x, const char *y)
{
	struct st_file a, b;
	assert_ok(st_open(&a, x));
	assert_ok(st_open(&b, y));
	assert_true(json_equal(a.metadata, b.metadata));
	assert_int_equal(a.n_tensors, b.n_tensors);
	for (size_t i = 0; i < a.n_tensors; i++) {
		const struct st_tensor *t = &a.tensors[i], *u = st_find(&b, t->name);
		assert_non_null(u);
		assert_int_equal(t->size, u->size);
		assert_memory_equal(t->data, u->data, t->size);
	}
	st_close(&a);
	st_close(&b);
}

static void
test_join(void **state)
{
	struct setting s;
	const char *name[] = { "one", "two" };
	const struct curvature_meta meta = { "checkpoint.one", "abc" };
	char *part[2] = { path_join(folder, "part1"), path_join(folder, "part2") };
	char *joined = path_join(folder, "joined"), *whole = path_join(folder, "whole");
	(void)state;
	begin(&s, TINY_LLAMA, 8);
	for (int i = 0; i < 2; i++)
		assert_ok(curvature_save(part[i], &s.m, &s.c, 1, &name[i], &s.o, ST_U8, &meta, 1));
	assert_ok(curvature_join(joined, 2, (const char *const *)part, NULL, 0));
	save(&s, whole, ST_U8);
	assert_same_file(joined, whole);
	check_loaded(&s, joined, "two", 0.05, 0.999);
	end(&s);
	for (int i = 0; i < 2; i++)
		free(part[i]);
	free(joined);
	free(whole);
}

/* ---- hostile files ---- */

/* A copy of `from` in which tensor `name` is left out (value NAN: halved in length), or has `value` at its start. */
struct harm { const char *name, *meta, *meta_value; bool drop, shrink; float value; };

static void
harmed_copy(const char *from, const char *to, const struct harm *h)
{
	struct st_file f;
	struct st_writer w = {0};
	const char *key;
	json_t *value;
	assert_ok(st_open(&f, from));
	assert_ok(st_writer_open(&w, to));
	json_object_foreach(f.metadata, key, value)
		if (!h->meta || strcmp(key, h->meta) != 0)
			st_writer_meta(&w, key, json_string_value(value));
	if (h->meta_value)
		st_writer_meta(&w, h->meta, h->meta_value);
	for (size_t i = 0; i < f.n_tensors; i++) {
		struct st_tensor t = f.tensors[i];
		bool hit = h->name && strcmp(t.name, h->name) == 0;
		t.shape[0] /= hit && h->shrink ? 2 : 1;
		if (!(hit && h->drop))
			st_writer_declare(&w, t.name, t.dtype, t.n_dims, t.shape);
	}
	assert_ok(st_writer_begin(&w));
	for (size_t i = 0; i < f.n_tensors; i++) {
		const struct st_tensor *t = &f.tensors[i];
		bool hit = h->name && strcmp(t->name, h->name) == 0;
		uint64_t size = t->size;
		if (hit && h->drop)
			continue;
		if (hit && h->shrink)
			size = t->size / t->shape[0] * (t->shape[0] / 2);
		if (hit && !h->shrink) {
			uint16_t half = half_to_f16(h->value);
			uint64_t width = st_dtype_size(t->dtype);
			assert_ok(st_writer_bytes(&w, t->dtype == ST_F16 ? (const void *)&half : &h->value, width));
			assert_ok(st_writer_bytes(&w, t->data + width, t->size - width));
		} else {
			assert_ok(st_writer_bytes(&w, t->data, size));
		}
	}
	assert_ok(st_writer_commit(&w));
	st_close(&f);
}

static void
check_refused(const struct setting *s, const char *good, const struct harm *h)
{
	char *bad = path_join(folder, "bad");
	struct st_file f;
	struct curvature c;
	harmed_copy(good, bad, h);
	assert_ok(st_open(&f, bad));
	enum err err = curvature_load(&f, "one", &s->m, s->pool, &c);
	if (err != ERR_FORMAT && err != ERR_MISMATCH && err != ERR_MISSING)
		fail_msg("%s %s: taken, with code %d", h->name ? h->name : "metadata", h->meta ? h->meta : "", (int)err);
	assert_non_null(strstr(err_message(), bad));
	curvature_free(&c);
	st_close(&f);
	free(bad);
}

static void
test_hostile(void **state)
{
	const struct harm harm[] = {
		{ .name = "one.layers.0.mlp.down.qa", .drop = true },
		{ .name = "one.layers.0.mlp.down.qa", .shrink = true },
		{ .name = "one.layers.0.mlp.down.qa", .value = INFINITY },
		{ .name = "one.layers.1.mlp.down.ws", .value = -1 },
		{ .name = "one.layers.1.mlp.down.ws", .value = NAN },
		{ .name = "one.layers.1.mlp.down.lambda", .drop = true },
		{ .name = "one.layers.1.mlp.down.lambda", .shrink = true },
		{ .name = "one.layers.1.mlp.down.lambda", .value = -1e-3f },
		{ .name = "one.layers.1.mlp.down.lambda", .value = NAN },
		{ .name = "one.layers.1.mlp.down.scale", .value = 0 },
		{ .name = "one.layers.1.mlp.down.scale", .value = -1 },
		{ .meta = "k" }, { .meta = "k", .meta_value = "0" }, { .meta = "k", .meta_value = "99999999999999999999" },
		{ .meta = "k", .meta_value = "-3" }, { .meta = "k", .meta_value = " 8" }, { .meta = "seed", .meta_value = "x" },
		{ .meta = "format", .meta_value = "byline curvature 9" }, { .meta = "whiten_damping", .meta_value = "nan" },
		{ .meta = "whiten_damping", .meta_value = "0" },
	};
	struct setting s;
	(void)state;
	char *good = path_join(folder, "good");
	begin(&s, TINY_LLAMA, 8);
	save(&s, good, ST_F32);
	for (size_t i = 0; i < ARRAY_LEN(harm); i++)
		check_refused(&s, good, &harm[i]);
	end(&s);
	free(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_prior),
		cmocka_unit_test(test_solve),
		cmocka_unit_test(test_projections),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
