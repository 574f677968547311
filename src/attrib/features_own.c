/*
 * features_own: the own block of all rows against a table of the vocabulary, whose rows their tokens choose: codes as
 * they are, in whole numbers (codes.h).
 */
#include <stdlib.h>
#include <string.h>

#include "byline/codes.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "features_internal.h"

/* ---- the table ---------------------------------------------------------------------------------------------- */

enum { TABLE_ROWS = 256 };		/* of a piece */

struct table_make {
	const struct feature_query *q;
	int from, to;			/* queries */
	float *values, *most;		/* (vocab, ka), by piece */
	struct codes_factor *table;
};

static int
table_rows(const struct table_make *t, size_t piece)
{
	int left = t->q->layout->vocab - (int)piece * TABLE_ROWS;
	return left < TABLE_ROWS ? left : TABLE_ROWS;
}

/* The span's outer products s a^T, added up. */
static void
table_sum(void *arg, size_t piece, int worker)
{
	struct table_make *t = arg;
	const struct feature_query *q = t->q;
	int ka = feature_layout_own(q->layout)->ka, rows = table_rows(t, piece), vocab = q->layout->vocab;
	size_t first = piece * TABLE_ROWS;
	float *values = t->values + first * (size_t)ka;
	(void)worker;
	for (int i = t->from; i < t->to; i++) {
		size_t at = (size_t)i * (size_t)q->terms;
		mm_at(rows, ka, q->n_terms[i], 1, q->s + at * (size_t)vocab + first, vocab, q->a + at * (size_t)ka, ka,
			1, values, ka);
	}
	t->most[piece] = codes_most(values, (size_t)rows * (size_t)ka);
}

static void
table_fill(void *arg, size_t piece, int worker)
{
	struct table_make *t = arg;
	size_t first = piece * TABLE_ROWS, end = first + (size_t)table_rows(t, piece);
	(void)worker;
	for (size_t row = first; row < end; row++)
		codes_factor_fill(t->table, row, t->values + row * (size_t)feature_layout_own(t->q->layout)->ka);
}

static enum err
own_table(struct codes_factor *table, const struct feature_query *q, int from, int to, struct pool *pool)
{
	const struct feature_layout *l = q->layout;
	size_t ka = (size_t)feature_layout_own(l)->ka, pieces = ((size_t)l->vocab + TABLE_ROWS - 1) / TABLE_ROWS;
	struct table_make t = { .q = q, .from = from, .to = to, .table = table };
	float most = 0;
	*table = (struct codes_factor){0};
	mm_init();
	TRY(mem_array(&t.values, (size_t)l->vocab * ka, sizeof(*t.values), "features of the span"));
	t.most = xcalloc(pieces, sizeof(*t.most));
	pool_run(pool, pieces, table_sum, &t);
	for (size_t i = 0; i < pieces; i++)
		/* Also when it is no number. */
		most = t.most[i] <= most ? most : t.most[i];
	codes_factor_begin(table, l->bits, (size_t)l->vocab, ka, most);
	pool_run(pool, pieces, table_fill, &t);
	free(t.values);
	free(t.most);
	return OK;
}

/* ---- the scan ----------------------------------------------------------------------------------------------- */

enum { OWN_ROWS = 128 };		/* of a piece */

struct own_piece { size_t shard, from, to; };
struct own_scan {
	const struct features *f;
	const struct feature_block *block;
	const struct codes_factor *table;
	float *out;
	size_t stride, before;		/* before: bytes of a row's codes that are other blocks' */
	struct own_piece *piece;
	size_t n;
	uint32_t **tokens;		/* by worker */
	uint8_t **codes;
	struct fault *fault;
};

/* Parts of an odd number of half bytes, each moved to begin on a byte. */
static const uint8_t *
parts_align(const uint8_t *codes, size_t ka, size_t n, uint8_t *out)
{
	size_t bytes = codes_bytes(4, ka);
	memset(out, 0, n * bytes);
	for (size_t i = 0; i < n * ka; i++) {
		int half = i % 2 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
		out[i / ka * bytes + i % ka / 2] |= (uint8_t)(i % ka % 2 ? half << 4 : half);
	}
	return out;
}

static double
own_row(const struct own_scan *s, const struct shard *shard, size_t row, int worker)
{
	const struct feature_layout *l = &s->f->layout;
	const uint8_t *codes = shard->codes + row * l->code_bytes + s->before;
	size_t ka = (size_t)s->block->ka, n = 0;
	shard_tokens(shard, l, row, s->tokens[worker]);
	while (n < (size_t)s->block->ks && s->tokens[worker][n] != FEATURE_NONE)
		n++;
	if (l->bits == 4 && ka % 2)
		codes = parts_align(codes, ka, n, s->codes[worker]);
	return s->table->scale * shard->scales[(row + 1) * (size_t)l->n_blocks - 1]
		* (double)codes_dot_parts(s->table, codes, l->code_bytes, s->tokens[worker], n);
}

static void
own_run(void *arg, size_t i, int worker)
{
	struct own_scan *s = arg;
	const struct own_piece *p = &s->piece[i];
	if (!fault_go(s->fault))
		return;
	if (!s->tokens[worker]) {
		s->tokens[worker] = xcalloc((size_t)s->block->ks + 1, sizeof(**s->tokens));
		s->codes[worker] = xcalloc((size_t)s->block->ks + 1, s->table->bytes);
	}
	for (size_t r = p->from; r < p->to; r++)
		s->out[(s->f->first[p->shard] + r) * s->stride] += (float)own_row(s, &s->f->shard[p->shard], r, worker);
}

static void
own_cut(struct own_scan *s)
{
	size_t cap = 0;
	for (size_t i = 0; i < s->f->n_shards; i++)
		for (size_t from = 0; from < s->f->shard[i].n; from += OWN_ROWS) {
			size_t left = s->f->shard[i].n - from;
			mem_grow(&s->piece, &cap, s->n + 1, sizeof(*s->piece));
			s->piece[s->n++] = (struct own_piece){ i, from, from + (left < OWN_ROWS ? left : OWN_ROWS) };
		}
}

static void
own_scan(const struct features *f, const struct codes_factor *table, float *out, size_t stride, struct pool *pool,
	struct fault *fault)
{
	struct own_scan s = { .f = f, .block = feature_layout_own(&f->layout), .table = table, .out = out,
		.stride = stride, .fault = fault };
	int workers = pool_threads(pool);
	s.before = f->layout.code_bytes - block_bytes(&f->layout, s.block);
	s.tokens = xcalloc((size_t)workers, sizeof(*s.tokens));
	s.codes = xcalloc((size_t)workers, sizeof(*s.codes));
	own_cut(&s);
	pool_run(pool, s.n, own_run, &s);
	for (int i = 0; i < workers; i++) {
		free(s.tokens[i]);
		free(s.codes[i]);
	}
	free(s.tokens);
	free(s.codes);
	free(s.piece);
}

enum err
features_scan_own(const struct features *f, const struct feature_query *q, int from, int to, float *out, size_t stride,
	struct pool *pool, struct fault *fault)
{
	struct codes_factor table;
	TRY(own_table(&table, q, from, to, pool));
	own_scan(f, &table, out, stride, pool, fault);
	codes_factor_free(&table);
	return OK;
}
