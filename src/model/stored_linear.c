/*
 * stored: products with matrices as they lie. One row of x takes each number of the matrix as it comes from memory;
 * more rows go through a few rows of the matrix, widened, that stay in the processor's cache.
 *
 * Work is cut by the matrix alone and every number of y is one thread's, so results do not depend on threads.
 */
#include "stored.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"

/* Rows widened at a time; bytes of the matrix that a piece of work reads where nothing is widened. */
enum { WIDE_ROWS = 128, TASK_BYTES = 1 << 17, TASK_COLS = 256 };

void
stored_work_init(struct stored_work *w, const struct stored *s, int threads)
{
	const struct model_config *c = &s->checkpoint.plan.config;
	int q = c->n_head * c->head_dim, most = c->d_model > c->d_ff ? c->d_model : c->d_ff;
	most = q > most ? q : most;
	w->pool = threads == 1 ? NULL : pool_new(threads);
	w->threads = w->pool ? pool_threads(w->pool) : 1;
	w->scratch = xcalloc((size_t)w->threads, sizeof(*w->scratch));
	for (int i = 0; i < w->threads; i++)
		w->scratch[i] = xcalloc((size_t)WIDE_ROWS * (size_t)most, sizeof(float));
}

void
stored_work_free(struct stored_work *w)
{
	for (int i = 0; i < w->threads; i++)
		free(w->scratch[i]);
	free(w->scratch);
	pool_free(w->pool);
}

/* Of our row r of the piece: the row of the file's tensor. In rotary pairs: of each head row 0, n/2, 1, n/2 + 1... */
static size_t
file_row(const struct stored_piece *p, int r)
{
	if (p->head == 0)
		return (size_t)(p->from + r);
	int in = r % p->head, half = p->head / 2;
	return (size_t)(p->from + r - in + 2 * (in % half) + in / half);
}

struct product {
	const struct stored_matrix *matrix;
	const float *x;
	float *y;			/* (rows, out) */
	int rows, out;
	float **scratch;
};

/* ---- one row of x ---- */

static void
one_straight(const struct product *k, const struct stored_piece *p, int first, int n)
{
	int run = p->head == 0 ? n : 1;
	for (int r = first; r < first + n; r += run)
		narrow_dots(k->y + p->row + r, p->kind, p->data + file_row(p, r) * p->stride, p->stride, run, p->cols,
			k->x);
}

static void
one_transposed(const struct product *k, const struct stored_piece *p, int first, int n)
{
	size_t at = narrow_bytes(p->kind, (size_t)(p->from + first));
	narrow_sums(k->y + p->row + first, p->kind, p->data + at, p->stride, p->cols, n, k->x);
}

/* ---- more ---- */

/* (n, cols): rows of ours. */
static void
widen_straight(const struct stored_piece *p, int first, int n, float *wide)
{
	for (int r = 0; r < n; r++)
		narrow_widen(wide + (size_t)r * (size_t)p->cols, p->kind, p->data + file_row(p, first + r) * p->stride,
			(size_t)p->cols);
}

/* (cols, n): the same, as the file has them. */
static void
widen_transposed(const struct stored_piece *p, int first, int n, float *wide)
{
	size_t at = narrow_bytes(p->kind, (size_t)(p->from + first));
	for (int c = 0; c < p->cols; c++)
		narrow_widen(wide + (size_t)c * (size_t)n, p->kind, p->data + (size_t)c * p->stride + at, (size_t)n);
}

static void
many_straight(const struct product *k, const struct stored_piece *p, int first, int n, float *wide)
{
	widen_straight(p, first, n, wide);
	mm_bt(k->rows, n, p->cols, 1, k->x, p->cols, wide, p->cols, 1, k->y + p->row + first,
		k->out);
}

static void
many_transposed(const struct product *k, const struct stored_piece *p, int first, int n, float *wide)
{
	widen_transposed(p, first, n, wide);
	mm(k->rows, n, p->cols, 1, k->x, p->cols, wide, n, 1, k->y + p->row + first, k->out);
}

/* The piece that a piece of work is on: the last that begins at it or before. */
static const struct stored_piece *
piece_of(const struct stored_matrix *m, int many, size_t task)
{
	int from = 0, to = m->n;
	while (to - from > 1) {
		int middle = (from + to) / 2;
		if (m->piece[middle].task[many] <= task)
			from = middle;
		else
			to = middle;
	}
	return &m->piece[from];
}

static void
product_task(void *arg, size_t i, int worker)
{
	const struct product *k = arg;
	bool many = k->rows > 1;
	const struct stored_piece *p = piece_of(k->matrix, many, i);
	int step = stored_step(p, many), first = (int)(i - p->task[many]) * step;
	int n = p->rows - first < step ? p->rows - first : step;
	if (many)
		(p->transposed ? many_transposed : many_straight)(k, p, first, n, k->scratch[worker]);
	else
		(p->transposed ? one_transposed : one_straight)(k, p, first, n);
}

static void
run_tasks(const struct stored_work *work, size_t n, void (*task)(void *arg, size_t i, int worker), void *arg)
{
	if (work->pool)
		pool_run(work->pool, n, task, arg);
	for (size_t i = 0; !work->pool && i < n; i++)
		task(arg, i, 0);
}

int
stored_step(const struct stored_piece *p, bool many)
{
	size_t n = TASK_BYTES / p->stride;
	if (many)
		return WIDE_ROWS;
	return p->transposed ? TASK_COLS : n > 0 ? (int)n : 1;
}

void
stored_linear(const struct stored *s, struct stored_work *work, int layer, enum tensor_role role, const float *bias,
	const float *x, float *y, int rows, int out)
{
	const struct stored_matrix *m = &s->matrix[layer][role];
	for (int r = 0; r < rows; r++) {
		if (bias)
			memcpy(y + (size_t)r * (size_t)out, bias, (size_t)out * sizeof(*y));
		else
			memset(y + (size_t)r * (size_t)out, 0, (size_t)out * sizeof(*y));
	}
	struct product k = { .matrix = m, .x = x, .y = y, .rows = rows, .out = out, .scratch = work->scratch };
	run_tasks(work, m->tasks[rows > 1], product_task, &k);
}

/* The pieces of a matrix add to the same dx, so they go one after another. */
void
stored_linear_back(const struct stored *s, struct stored_work *work, int layer, enum tensor_role role, float *dx,
	const float *dy, int rows, int in, int out)
{
	const struct stored_matrix *m = &s->matrix[layer][role];
	float *wide = work->scratch[0];
	for (int i = 0; i < m->n; i++) {
		const struct stored_piece *p = &m->piece[i];
		for (int first = 0, n; first < p->rows; first += n) {
			const float *d = dy + p->row + first;
			n = p->rows - first < WIDE_ROWS ? p->rows - first : WIDE_ROWS;
			if (p->transposed) {
				widen_transposed(p, first, n, wide);
				mm_bt(rows, in, n, 1, d, out, wide, n, 1, dx, in);
			} else {
				widen_straight(p, first, n, wide);
				mm(rows, in, n, 1, d, out, wide, in, 1, dx, in);
			}
		}
	}
}

void
stored_row(const struct stored *s, enum tensor_role role, int row, float *out)
{
	const struct stored_piece *p = s->matrix[s->checkpoint.plan.config.n_layer][role].piece;
	narrow_widen(out, p->kind, p->data + (size_t)row * p->stride, (size_t)p->cols);
}
