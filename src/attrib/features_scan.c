/* features_scan: all rows times a few queries. Codes become floats a cacheful at a time, on their way into a matrix product. */
#include "features_internal.h"

#include <stdlib.h>

#include "byline/codes.h"
#include "byline/mem.h"
#include "byline/mm.h"

/* Rows of a piece, fixed so that results are. A block of 64 x 1024 floats stays in the second-level cache. */
enum { SCAN_ROWS = 64 };

struct piece { size_t shard, from, n, row; };	/* rows of a shard, and the first one's number over all shards */

struct scan {
	const struct features *f;
	struct piece *piece;
	size_t n_pieces, widest;
	const float *query;
	int nq;
	float *out;
	float **buffer;			/* by worker */
};

static void
scan_cut(struct scan *s)
{
	const struct features *f = s->f;
	size_t cap = 0;
	for (size_t i = 0; i < f->n_shards; i++)
		for (size_t from = 0; from < f->shard[i].n; from += SCAN_ROWS) {
			size_t left = f->shard[i].n - from;
			mem_grow(&s->piece, &cap, s->n_pieces + 1, sizeof(*s->piece));
			s->piece[s->n_pieces++] = (struct piece){ i, from, left < SCAN_ROWS ? left : SCAN_ROWS, f->first[i] + from };
		}
	for (int i = 0; i < f->layout.n_blocks; i++) {
		size_t values = block_values(&f->layout.block[i]);
		s->widest = values > s->widest ? values : s->widest;
	}
}

static void
scan_piece(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	const struct piece *p = &s->piece[i];
	const struct feature_layout *l = &s->f->layout;
	const struct shard *shard = &s->f->shard[p->shard];
	const uint8_t *codes = shard->codes + p->from * l->code_bytes;
	const float *scales = shard->scales + p->from * (size_t)l->n_blocks;
	float *out = s->out + p->row * (size_t)s->nq;
	if (!s->buffer[worker])
		s->buffer[worker] = xreallocarray(NULL, SCAN_ROWS * s->widest, sizeof(float));
	for (int j = 0; j < l->n_blocks; j++) {
		const struct feature_block *b = &l->block[j];
		size_t values = block_values(b);
		for (size_t r = 0; r < p->n; r++)
			codes_read(l->bits, s->buffer[worker] + r * values, codes + r * l->code_bytes, values,
				scales[r * (size_t)l->n_blocks + (size_t)j]);
		mm_bt((int)p->n, s->nq, (int)values, 1, s->buffer[worker], (int)values, s->query + b->at, (int)l->width, j > 0,
			out, s->nq);
		codes += block_bytes(l, b);
	}
}

void
features_scan(const struct features *f, const float *query, int nq, float *out, struct pool *pool)
{
	struct scan s = { .f = f, .query = query, .nq = nq, .out = out };
	int workers = pool_threads(pool);
	mm_init();
	scan_cut(&s);
	s.buffer = xcalloc((size_t)workers, sizeof(*s.buffer));
	pool_run(pool, s.n_pieces, scan_piece, &s);
	for (int i = 0; i < workers; i++)
		free(s.buffer[i]);
	free(s.buffer);
	free(s.piece);
}
