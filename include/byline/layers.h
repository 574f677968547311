/*
 * layers: the layers of a transformer, forward and backward, on ragged batches.
 *
 * A batch is R rows: the tokens of several sequences one after another, never padded; sequence s is rows
 * [start[s], start[s+1]). Pure functions of their arguments: no allocation, no globals, no I/O. Backward functions ADD
 * into the gradients they are given (zero them first); a NULL gradient is not computed. Saved values are the caller's.
 */
#ifndef BYLINE_LAYERS_H
#define BYLINE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/real.h"

/* y (R,N) = x (R,K) w^T + b; w (N,K), b (N) or NULL. */
void linear_forward(real *y, const real *x, const real *w, const real *b, int R, int K, int N);
void linear_backward(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w, int R, int K, int N);

/* y = x * rstd * gain, rstd (R). Zhang, Sennrich 2019. */
void rmsnorm_forward(real *y, real *rstd, const real *x, const real *gain, int R, int C, real eps);
void rmsnorm_backward(real *dx, real *dgain, const real *dy, const real *x, const real *gain, const real *rstd, int R,
	int C);

/* y = (x - mean) * rstd * gain + bias; bias may be NULL, or gain and bias. Ba, Kiros, Hinton 2016. */
void layernorm_forward(real *y, real *mean, real *rstd, const real *x, const real *gain, const real *bias, int R, int C,
	real eps);
void layernorm_backward(real *dx, real *dgain, real *dbias, const real *dy, const real *x, const real *gain,
	const real *mean, const real *rstd, int R, int C);

/* y (R,C) = table[token] (+ pos_table[position] when not NULL). position (R). */
void embed_forward(real *y, const real *table, const real *pos_table, const int32_t *token, const int32_t *position,
	int R, int C);
void embed_backward(real *dtable, real *dpos_table, const real *dy, const int32_t *token, const int32_t *position,
	int R, int C);

/* Rotary positions, half-split pairing (i, i + rot/2) as in Llama checkpoints; x (R, heads, head_dim) with row distance
 * ld, in place, first `rot` dims of each head. cos/sin (max_position, rot/2). sign +1 forward, -1 backward (its
 * inverse).
 * Su et al. 2021, eq. 34. */
void rope_apply(real *x, int ld, const real *cos, const real *sin, const int32_t *position, int R, int heads,
	int head_dim, int rot, int sign);
/* The same with neighbours as pairs (2i, 2i + 1), as in GPT-J. */
void rope_apply_pairs(real *x, int ld, const real *cos, const real *sin, const int32_t *position, int R, int heads,
	int head_dim, int rot, int sign);

/* The same on R rows of `heads` vectors of width dim, each normalised by itself, row distance ld for x and y; gain
 * (dim), or (heads, dim) all of them as one when `whole`. rstd (R, heads), or (R). x and y may be the same in the
 * forward pass alone. Henry et al. 2020; Dehghani et al. 2023, section 2. */
struct head_norm { int R, heads, dim; bool whole; real eps; };
void headnorm_forward(real *y, int ldy, real *rstd, const real *x, int ldx, const real *gain,
	const struct head_norm *n);
/* dx and dy may be the same; dx is written, not added to; dgain is added to. */
void headnorm_backward(real *dx, int ldd, real *dgain, const real *dy, const real *x, int ldx, const real *gain,
	const real *rstd, const struct head_norm *n);

/*
 * Causal attention with grouped queries. q (R, heads*hd), k and v (R, kv_heads*hd), each with its row distance. A query
 * sees the last `window` positions, its own among them; 0: all before it. Scores x become cap tanh(x / cap) before the
 * softmax; 0: they stay.
 * out (R, heads*hd) with row distance ldo, or NULL: prob alone. prob: softmax weights, for sequence s and head h an
 * (L,L) block; att_size() reals in all.
 * Vaswani et al. 2017, eq. 1; grouping: Ainslie et al. 2023; window: Beltagy et al. 2020.
 */
struct att_shape { int n_seq; const int32_t *start; int heads, kv_heads, head_dim; real scale; int window; real cap; };
size_t att_size(const struct att_shape *s);
void attention_forward(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v,
	int ldv, const struct att_shape *s);
/* One sequence whose first `past` keys and values are known: n queries, at positions past.. . k, v have past + n rows.
 * prob: heads blocks of (n, past + n). n_seq and start of the shape do not count. */
void attention_cached(real *out, int ldo, real *prob, const real *q, int ldq, const real *k, int ldk, const real *v,
	int ldv, int n, int past, const struct att_shape *s);
/* scratch: max L * L reals, twice that with a cap. dq/dk/dv have the row distances of q/k/v and are added to. */
void attention_backward(real *dq, real *dk, real *dv, const real *dout, int ldo, const real *prob, const real *q,
	int ldq, const real *k, int ldk, const real *v, int ldv, const struct att_shape *s, real *scratch);

/* n reals kept within -bound .. bound; backward: dy where x, before, lay within, else 0. */
void clip_forward(real *x, size_t n, real bound);
void clip_backward(real *dy, const real *x, size_t n, real bound);
/* y = cap tanh(x / cap), in place; backward: dy becomes dy * (1 - (y / cap)^2). */
void cap_forward(real *x, size_t n, real cap);
void cap_backward(real *dy, const real *y, size_t n, real cap);

/* Elementwise on n reals. GELU: tanh form ("gelu_new") or exact erf form. SwiGLU: y = silu(gate) * up (Shazeer
 * 2020). */
void gelu_tanh_forward(real *y, const real *x, size_t n);
void gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n);
void gelu_erf_forward(real *y, const real *x, size_t n);
void gelu_erf_backward(real *dx, const real *dy, const real *x, size_t n);
void swiglu_forward(real *y, const real *gate, const real *up, size_t n);
void swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate, const real *up, size_t n);
void relu_forward(real *y, const real *x, size_t n);
void relu_backward(real *dx, const real *dy, const real *x, size_t n);
/* y = f(gate) * up for one of the others, given f(gate) in y; backward: dup gets dy * f(gate), dy becomes dy * up,
 * which f's own backward takes on. fgate (n). */
void gate_forward(real *y, const real *up, size_t n);
void gate_backward(real *dup, real *dy, const real *fgate, const real *up, size_t n);

/* Softmax cross-entropy. nll (R) in nats, 0 where target < 0. When dlogits is not NULL it gets
 * weight[r] * (softmax(logits[r]) - onehot(target[r])), rows with target < 0 get 0; weight NULL means 1.
 * dlogits may be logits itself. */
void xent(real *nll, real *dlogits, const real *logits, const int32_t *target, const real *weight, int R, int V);

/* The index whose part of the cumulated softmax(logits) holds u, 0 <= u < 1: a draw, for uniform u. */
int softmax_draw(const real *logits, int V, double u);

/* log-softmax of one row in double accumulation. */
void log_softmax(real *out, const real *logits, int V);

#endif
