/*
 * layers: causal attention as matrix products, one sequence and head at a time.
 *
 * Queries go in blocks of rows; a block multiplies only the keys that one of its rows may see, which saves nearly half
 * of the work of a full square, and most of it where a window is short.
 */
#include "byline/layers.h"

#include <string.h>

#include "byline/mm.h"
#include "exp.h"
#include "wide.h"

#define BLOCK 128

size_t
att_size(const struct att_shape *s)
{
	size_t n = 0;
	for (int i = 0; i < s->n_seq; i++) {
		size_t L = (size_t)(s->start[i + 1] - s->start[i]);
		n += L * L * (size_t)s->heads;
	}
	return n;
}

/* Softmax of the first n of `width` scores; the rest becomes 0. */
static WIDE void
softmax_row(real *p, int n, int width)
{
	real top = real_max(p, n), sum = 0;
	#pragma omp simd reduction(+:sum)
	for (int i = 0; i < n; i++) {
		p[i] = real_exp(p[i] - top);
		sum += p[i];
	}
	real scale = 1 / sum;
	#pragma omp simd
	for (int i = 0; i < n; i++)
		p[i] *= scale;
	memset(p + n, 0, (size_t)(width - n) * sizeof(*p));
}

struct head {
	const real *q, *k, *v, *dout;
	real *out, *prob, *dq, *dk, *dv, *scratch;
	int ldq, ldk, ldv, ldo, hd;
	int n, past;		/* queries; keys before the first of them */
	int window;
	real scale, cap;
};

/* The first key that the query at `position` sees. */
static int
first_key(const struct head *h, int position)
{
	return h->window > 0 && position >= h->window ? position - h->window + 1 : 0;
}

/* Scores of query rows [from, to) with keys [lo, seen), into p, whose rows are ld apart. */
static void
scores(const struct head *h, int from, int to, int lo, int seen, real *p, int ld)
{
	mm_bt(to - from, seen - lo, h->hd, h->scale, h->q + (size_t)from * h->ldq, h->ldq, h->k + (size_t)lo * h->ldk,
		h->ldk, 0, p, ld);
	for (int i = 0; h->cap > 0 && i < to - from; i++)
		cap_forward(p + (size_t)i * ld, (size_t)(seen - lo), h->cap);
}

/* The loop both passes share: from and to bound a block of query rows. */
#define FOR_BLOCKS(from, to, n) \
	for (int from = 0, to; to = from + BLOCK < (n) ? from + BLOCK : (n), from < (n); from = to)

static void
head_forward(const struct head *h)
{
	int keys = h->past + h->n;
	FOR_BLOCKS(from, to, h->n) {
		int seen = h->past + to, lo = first_key(h, h->past + from);
		real *p = h->prob + (size_t)from * keys;
		scores(h, from, to, lo, seen, p + lo, keys);
		for (int i = from; i < to; i++) {
			real *row = h->prob + (size_t)i * keys;
			int first = first_key(h, h->past + i);
			memset(row, 0, (size_t)first * sizeof(*row));
			softmax_row(row + first, h->past + i + 1 - first, keys - first);
		}
		if (h->out != NULL)
			mm(to - from, h->hd, seen - lo, 1, p + lo, keys, h->v + (size_t)lo * h->ldv, h->ldv, 0,
				h->out + (size_t)from * h->ldo, h->ldo);
	}
}

void
attention_cached(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v, int ldv,
	int n, int past, const struct att_shape *s)
{
	for (int i = 0; i < s->heads; i++, prob += (size_t)n * (size_t)(past + n)) {
		size_t at = (size_t)i * s->head_dim, kv_at = (size_t)(i / (s->heads / s->kv_heads)) * s->head_dim;
		struct head h = {.q = q + at, .k = k + kv_at, .v = v + kv_at, .out = out != NULL ? out + at : NULL,
			.prob = prob, .ldq = ldq, .ldk = ldk,
			.ldv = ldv, .ldo = ldo, .hd = s->head_dim, .n = n, .past = past, .window = s->window,
			.scale = s->scale, .cap = s->cap};
		head_forward(&h);
	}
}

void
attention_forward(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v,
	int ldv, const struct att_shape *s)
{
	for (int i = 0; i < s->n_seq; i++) {
		size_t row = (size_t)s->start[i];
		int L = s->start[i + 1] - s->start[i];
		attention_cached(out != NULL ? out + row * ldo : NULL, ldo, prob, q + row * ldq, ldq, k + row * ldk,
			ldk, v + row * ldv, ldv, L, 0, s);
		prob += (size_t)s->heads * L * L;
	}
}

/* ds = p * (dp - sum(p * dp)), in place of dp. */
static WIDE void
softmax_row_backward(real *dp, const real *p, int n, int width)
{
	real sum = 0;
	#pragma omp simd reduction(+:sum)
	for (int i = 0; i < n; i++)
		sum += dp[i] * p[i];
	#pragma omp simd
	for (int i = 0; i < n; i++)
		dp[i] = p[i] * (dp[i] - sum);
	memset(dp + n, 0, (size_t)(width - n) * sizeof(*dp));
}

/* The gradient of capped scores back to plain ones; the capped ones are computed again. */
static void
uncap(const struct head *h, int from, int to, int lo, real *ds)
{
	real *capped = h->scratch + (size_t)h->n * h->n;
	scores(h, from, to, lo, to, capped, to - lo);
	cap_backward(ds, capped, (size_t)(to - from) * (size_t)(to - lo), h->cap);
}

static void
head_backward(const struct head *h, const real *prob)
{
	FOR_BLOCKS(from, to, h->n) {
		int rows = to - from, lo = first_key(h, from), keys = to - lo;
		const real *p = prob + (size_t)from * h->n + lo, *dout = h->dout + (size_t)from * h->ldo;
		const real *k = h->k + (size_t)lo * h->ldk, *v = h->v + (size_t)lo * h->ldv;
		mm_bt(rows, keys, h->hd, 1, dout, h->ldo, v, h->ldv, 0, h->scratch, keys);
		/* Where a query does not look, its weights are 0, and so is what comes of them here. */
		for (int i = 0; i < rows; i++)
			softmax_row_backward(h->scratch + (size_t)i * keys, p + (size_t)i * h->n, from + i + 1 - lo,
				keys);
		if (h->cap > 0)
			uncap(h, from, to, lo, h->scratch);
		mm(rows, h->hd, keys, h->scale, h->scratch, keys, k, h->ldk, 1, h->dq + (size_t)from * h->ldq, h->ldq);
		mm_at(keys, h->hd, rows, h->scale, h->scratch, keys, h->q + (size_t)from * h->ldq, h->ldq, 1,
			h->dk + (size_t)lo * h->ldk, h->ldk);
		mm_at(keys, h->hd, rows, 1, p, h->n, dout, h->ldo, 1, h->dv + (size_t)lo * h->ldv, h->ldv);
	}
}

void
attention_backward(real *dq, real *dk, real *dv, const real *dout, int ldo, const real *prob, const real *q, int ldq,
	const real *k, int ldk, const real *v, int ldv, const struct att_shape *s, real *scratch)
{
	size_t hd = (size_t)s->head_dim, group = (size_t)(s->heads / s->kv_heads);
	for (int i = 0; i < s->n_seq; i++) {
		size_t row = (size_t)s->start[i];
		int L = s->start[i + 1] - s->start[i];
		for (size_t j = 0; j < (size_t)s->heads; j++, prob += (size_t)L * L) {
			size_t q_at = row * ldq + j * hd, k_at = row * ldk + j / group * hd,
				v_at = row * ldv + j / group * hd;
			struct head h = {.q = q + q_at, .k = k + k_at, .v = v + v_at, .dout = dout + row * ldo + j * hd,
				.dq = dq + q_at, .dk = dk + k_at, .dv = dv + v_at, .scratch = scratch, .ldq = ldq,
				.ldk = ldk, .ldv = ldv, .ldo = ldo, .hd = s->head_dim, .n = L, .window = s->window,
				.scale = s->scale, .cap = s->cap};
			head_backward(&h, prob);
		}
	}
}
