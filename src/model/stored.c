/* stored: finding each matrix in the file. */
#include "stored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

static const enum narrow kinds[] = { [WEIGHTS_F32] = NARROW_F32, [WEIGHTS_F16] = NARROW_F16,
	[WEIGHTS_BF16] = NARROW_BF16, [WEIGHTS_Q8_0] = NARROW_Q8_0 };

static bool
is_small(const struct file_tensor *f)
{
	return f->n_dims == 1;
}

/* Blocks of Q8_0 lie along the file's rows, so one of those cannot be cut anywhere. */
static enum err
check_kind(const struct file_tensor *f, const struct weights_tensor *t)
{
	bool known = t->type == WEIGHTS_F32 || t->type == WEIGHTS_F16 || t->type == WEIGHTS_BF16
		|| (t->type == WEIGHTS_Q8_0 && !f->transposed && f->cols % NARROW_BLOCK == 0);
	return known ? OK : err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\": %s cannot be used as it lies", t->path,
		t->name, t->type_name);
}

/* All but the checkpoint. */
static void
stored_drop(struct stored *s)
{
	for (int i = 0; s->matrix && i <= s->checkpoint.plan.config.n_layer; i++)
		for (int role = 0; role < ROLES; role++)
			free(s->matrix[i][role].piece);
	free(s->matrix);
	free(s->plan);
	free(s->small);
	free(s);
}

void
stored_free(struct stored *s)
{
	if (!s)
		return;
	struct checkpoint c = s->checkpoint;
	stored_drop(s);
	checkpoint_close(&c);
}

static int
place_of(const struct stored *s, const struct tensor *t)
{
	return t->layer < 0 ? s->checkpoint.plan.config.n_layer : t->layer;
}

static void
add_piece(struct stored *s, const struct file_tensor *f, const struct weights_tensor *t)
{
	struct stored_matrix *m = &s->matrix[place_of(s, f->tensor)][f->tensor->role];
	m->piece = xreallocarray(m->piece, (size_t)m->n + 1, sizeof(*m->piece));
	struct stored_piece *p = &m->piece[m->n++];
	*p = (struct stored_piece){ .kind = kinds[t->type], .data = t->data,
		.stride = narrow_bytes(kinds[t->type], (size_t)(f->transposed ? f->file_rows : f->cols)),
		.row = f->row, .rows = f->rows, .from = f->from, .cols = f->cols, .transposed = f->transposed,
		.head = f->paired > 0 ? f->rows / f->paired : 0, .task = { m->tasks[0], m->tasks[1] } };
	for (int many = 0; many < 2; many++) {
		int step = stored_step(p, many != 0);
		m->tasks[many] += (size_t)((p->rows + step - 1) / step);
	}
}

/* Room in `small` for the vectors, which are few and short. */
static enum err
plan_small(struct stored *s)
{
	const struct model *m = &s->checkpoint.plan;
	size_t n = 0;
	s->plan = plan_new(m);
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		bool vector = t->bias || role_is_norm(t->role);
		s->plan[place_of(s, t)].at[t->role][t->bias] = vector ? (ptrdiff_t)n : -1;
		n += vector ? (size_t)t->rows : 0;
	}
	s->plan[m->config.n_layer].at[ROLE_HEAD][0] = -1;
	return mem_array(&s->small, n + 1, sizeof(*s->small), "norms and biases");
}

static enum err
read_small(struct stored *s, const struct file_tensor *f, const struct weights_tensor *t)
{
	return checkpoint_read_rows(f, t,
		s->small + s->plan[place_of(s, f->tensor)].at[f->tensor->role][f->tensor->bias] + f->row);
}

static void
tie_head(struct stored *s)
{
	int outside = s->checkpoint.plan.config.n_layer;
	struct stored_matrix *head = &s->matrix[outside][ROLE_HEAD], *embed = &s->matrix[outside][ROLE_EMBED];
	if (!s->checkpoint.plan.config.tied)
		return;
	*head = *embed;
	head->piece = xreallocarray(NULL, (size_t)embed->n, sizeof(*head->piece));
	memcpy(head->piece, embed->piece, (size_t)embed->n * sizeof(*head->piece));
}

static enum err
take(struct stored *s, const struct file_tensor *f, const struct weights_tensor *t)
{
	if (f->optional)
		return OK;
	if (is_small(f))
		return read_small(s, f, t);
	TRY(check_kind(f, t));
	add_piece(s, f, t);
	return OK;
}

enum err
stored_new(struct stored **out, struct checkpoint *c)
{
	struct stored *s = xcalloc(1, sizeof(*s));
	s->checkpoint = *c;
	s->matrix = xcalloc((size_t)c->plan.config.n_layer + 1, sizeof(*s->matrix));
	enum err err = plan_small(s);
	for (size_t i = 0; err == OK && i < c->n; i++)
		err = take(s, &c->wanted[i], c->found[i]);
	if (err != OK) {
		stored_drop(s);
		return err;
	}
	tie_head(s);
	memset(c, 0, sizeof(*c));
	*out = s;
	return OK;
}

size_t
stored_bytes(const struct stored *s)
{
	size_t n = 0;
	for (int i = 0; i <= s->checkpoint.plan.config.n_layer; i++)
		for (int role = 0; role < ROLES; role++)
			for (int k = 0; k < s->matrix[i][role].n; k++) {
				const struct stored_piece *p = &s->matrix[i][role].piece[k];
				bool table = role == ROLE_EMBED || role == ROLE_POS;
				n += table ? 0 : narrow_bytes(p->kind, (size_t)p->rows * (size_t)p->cols);
			}
	return n;
}

enum err
stored_check_hidden(const struct stored *s, const float *hidden, int rows)
{
	for (size_t i = 0; i < (size_t)rows * (size_t)s->checkpoint.plan.config.d_model; i++) {
		if (isfinite(hidden[i]))
			continue;
		TRY(checkpoint_finite(&s->checkpoint));
		return err_set(ERR_FORMAT, "%s: the model's numbers overflow: are these weights of this config.json?",
			s->checkpoint.weights.path);
	}
	return OK;
}
