/*
 * layers: causal attention as matrix products, one sequence and head at a time.
 *
 * Queries go in blocks of rows; a block multiplies only the keys that its last row may see, which saves nearly half of
 * the work of a full square.
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
	real scale;
};

/* The loop both passes share: from and to bound a block of query rows. */
#define FOR_BLOCKS(from, to, n) \
	for (int from = 0, to; to = from + BLOCK < (n) ? from + BLOCK : (n), from < (n); from = to)

static void
head_forward(const struct head *h)
{
	int keys = h->past + h->n;
	FOR_BLOCKS(from, to, h->n) {
		int seen = h->past + to;
		real *p = h->prob + (size_t)from * keys;
		mm_bt(to - from, seen, h->hd, h->scale, h->q + (size_t)from * h->ldq, h->ldq, h->k, h->ldk, 0, p, keys);
		for (int i = from; i < to; i++)
			softmax_row(h->prob + (size_t)i * keys, h->past + i + 1, keys);
		if (h->out != NULL)
			mm(to - from, h->hd, seen, 1, p, keys, h->v, h->ldv, 0, h->out + (size_t)from * h->ldo, h->ldo);
	}
}

void
attention_cached(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v, int ldv,
	int n, int past, int heads, int kv_heads, int head_dim, real scale)
{
	for (int i = 0; i < heads; i++, prob += (size_t)n * (size_t)(past + n)) {
		size_t at = (size_t)i * head_dim, kv_at = (size_t)(i / (heads / kv_heads)) * head_dim;
		struct head h = {.q = q + at, .k = k + kv_at, .v = v + kv_at, .out = out != NULL ? out + at : NULL,
			.prob = prob, .ldq = ldq, .ldk = ldk,
			.ldv = ldv, .ldo = ldo, .hd = head_dim, .n = n, .past = past, .scale = scale};
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
			ldk, v + row * ldv, ldv, L, 0, s->heads, s->kv_heads, s->head_dim, s->scale);
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

static void
head_backward(const struct head *h, const real *prob)
{
	FOR_BLOCKS(from, to, h->n) {
		int rows = to - from;
		const real *p = prob + (size_t)from * h->n, *dout = h->dout + (size_t)from * h->ldo;
		mm_bt(rows, to, h->hd, 1, dout, h->ldo, h->v, h->ldv, 0, h->scratch, to);
		for (int i = 0; i < rows; i++)
			softmax_row_backward(h->scratch + (size_t)i * to, p + (size_t)i * h->n, from + i + 1, to);
		mm(rows, h->hd, to, h->scale, h->scratch, to, h->k, h->ldk, 1, h->dq + (size_t)from * h->ldq, h->ldq);
		mm_at(to, h->hd, rows, h->scale, h->scratch, to, h->q + (size_t)from * h->ldq, h->ldq, 1, h->dk,
			h->ldk);
		mm_at(to, h->hd, rows, 1, p, h->n, dout, h->ldo, 1, h->dv, h->ldv);
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
				.ldk = ldk, .ldv = ldv, .ldo = ldo, .hd = s->head_dim, .n = L, .scale = s->scale};
			head_backward(&h, prob);
		}
	}
}
