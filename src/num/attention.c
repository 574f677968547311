/*
 * layers: causal attention as matrix products, one sequence and head at a time.
 *
 * Queries go in blocks of rows; a block multiplies only the keys that its last row may see, which saves nearly half of the
 * work of a full square.
 */
#include "byline/layers.h"

#include <string.h>

#include "byline/mm.h"
#include "exp.h"

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
static void
softmax_row(real *p, int n, int width)
{
	real top = p[0], sum = 0;
	#pragma omp simd reduction(max:top)
	for (int i = 0; i < n; i++)
		top = p[i] > top ? p[i] : top;
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

/* The loop both passes share: `from` and `to` bound a block of query rows of a sequence of L tokens. */
#define FOR_BLOCKS(from, to, L) \
	for (int from = 0, to; to = from + BLOCK < (L) ? from + BLOCK : (L), from < (L); from = to)

static void
head_forward(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v, int ldv, int L,
	int hd, real scale)
{
	FOR_BLOCKS(from, to, L) {
		real *p = prob + (size_t)from * L;
		mm_bt(to - from, to, hd, scale, q + (size_t)from * ldq, ldq, k, ldk, 0, p, L);
		for (int i = from; i < to; i++)
			softmax_row(prob + (size_t)i * L, i + 1, L);
		mm(to - from, hd, to, 1, p, L, v, ldv, 0, out + (size_t)from * ldo, ldo);
	}
}

void
attention_forward(real *out, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v, int ldv,
	const struct att_shape *s)
{
	int hd = s->head_dim, ldo = s->heads * hd, group = s->heads / s->kv_heads;
	for (int i = 0; i < s->n_seq; i++) {
		size_t row = (size_t)s->start[i];
		int L = s->start[i + 1] - s->start[i];
		for (int h = 0; h < s->heads; h++, prob += (size_t)L * L) {
			size_t at = (size_t)h * hd, kv_at = (size_t)(h / group) * hd;
			head_forward(out + row * ldo + at, ldo, prob, q + row * ldq + at, ldq, k + row * ldk + kv_at, ldk,
				v + row * ldv + kv_at, ldv, L, hd, s->scale);
		}
	}
}

/* ds = p * (dp - sum(p * dp)), in place of dp. */
static void
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

struct head {
	const real *q, *k, *v, *prob, *dout;
	real *dq, *dk, *dv, *scratch;
	int ldq, ldk, ldv, ldo, L, hd;
	real scale;
};

static void
head_backward(const struct head *h)
{
	FOR_BLOCKS(from, to, h->L) {
		int rows = to - from;
		const real *p = h->prob + (size_t)from * h->L, *dout = h->dout + (size_t)from * h->ldo;
		mm_bt(rows, to, h->hd, 1, dout, h->ldo, h->v, h->ldv, 0, h->scratch, to);
		for (int i = 0; i < rows; i++)
			softmax_row_backward(h->scratch + (size_t)i * to, p + (size_t)i * h->L, from + i + 1, to);
		mm(rows, h->hd, to, h->scale, h->scratch, to, h->k, h->ldk, 1, h->dq + (size_t)from * h->ldq, h->ldq);
		mm_at(to, h->hd, rows, h->scale, h->scratch, to, h->q + (size_t)from * h->ldq, h->ldq, 1, h->dk, h->ldk);
		mm_at(to, h->hd, rows, 1, p, h->L, dout, h->ldo, 1, h->dv, h->ldv);
	}
}

void
attention_backward(real *dq, real *dk, real *dv, const real *dout, const real *prob, const real *q, int ldq,
	const real *k, int ldk, const real *v, int ldv, const struct att_shape *s, real *scratch)
{
	int hd = s->head_dim, ldo = s->heads * hd, group = s->heads / s->kv_heads;
	for (int i = 0; i < s->n_seq; i++) {
		size_t row = (size_t)s->start[i];
		int L = s->start[i + 1] - s->start[i];
		for (int h = 0; h < s->heads; h++, prob += (size_t)L * L) {
			size_t q_at = row * ldq + (size_t)h * hd, k_at = row * ldk + (size_t)(h / group) * hd;
			size_t v_at = row * ldv + (size_t)(h / group) * hd;
			struct head one = {q + q_at, k + k_at, v + v_at, prob, dout + row * ldo + (size_t)h * hd,
				dq + q_at, dk + k_at, dv + v_at, scratch, ldq, ldk, ldv, ldo, L, hd, s->scale};
			head_backward(&one);
		}
	}
}
