/* bergson_index: opening one, and inner products with its rows. See bergson_index.h. */
#include "bergson_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "fault.h"

/* Rows and columns of gradients.bin that are looked at together, and examples of a piece. */
enum { ROWS = 64, COLUMNS = 4096, PIECE = 256 };

bool
bergson_index_there(const struct run *run)
{
	char *path = path_join(run->dir, BERGSON_FILE);
	bool there = file_exists(path);
	free(path);
	return there;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static enum err
check_belongs(const struct session *s, const struct bergson_index *x)
{
	if (strcmp(x->record.dataset, s->run.dataset) != 0)
		return err_set(ERR_MISMATCH, "run %s: its bergson index was imported for other examples", s->run.name);
	if (strcmp(x->record.checkpoint, s->checkpoint_sha256) != 0)
		return err_set(ERR_MISMATCH, "run %s: its bergson index was imported with other weights than those in "
			"checkpoint/", s->run.name);
	if (x->record.n != x->info.n_items)
		return err_set(ERR_MISMATCH, "run %s: its bergson index has %llu examples, and %llu were imported",
			s->run.name, (unsigned long long)x->info.n_items, (unsigned long long)x->record.n);
	return OK;
}

static enum err
open_all(const struct session *s, struct bergson_index *x)
{
	TRY(bergson_record_read(s->run.dir, s->data.n, false, &x->record));
	char *dir = path_join(s->run.dir, x->record.folder), *path = path_join(dir, BERGSON_GRADIENTS);
	enum err err;
	TRY_OUT(bergson_info_read(dir, &x->info));
	TRY_OUT(check_belongs(s, x));
	if (x->info.tokens)
		TRY_OUT(bergson_offsets_read(dir, &x->info, &x->offset));
	TRY_OUT(bergson_plan_make(&x->plan, &s->model, &x->info, true));
	TRY_OUT(file_map_open(path, &x->map));
	if (x->map.size / bergson_row_bytes(&x->info) != x->info.n_rows)
		err = err_set(ERR_MISMATCH, "%s: its size has changed", path);
out:
	free(path);
	free(dir);
	return err;
}

enum err
bergson_index_open(const struct session *s, struct bergson_index **out)
{
	struct bergson_index *x = xcalloc(1, sizeof(*x));
	enum err err = open_all(s, x);
	*out = err == OK ? x : NULL;
	if (err != OK)
		bergson_index_close(x);
	return err;
}

void
bergson_index_close(struct bergson_index *x)
{
	if (!x)
		return;
	bergson_plan_free(&x->plan);
	bergson_record_free(&x->record);
	bergson_info_free(&x->info);
	free(x->offset);
	file_map_close(&x->map);
	free(x);
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

struct scoring {
	const struct bergson_index *x;
	const float *rows;
	size_t n;
	float *item;			/* (n, n_items) */
	struct fault fault;
};

struct scratch { float *part, *product; double *sum; };

static void
read_floats(float *to, const uint8_t *from, enum st_dtype dtype, size_t n)
{
	if (dtype == ST_F16)
		half_read_f16(to, from, n);
	else if (dtype == ST_BF16)
		half_read_bf16(to, from, n);
	else
		memcpy(to, from, n * sizeof(*to));
}

/* w->sum (count, n): rows [first, first + count) of the index with each of the queries, in double over the columns. */
static void
rows_product(const struct scoring *c, struct scratch *w, uint64_t first, int count)
{
	const struct bergson_info *info = &c->x->info;
	size_t each = st_dtype_size(info->dtype);
	memset(w->sum, 0, (size_t)count * c->n * sizeof(*w->sum));
	for (uint64_t at = 0; at < info->width; at += COLUMNS) {
		size_t columns = info->width - at < COLUMNS ? (size_t)(info->width - at) : COLUMNS;
		for (int r = 0; r < count; r++)
			read_floats(w->part + (size_t)r * columns, c->x->map.data
				+ ((first + (uint64_t)r) * info->width + at) * each, info->dtype, columns);
		mm_bt(count, (int)c->n, (int)columns, 1, w->part, (int)columns, c->rows + at, (int)info->width, 0,
			w->product, (int)c->n);
		for (size_t i = 0; i < (size_t)count * c->n; i++)
			w->sum[i] += w->product[i];
	}
}

static uint64_t
rows_before(const struct bergson_index *x, uint64_t item)
{
	return x->offset ? x->offset[item] : item;
}

/* Items [from, to): their rows one block after another, each row's products to its item's sum. */
static void
items_scores(const struct scoring *c, struct scratch *w, uint64_t from, uint64_t to)
{
	uint64_t item = from, end = rows_before(c->x, to);
	double *total = xcalloc((size_t)(to - from) * c->n, sizeof(*total));
	for (uint64_t row = rows_before(c->x, from); row < end; row += ROWS) {
		int count = end - row < ROWS ? (int)(end - row) : ROWS;
		rows_product(c, w, row, count);
		for (int r = 0; r < count; r++) {
			while (rows_before(c->x, item + 1) <= row + (uint64_t)r)
				item++;
			for (size_t q = 0; q < c->n; q++)
				total[(item - from) * c->n + q] += w->sum[(size_t)r * c->n + q];
		}
	}
	for (uint64_t i = from; i < to; i++)
		for (size_t q = 0; q < c->n; q++)
			c->item[q * c->x->info.n_items + i] = (float)total[(i - from) * c->n + q];
	free(total);
}

static void
piece_run(void *arg, size_t i, int worker)
{
	struct scoring *c = arg;
	uint64_t n = c->x->info.n_items, from = (uint64_t)i * PIECE, to = n - from < PIECE ? n : from + PIECE;
	(void)worker;
	if (!fault_go(&c->fault))
		return;
	struct scratch w = {
		.part = xcalloc((size_t)ROWS * COLUMNS, sizeof(float)), .product = xcalloc(ROWS * c->n, sizeof(float)),
		.sum = xcalloc(ROWS * c->n, sizeof(double)),
	};
	items_scores(c, &w, from, to);
	fault_step(&c->fault, to - from);
	free(w.part);
	free(w.product);
	free(w.sum);
}

/* Two items of one text are one example, which both would take away. */
static void
scatter(const struct scoring *c, const struct session *s, float *scores)
{
	const struct bergson_record *r = &c->x->record;
	for (size_t i = 0; i < c->n * s->data.n; i++)
		scores[i] = NAN;
	for (size_t q = 0; q < c->n; q++)
		for (uint64_t i = 0; i < r->n; i++) {
			if (r->example[i] < 0)
				continue;
			float *to = scores + q * s->data.n + (size_t)r->example[i], v = c->item[q * r->n + i];
			*to = isnan(*to) ? v : *to + v;
		}
}

enum err
bergson_index_scores(const struct bergson_index *x, const struct session *s, const float *rows, size_t n, float *scores,
	struct job *job)
{
	struct scoring c = { .x = x, .rows = rows, .n = n };
	TRY(mem_array(&c.item, n * x->info.n_items, sizeof(*c.item), "scores of an index"));
	job_phase(job, "comparing", x->info.n_items);
	fault_init(&c.fault, job);
	pool_run(s->pool, (size_t)((x->info.n_items + PIECE - 1) / PIECE), piece_run, &c);
	enum err err = fault_end(&c.fault);
	if (err == OK)
		scatter(&c, s, scores);
	free(c.item);
	return err;
}
