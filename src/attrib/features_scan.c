/* features_scan: all rows times a few queries. Codes become floats a cacheful at a time, on their way into a matrix
 * product. */
#include "features_internal.h"

#include <stdlib.h>
#include <string.h>

#include "byline/codes.h"
#include "byline/mem.h"
#include "byline/mm.h"

/* Rows of a piece and values of a row taken at once, fixed so that results are: as floats they stay in the second-level
 * cache. Whole bytes of codes, whatever their bits. */
enum { SCAN_ROWS = 64, SCAN_VALUES = 1024 };

struct piece { size_t shard, from, n, row; };	/* rows of a shard, and the first one's number over all shards */

struct scan {
	const struct features *f;
	struct piece *piece;
	size_t n_pieces;
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
			s->piece[s->n_pieces++] = (struct piece){ i, from, left < SCAN_ROWS ? left : SCAN_ROWS,
				f->first[i] + from };
		}
}

/* Values [from, from + n) of block `number`, of all rows of the piece: out += theirs . query^T. */
static void
scan_chunk(const struct scan *s, const struct piece *p, int number, const uint8_t *codes, size_t from, size_t n,
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
scan_piece(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	const struct piece *p = &s->piece[i];
	const struct feature_layout *l = &s->f->layout;
	const uint8_t *codes = s->f->shard[p->shard].codes + p->from * l->code_bytes;
	if (!s->buffer[worker])
		s->buffer[worker] = xreallocarray(NULL, SCAN_ROWS * SCAN_VALUES, sizeof(float));
	memset(s->out + p->row * (size_t)s->nq, 0, p->n * (size_t)s->nq * sizeof(*s->out));
	for (int j = 0; j < l->n_blocks && !l->block[j].own; j++) {
		size_t values = block_values(&l->block[j]);
		for (size_t from = 0; from < values; from += SCAN_VALUES)
			scan_chunk(s, p, j, codes, from, values - from < SCAN_VALUES ? values - from : SCAN_VALUES,
				s->buffer[worker]);
		codes += block_bytes(l, &l->block[j]);
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
