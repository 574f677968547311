/* gguf: SentencePiece's scores as merges. */
#include "gguf_tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* Cutting up is quadratic in the length of a piece. */
enum { PIECE_MAX = 512 };

struct cut { double score; int32_t id, left, right; };
struct cuts { struct cut *v; size_t n, cap; };

static bool
is_piece(const struct gguf_token *t)
{
	return t->type == GGUF_TOKEN_NORMAL || t->type == GGUF_TOKEN_USER;
}

static void
cut_piece(const struct gguf_vocabulary *v, const struct str_map *ids, int32_t id, struct cuts *cuts)
{
	const struct gguf_token *t = &v->tokens[id];
	for (size_t at = 1; at < t->n; at++) {
		if (((unsigned char)t->s[at] & 0xc0) == 0x80)
			continue;
		int32_t left = str_map_get(ids, t->s, at);
		int32_t right = left < 0 ? -1 : str_map_get(ids, t->s + at, t->n - at);
		if (right < 0)
			continue;
		mem_grow(&cuts->v, &cuts->cap, cuts->n + 1, sizeof(*cuts->v));
		cuts->v[cuts->n++] = (struct cut){ gguf_number(v->scores, (uint64_t)id), id, left, right };
	}
}

static int
cut_cmp(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->left != y->left)
		return x->left < y->left ? -1 : 1;
	return x->right < y->right ? -1 : x->right > y->right;
}

static enum err
collect(const struct gguf_vocabulary *v, struct str_map *ids, struct cuts *cuts)
{
	for (size_t id = 0; id < v->n; id++) {
		if (!is_piece(&v->tokens[id]))
			continue;
		if (v->tokens[id].n > PIECE_MAX)
			return err_set(ERR_LIMIT, "%s: token %zu has %zu bytes, at most %d are read", v->g->path, id,
				v->tokens[id].n, PIECE_MAX);
		if (isnan(gguf_number(v->scores, id)))
			return err_set(ERR_FORMAT, "%s: the score of token %zu is not a number", v->g->path, id);
		str_map_put(ids, v->tokens[id].s, v->tokens[id].n, (int32_t)id);
	}
	for (size_t id = 0; id < v->n; id++)
		if (is_piece(&v->tokens[id]))
			cut_piece(v, ids, (int32_t)id, cuts);
	return OK;
}

enum err
gguf_piece_merges(const struct gguf_vocabulary *v, json_t *merges)
{
	struct str_map ids = {0};
	struct cuts cuts = {0};
	if (!v->scores)
		return err_set(ERR_MISSING, "%s: its tokenizer has no scores (tokenizer.ggml.scores)", v->g->path);
	enum err err = collect(v, &ids, &cuts);
	if (err == OK && cuts.n > 0)
		qsort(cuts.v, cuts.n, sizeof(*cuts.v), cut_cmp);
	for (size_t i = 0; err == OK && i < cuts.n; i++) {
		const struct gguf_token *a = &v->tokens[cuts.v[i].left], *b = &v->tokens[cuts.v[i].right];
		json_array_append_new(merges, json_pack("[s%, s%]", a->s, a->n, b->s, b->n));
	}
	free(cuts.v);
	str_map_free(&ids);
	return err;
}
