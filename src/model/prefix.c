/* model: the forward pass of beginnings of a sequence that has been run whole: nothing looks ahead, so it is a copy. */
#include "byline/model.h"

#include <assert.h>
#include <string.h>

#include "pass.h"

static void
copy_rows(const struct batch *b, float *to, const float *from, int width)
{
	if (from == NULL)
		return;
	for (int s = 0; s < b->n_seq; s++)
		memcpy(to + (size_t)b->start[s] * (size_t)width, from,
			(size_t)(b->start[s + 1] - b->start[s]) * (size_t)width * sizeof(*to));
}

/* Moments a row of a norm of so many heads. */
static int
rstds(const struct model_config *c, int heads)
{
	return c->qk_norm == QK_WHOLE ? 1 : heads;
}

static void
copy_saved(const struct batch *b, const struct model_config *c, const struct saved *to, const struct saved *from)
{
	copy_rows(b, to->x, from->x, c->d_model);
	copy_rows(b, to->norm1, from->norm1, c->d_model);
	copy_rows(b, to->mean1, from->mean1, 1);
	copy_rows(b, to->rstd1, from->rstd1, 1);
	copy_rows(b, to->qkv, from->qkv, width_qkv(c));
	copy_rows(b, to->att, from->att, width_q(c));
	copy_rows(b, to->mid, from->mid, c->d_model);
	copy_rows(b, to->norm2, from->norm2, c->d_model);
	copy_rows(b, to->mean2, from->mean2, 1);
	copy_rows(b, to->rstd2, from->rstd2, 1);
	copy_rows(b, to->gate, from->gate, c->d_ff);
	copy_rows(b, to->up, from->up, c->d_ff);
	copy_rows(b, to->act, from->act, c->d_ff);
	copy_rows(b, to->raw, from->raw, width_qkv(c));
	copy_rows(b, to->rstd_q, from->rstd_q, rstds(c, c->n_head));
	copy_rows(b, to->rstd_k, from->rstd_k, rstds(c, c->n_kv_head));
	copy_rows(b, to->out1, from->out1, c->d_model);
	copy_rows(b, to->post_mean1, from->post_mean1, 1);
	copy_rows(b, to->post_rstd1, from->post_rstd1, 1);
	copy_rows(b, to->out2, from->out2, c->d_model);
	copy_rows(b, to->post_mean2, from->post_mean2, 1);
	copy_rows(b, to->post_rstd2, from->post_rstd2, 1);
}

/* Logits are wide, and the loss reads them only where there is a target. */
static void
copy_logits(const struct batch *b, size_t vocab, float *to, const float *from)
{
	for (int s = 0; s < b->n_seq; s++)
		for (int r = b->start[s]; r < b->start[s + 1]; r++)
			if (b->target[r] >= 0)
				memcpy(to + (size_t)r * vocab, from + (size_t)(r - b->start[s]) * vocab,
					vocab * sizeof(*to));
}

enum err
model_forward_prefixes(const struct model *m, const struct acts *whole, struct acts *a, const struct batch *b)
{
	const struct model_config *c = &m->config;
	TRY(acts_fit(a, b));
	for (int s = 0; s < b->n_seq; s++)
		assert(b->start[s + 1] - b->start[s] <= whole->rows);
	for (int i = 0; i < c->n_layer; i++)
		copy_saved(b, c, &a->saved[i], &whole->saved[i]);
	copy_rows(b, a->last, whole->last, c->d_model);
	copy_rows(b, a->hidden, whole->hidden, c->d_model);
	copy_rows(b, a->mean, whole->mean, 1);
	copy_rows(b, a->rstd, whole->rstd, 1);
	copy_logits(b, (size_t)c->vocab, a->logits, whole->logits);
	return OK;
}
