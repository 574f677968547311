/* bergson_row: see bergson_row.h. */
#include "bergson_row.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

struct making {
	const struct bergson_plan *plan;
	float *row;
	float *left, *right;		/* (rows of the batch, dim): g L^T, a R^T */
};

/* What a module's part has in common with the head that is looked at. */
struct cut { int row, from, rows; };

static struct cut
part_cut(const struct bergson_place *p, const struct module_part *part)
{
	int from = part->from > p->from ? part->from : p->from, end = part->from + part->rows;
	int last = p->from + p->rows < end ? p->from + p->rows : end;
	return (struct cut){ part->row + from - part->from, from - p->from, last - from };
}

/* block (rows, width) += G of these rows */
static void
plain_add(const struct bergson_place *p, struct cut c, const struct linear *l, const float *a, const float *g, int n,
	float *block)
{
	float *to = block + (size_t)c.from * (size_t)p->width;
	mm_at(c.rows, l->in, n, 1, g + c.row, l->out, a, l->in, 1, to, p->width);
	for (int r = 0; p->width > l->in && r < c.rows; r++) {
		double sum = 0;
		for (int t = 0; t < n; t++)
			sum += g[(size_t)t * (size_t)l->out + (size_t)(c.row + r)];
		to[(size_t)r * (size_t)p->width + (size_t)l->in] += (float)sum;
	}
}

static void
plain_take(const struct making *k, const struct bergson_place *p, int linear, const float *a, const float *g, int n,
	float *block)
{
	const struct linear *l = &k->plan->model->linears[linear];
	for (int i = 0; i < p->module.n_parts; i++) {
		struct cut c = part_cut(p, &p->module.part[i]);
		if (p->module.part[i].linear == linear && c.rows > 0)
			plain_add(p, c, l, a, g, n, block);
	}
}

/* block (dim, dim) += L (sum_t g_t) (R's last column)^T */
static void
bias_add(const struct making *k, const struct bergson_place *p, int in, int n, float *block)
{
	int dim = k->plan->info->projection.dim;
	for (int i = 0; p->width > in && i < dim; i++) {
		double sum = 0;
		for (int t = 0; t < n; t++)
			sum += k->left[(size_t)t * (size_t)dim + (size_t)i];
		for (int j = 0; j < dim; j++)
			block[(size_t)i * (size_t)dim + (size_t)j] +=
				(float)(sum * p->right[(size_t)j * (size_t)p->width + (size_t)in]);
	}
}

static void
projected_take(const struct making *k, const struct bergson_place *p, int linear, const float *a, const float *g, int n,
	float *block)
{
	const struct linear *l = &k->plan->model->linears[linear];
	int dim = k->plan->info->projection.dim, seen = 0;
	for (int i = 0; i < p->module.n_parts; i++) {
		struct cut c = part_cut(p, &p->module.part[i]);
		if (p->module.part[i].linear != linear || c.rows <= 0)
			continue;
		mm_bt(n, dim, c.rows, 1, g + c.row, l->out, p->left + c.from, p->rows, seen++ ? 1 : 0, k->left, dim);
	}
	if (seen == 0)
		return;
	mm_bt(n, dim, l->in, 1, a, l->in, p->right, p->width, 0, k->right, dim);
	mm_at(dim, dim, n, 1, k->left, dim, k->right, dim, 1, block, dim);
	bias_add(k, p, l->in, n, block);
}

static void
take_linear(void *arg, int linear, const float *a, const float *g, const struct batch *b)
{
	const struct making *k = arg;
	const struct bergson_info *info = k->plan->info;
	for (int i = 0; i < info->n_blocks; i++)
		(info->projection.dim > 0 ? projected_take : plain_take)(k, &k->plan->place[i], linear, a, g, b->rows,
			k->row + info->block[i].at);
}

/* ---- what is done to a row as a whole --------------------------------------------------------------------------- */

static void
row_finish(const struct bergson_info *info, int targets, float *row)
{
	const double least = 1.1920928955078125e-07;	/* of the norm, in bergson */
	double by = info->mean && targets > 0 ? 1.0 / targets : 1, squares = 0;
	for (uint64_t i = 0; i < info->width; i++)
		squares += (double)row[i] * row[i];
	if (info->unit)
		by = 1 / fmax(sqrt(squares), least);
	for (uint64_t i = 0; by != 1 && i < info->width; i++)
		row[i] = (float)(row[i] * by);
}

enum err
bergson_row(const struct bergson_plan *p, struct acts *acts, const struct batch *b, int targets, float *row)
{
	const struct model *m = p->model;
	struct making k = { .plan = p, .row = row };
	const struct tap tap = { .arg = &k, .linear = take_linear, .roles = p->roles };
	size_t values = (size_t)b->rows * (size_t)p->info->projection.dim;
	enum err err = OK;
	TRY_OUT(mem_array(&k.left, values, sizeof(*k.left), "projected gradients"));
	TRY_OUT(mem_array(&k.right, values, sizeof(*k.right), "projected activations"));
	TRY_OUT(model_forward(m, m->params, acts, b));
	acts_loss(m, acts, b, NULL, NULL);
	for (uint64_t i = 0; i < p->info->width; i++)
		row[i] = 0;
	model_backward(m, m->params, acts, b, NULL, &tap);
	row_finish(p->info, targets, row);
out:
	free(k.left);
	free(k.right);
	return err;
}
