/*
 * features_scan: all rows times queries.
 *
 * Few queries meet the codes as they are (codes.h): a pass is then as fast as memory gives the rows. For many, codes
 * become floats a cacheful at a time, on their way into a matrix product. features.h says how far the two agree.
 */
#include "features_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/codes.h"
#include "byline/mem.h"
#include "byline/mm.h"

/* A piece for many queries, fixed so that results are: rows and values of a row taken at once. As floats they stay in
 * the second-level cache. Whole bytes of codes, whatever their bits. */
enum { SCAN_ROWS = 64, SCAN_VALUES = 1024 };
/* Up to here codes as they are win: by far for one, and for twice as many where a processor has the instructions. Rows
 * that share the digits in a register; and the bytes of a piece, long beside those that are called for in advance and
 * are another thread's. */
enum { FEW = 16, FEW_ROWS = 4, FEW_BYTES = 1 << 21 };

struct piece { size_t shard, from, n, row; };	/* rows of a shard, and the first one's number over all shards */

struct scan {
	const struct features *f;
	struct piece *piece;
	size_t n_pieces;
	const float *query;
	int nq;
	float *out;
	float **buffer;			/* by worker */
	struct codes_factor *factor;	/* few queries: (nq, dense blocks) */
	struct fault *fault;
};

static int
dense_blocks(const struct feature_layout *l)
{
	return l->n_blocks - (feature_layout_own(l) ? 1 : 0);
}

static void
scan_cut(struct scan *s, size_t rows)
{
	const struct features *f = s->f;
	size_t cap = 0;
	for (size_t i = 0; i < f->n_shards; i++)
		for (size_t from = 0; from < f->shard[i].n; from += rows) {
			size_t left = f->shard[i].n - from;
			mem_grow(&s->piece, &cap, s->n_pieces + 1, sizeof(*s->piece));
			s->piece[s->n_pieces++] = (struct piece){ i, from, left < rows ? left : rows,
				f->first[i] + from };
		}
}

/* ---- many queries ------------------------------------------------------------------------------------------- */

/* Values [from, from + n) of block `number`, of all rows of the piece: out += theirs . query^T. */
static void
many_chunk(const struct scan *s, const struct piece *p, int number, const uint8_t *codes, size_t from, size_t n,
	float *buffer)
{
	const struct feature_layout *l = &s->f->layout;
	const float *scales = s->f->shard[p->shard].scales + p->from * (size_t)l->n_blocks + number;
	codes += codes_bytes(l->bits, from);
	for (size_t r = 0; r < p->n; r++)
		codes_read(l->bits, buffer + r * n, codes + r * l->code_bytes, n, scales[r * (size_t)l->n_blocks]);
	mm_bt((int)p->n, s->nq, (int)n, 1, buffer, (int)n, s->query + l->block[number].at + from, (int)l->dense, 1,
		s->out + p->row * (size_t)s->nq, s->nq);
}

static void
many_piece(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	const struct piece *p = &s->piece[i];
	const struct feature_layout *l = &s->f->layout;
	const uint8_t *codes = s->f->shard[p->shard].codes + p->from * l->code_bytes;
	if (!fault_go(s->fault))
		return;
	if (!s->buffer[worker])
		s->buffer[worker] = xreallocarray(NULL, SCAN_ROWS * SCAN_VALUES, sizeof(float));
	memset(s->out + p->row * (size_t)s->nq, 0, p->n * (size_t)s->nq * sizeof(*s->out));
	for (int j = 0; j < dense_blocks(l); j++) {
		size_t values = block_values(&l->block[j]);
		for (size_t from = 0; from < values; from += SCAN_VALUES)
			many_chunk(s, p, j, codes, from, values - from < SCAN_VALUES ? values - from : SCAN_VALUES,
				s->buffer[worker]);
		codes += block_bytes(l, &l->block[j]);
	}
}

static void
many_run(struct scan *s, struct pool *pool)
{
	int workers = pool_threads(pool);
	mm_init();
	scan_cut(s, SCAN_ROWS);
	s->buffer = xcalloc((size_t)workers, sizeof(*s->buffer));
	pool_run(pool, s->n_pieces, many_piece, s);
	for (int i = 0; i < workers; i++)
		free(s->buffer[i]);
	free(s->buffer);
}

/* ---- few queries -------------------------------------------------------------------------------------------- */

/* n <= FEW_ROWS rows. Whole numbers are exact; their sum over blocks is taken in one order. */
static void
few_rows(const struct scan *s, const uint8_t *codes, const float *scales, size_t n, float *out)
{
	const struct feature_layout *l = &s->f->layout;
	int blocks = dense_blocks(l);
	double sum[FEW_ROWS][FEW] = {{0}};
	for (int j = 0; j < blocks; j++) {
		for (int q = 0; q < s->nq; q++) {
			const struct codes_factor *f = &s->factor[q * blocks + j];
			int64_t dot[FEW_ROWS];
			codes_dot(f, codes, l->code_bytes, n, dot);
			for (size_t r = 0; r < n; r++)
				sum[r][q] += f->scale * scales[r * (size_t)l->n_blocks + (size_t)j] * (double)dot[r];
		}
		codes += block_bytes(l, &l->block[j]);
	}
	for (size_t r = 0; r < n; r++)
		for (int q = 0; q < s->nq; q++)
			out[r * (size_t)s->nq + (size_t)q] = (float)sum[r][q];
}

static void
few_piece(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	const struct piece *p = &s->piece[i];
	const struct feature_layout *l = &s->f->layout;
	const struct shard *shard = &s->f->shard[p->shard];
	(void)worker;
	if (!fault_go(s->fault))
		return;
	for (size_t r = 0; r < p->n; r += FEW_ROWS)
		few_rows(s, shard->codes + (p->from + r) * l->code_bytes,
			shard->scales + (p->from + r) * (size_t)l->n_blocks, p->n - r < FEW_ROWS ? p->n - r : FEW_ROWS,
			s->out + (p->row + r) * (size_t)s->nq);
}

static void
few_run(struct scan *s, struct pool *pool)
{
	const struct feature_layout *l = &s->f->layout;
	size_t rows = FEW_BYTES / (l->code_bytes + 1) / FEW_ROWS * FEW_ROWS;
	int blocks = dense_blocks(l), n = s->nq * blocks;
	s->factor = xcalloc((size_t)n + 1, sizeof(*s->factor));
	for (int i = 0; i < n; i++) {
		const struct feature_block *b = &l->block[i % blocks];
		codes_factor_make(&s->factor[i], l->bits, s->query + (size_t)(i / blocks) * l->dense + b->at,
			block_values(b));
	}
	scan_cut(s, rows > 0 ? rows : FEW_ROWS);
	pool_run(pool, s->n_pieces, few_piece, s);
	for (int i = 0; i < n; i++)
		codes_factor_free(&s->factor[i]);
	free(s->factor);
}

/* ------------------------------------------------------------------------------------------------------------- */

void
features_scan_dense(const struct features *f, const float *query, int nq, float *out, struct pool *pool,
	struct fault *fault)
{
	struct scan s = { .f = f, .query = query, .nq = nq, .out = out, .fault = fault };
	(nq <= FEW ? few_run : many_run)(&s, pool);
	free(s.piece);
}

void
features_scan(const struct features *f, const float *query, int nq, float *out, struct pool *pool)
{
	struct fault fault;
	fault_init(&fault, NULL);
	features_scan_dense(f, query, nq, out, pool, &fault);
	enum err err = fault_end(&fault);
	assert(err == OK);
	(void)err;
}
