/* features_own: the own block of all rows against a table of the vocabulary. */
#include <stdlib.h>

#include "byline/codes.h"
#include "byline/mem.h"

#include "features_internal.h"

enum { OWN_ROWS = 64 };			/* of a piece */

struct own_piece { size_t shard, from, to; };
struct own_scan {
	const struct features *f;
	const float *table;
	float *out;
	size_t stride, before;		/* before: bytes of a row's codes that are other blocks' */
	struct own_piece *piece;
	size_t n;
	float **values;			/* by worker: one row's block */
	uint32_t **tokens;
};

static float
row_score(const float *values, const uint32_t *tokens, const float *table, int own, int ka)
{
	float sum = 0;
	for (int i = 0; i < own && tokens[i] != FEATURE_NONE; i++) {
		const float *x = values + (size_t)i * (size_t)ka, *y = table + (size_t)tokens[i] * (size_t)ka;
		float part[8] = {0};
		int j = 0;
		for (; j + 8 <= ka; j += 8)
			for (int k = 0; k < 8; k++)
				part[k] += x[j + k] * y[j + k];
		for (; j < ka; j++)
			part[0] += x[j] * y[j];
		sum += ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
	}
	return sum;
}

static size_t
tokens_kept(const uint32_t *tokens, size_t own)
{
	size_t n = 0;
	while (n < own && tokens[n] != FEATURE_NONE)
		n++;
	return n;
}

static void
own_run(void *arg, size_t i, int worker)
{
	struct own_scan *s = arg;
	const struct own_piece *p = &s->piece[i];
	const struct feature_layout *l = &s->f->layout;
	const struct feature_block *b = feature_layout_own(l);
	const struct shard *shard = &s->f->shard[p->shard];
	if (!s->values[worker]) {
		s->values[worker] = xcalloc(block_values(b) + 1, sizeof(float));
		s->tokens[worker] = xcalloc((size_t)b->ks + 1, sizeof(uint32_t));
	}
	for (size_t r = p->from; r < p->to; r++) {
		float *values = s->values[worker], scale = shard->scales[(r + 1) * (size_t)l->n_blocks - 1];
		uint32_t *tokens = s->tokens[worker];
		shard_tokens(shard, l, r, tokens);
		codes_read(l->bits, values, shard->codes + r * l->code_bytes + s->before,
			tokens_kept(tokens, (size_t)b->ks) * (size_t)b->ka, scale);
		s->out[(s->f->first[p->shard] + r) * s->stride] += row_score(values, tokens, s->table, b->ks, b->ka);
	}
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

void
features_scan_own(const struct features *f, const float *table, float *out, size_t stride, struct pool *pool)
{
	struct own_scan s = { .f = f, .table = table, .out = out, .stride = stride };
	int workers = pool_threads(pool);
	s.before = f->layout.code_bytes - block_bytes(&f->layout, feature_layout_own(&f->layout));
	s.values = xcalloc((size_t)workers, sizeof(*s.values));
	s.tokens = xcalloc((size_t)workers, sizeof(*s.tokens));
	own_cut(&s);
	pool_run(pool, s.n, own_run, &s);
	for (int i = 0; i < workers; i++) {
		free(s.values[i]);
		free(s.tokens[i]);
	}
	free(s.values);
	free(s.tokens);
	free(s.piece);
}
