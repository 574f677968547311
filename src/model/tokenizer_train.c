/*
 * Training byte-level BPE (Sennrich, Haddow, Birch 2016): the most frequent pair becomes a token, again and again.
 * Counts are kept up to date by what each merge changes; a heap holds them, and entries that have gone stale are put
 * right when they come up.
 */
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tok_train.h"

static const char special[] = "<|endoftext|>";

enum { FIRST_BYTE = 1, BYTES = 256, MIN_COUNT = 2 };

/* A pair of tokens: how often it comes, and in which words (some of them no longer). */
struct pair { int32_t a, b; int64_t count; int32_t *words; size_t n, cap; bool grew; };
struct entry { int64_t count; int32_t a, b, pair; };
struct spelling { char *s; size_t n; };

struct trainer {
	struct words words;
	int32_t **symbols;		/* per word */
	uint32_t *lengths;
	struct pair *pairs;
	size_t n_pairs, pairs_cap;
	struct pair_map index;		/* x: place in pairs */
	int32_t *grew;			/* pairs to be put into the heap */
	size_t n_grew, grew_cap;
	struct entry *heap;
	size_t n_heap, heap_cap;
	struct spelling *tokens;	/* bytes of each id but the special one */
	size_t n_tokens, tokens_cap;
	struct str_map known;
	json_t *merges;
};

/* ---- tokens ---- */

static int32_t
token_add(struct trainer *t, const char *s, size_t n)
{
	int32_t id = str_map_get(&t->known, s, n);
	if (id >= 0)
		return id;
	char *copy = memcpy(xmalloc(n), s, n);
	id = (int32_t)t->n_tokens;
	mem_grow(&t->tokens, &t->tokens_cap, t->n_tokens + 1, sizeof(*t->tokens));
	t->tokens[t->n_tokens++] = (struct spelling){ copy, n };
	str_map_put(&t->known, copy, n, id);
	return id;
}

/* Bytes in order of their letters, as every byte-level vocabulary has them. */
static void
tokens_begin(struct trainer *t)
{
	token_add(t, special, sizeof(special) - 1);
	for (int32_t cp = 0; t->n_tokens < FIRST_BYTE + BYTES; cp++) {
		char byte = (char)alphabet_byte(cp);
		if (alphabet_byte(cp) >= 0)
			token_add(t, &byte, 1);
	}
}

/* ---- the heap: most frequent first, among equals the smaller pair of ids ---- */

static bool
entry_before(const struct entry *x, const struct entry *y)
{
	if (x->count != y->count)
		return x->count > y->count;
	return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void
entry_push(struct trainer *t, int32_t pair)
{
	const struct pair *p = &t->pairs[pair];
	struct entry e = { .count = p->count, .a = p->a, .b = p->b, .pair = pair };
	mem_grow(&t->heap, &t->heap_cap, t->n_heap + 1, sizeof(*t->heap));
	size_t i = t->n_heap++;
	for (; i > 0 && entry_before(&e, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
		t->heap[i] = t->heap[(i - 1) / 2];
	t->heap[i] = e;
}

static struct entry
entry_pop(struct trainer *t)
{
	struct entry top = t->heap[0], last = t->heap[--t->n_heap];
	size_t i = 0, child;
	while ((child = 2 * i + 1) < t->n_heap) {
		if (child + 1 < t->n_heap && entry_before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (!entry_before(&t->heap[child], &last))
			break;
		t->heap[i] = t->heap[child];
		i = child;
	}
	t->heap[i] = last;
	return top;
}

/* The pair that really is the most frequent, or -1. */
static int32_t
best_pair(struct trainer *t)
{
	while (t->n_heap > 0) {
		struct entry top = entry_pop(t);
		int64_t count = t->pairs[top.pair].count;
		if (count < MIN_COUNT)
			continue;
		if (count == top.count)
			return top.pair;
		entry_push(t, top.pair);
	}
	return -1;
}

/* ---- counts ---- */

static void
pair_change(struct trainer *t, int32_t a, int32_t b, int64_t delta, int32_t word)
{
	struct pair_slot *slot = pair_map_put(&t->index, a, b);
	if (t->index.used > t->n_pairs) {
		slot->x = (int32_t)t->n_pairs;
		mem_grow(&t->pairs, &t->pairs_cap, t->n_pairs + 1, sizeof(*t->pairs));
		t->pairs[t->n_pairs++] = (struct pair){ .a = a, .b = b };
	}
	struct pair *p = &t->pairs[slot->x];
	p->count += delta;
	if (delta < 0)
		return;
	if (p->n == 0 || p->words[p->n - 1] != word) {
		mem_grow(&p->words, &p->cap, p->n + 1, sizeof(*p->words));
		p->words[p->n++] = word;
	}
	if (!p->grew) {
		p->grew = true;
		mem_grow(&t->grew, &t->grew_cap, t->n_grew + 1, sizeof(*t->grew));
		t->grew[t->n_grew++] = slot->x;
	}
}

static void
push_grown(struct trainer *t)
{
	for (size_t i = 0; i < t->n_grew; i++) {
		t->pairs[t->grew[i]].grew = false;
		entry_push(t, t->grew[i]);
	}
	t->n_grew = 0;
}

static void
count_pairs(struct trainer *t)
{
	const struct words *w = &t->words;
	t->symbols = xcalloc(w->n, sizeof(*t->symbols));
	t->lengths = xcalloc(w->n, sizeof(*t->lengths));
	for (size_t i = 0; i < w->n; i++) {
		int32_t *v = t->symbols[i] = xmalloc(w->v[i].n * sizeof(*v));
		t->lengths[i] = w->v[i].n;
		for (uint32_t k = 0; k < w->v[i].n; k++)
			v[k] = str_map_get(&t->known, w->v[i].s + k, 1);
		for (uint32_t k = 0; k + 1 < w->v[i].n; k++)
			pair_change(t, v[k], v[k + 1], w->v[i].count, (int32_t)i);
	}
	push_grown(t);
}

/* ---- merging ---- */

static void
merge_word(struct trainer *t, int32_t word, int32_t a, int32_t b, int32_t made)
{
	int32_t *v = t->symbols[word];
	int64_t count = t->words.v[word].count;
	uint32_t n = t->lengths[word], out = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 == n || v[i] != a || v[i + 1] != b) {
			v[out++] = v[i];
			continue;
		}
		if (out > 0) {
			pair_change(t, v[out - 1], a, -count, word);
			pair_change(t, v[out - 1], made, count, word);
		}
		if (i + 2 < n) {
			pair_change(t, b, v[i + 2], -count, word);
			pair_change(t, made, v[i + 2], count, word);
		}
		v[out++] = made;
		i++;
	}
	t->lengths[word] = out;
}

static void
record_merge(struct trainer *t, int32_t a, int32_t b)
{
	struct str line = {0};
	alphabet_write(&line, t->tokens[a].s, t->tokens[a].n);
	str_addc(&line, ' ');
	alphabet_write(&line, t->tokens[b].s, t->tokens[b].n);
	json_array_append_new(t->merges, json_stringn(line.s, line.len));
	str_free(&line);
}

static void
merge_pair(struct trainer *t, int32_t pair)
{
	/* The table of pairs moves while it grows; what we need of this one is taken out first. */
	struct pair p = t->pairs[pair];
	struct str both = {0};
	t->pairs[pair].words = NULL;
	t->pairs[pair].n = t->pairs[pair].cap = 0;
	str_add(&both, t->tokens[p.a].s, t->tokens[p.a].n);
	str_add(&both, t->tokens[p.b].s, t->tokens[p.b].n);
	/* Two ways to spell one token: a second merge, but no second token. */
	int32_t made = token_add(t, both.s, both.len);
	record_merge(t, p.a, p.b);
	for (size_t i = 0; i < p.n; i++)
		merge_word(t, p.words[i], p.a, p.b, made);
	t->pairs[pair].count = 0;
	push_grown(t);
	str_free(&both);
	free(p.words);
}

static enum err
merge_all(struct trainer *t, size_t vocab, struct job *job)
{
	job_phase(job, "merging", vocab);
	while (t->n_tokens < vocab) {
		int32_t pair = best_pair(t);
		if (pair < 0)
			break;
		merge_pair(t, pair);
		job_step(job, t->n_tokens);
		TRY(job_check(job));
	}
	return OK;
}

/* ---- tokenizer.json ---- */

static json_t *
vocab_json(const struct trainer *t)
{
	json_t *vocab = json_object();
	struct str text = {0};
	json_object_set_new(vocab, special, json_integer(0));
	for (size_t id = FIRST_BYTE; id < t->n_tokens; id++) {
		str_clear(&text);
		alphabet_write(&text, t->tokens[id].s, t->tokens[id].n);
		json_object_set_new(vocab, text.s, json_integer((json_int_t)id));
	}
	str_free(&text);
	return vocab;
}

static json_t *
byte_level_json(void)
{
	return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1,
		"use_regex", 1);
}

static json_t *
added_json(void)
{
	return json_pack("[{s:i, s:s, s:b, s:b, s:b, s:b, s:b}]", "id", 0, "content", special,
		"single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1);
}

static json_t *
model_json(const struct trainer *t)
{
	return json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:O}", "type", "BPE",
		"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
		"fuse_unk", 0, "byte_fallback", 0, "ignore_merges", 0, "vocab", vocab_json(t), "merges", t->merges);
}

static json_t *
tokenizer_json(const struct trainer *t)
{
	return json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:o, s:o, s:o}", "version", "1.0", "truncation", "padding",
		"added_tokens", added_json(), "normalizer", "pre_tokenizer", byte_level_json(),
		"post_processor", byte_level_json(), "decoder", byte_level_json(), "model", model_json(t));
}

static enum err
trainer_finish(const struct trainer *t, struct tokenizer **out)
{
	struct str text = {0};
	json_t *root = tokenizer_json(t);
	json_print(&text, root, 1);
	str_addc(&text, '\n');
	json_decref(root);
	enum err err = tokenizer_parse(out, text.s, text.len, "the trained tokenizer");
	str_free(&text);
	return err;
}

static void
trainer_free(struct trainer *t)
{
	for (size_t i = 0; t->symbols && i < t->words.n; i++)
		free(t->symbols[i]);
	for (size_t i = 0; i < t->n_pairs; i++)
		free(t->pairs[i].words);
	for (size_t i = 0; i < t->n_tokens; i++)
		free(t->tokens[i].s);
	free(t->symbols);
	free(t->lengths);
	free(t->pairs);
	free(t->grew);
	free(t->heap);
	free(t->tokens);
	pair_map_free(&t->index);
	str_map_free(&t->known);
	json_decref(t->merges);
	words_free(&t->words);
}

enum err
tokenizer_train(struct tokenizer **out, const struct text_source *src, int vocab, struct job *job)
{
	struct trainer t = { .merges = json_array() };
	enum err err = OK;
	*out = NULL;
	if (vocab < FIRST_BYTE + BYTES || vocab > TOK_MAX_ID)
		err = err_set(ERR_USAGE, "a vocabulary of %d tokens: it must be from %d (the bytes and %s) to %d",
			vocab, FIRST_BYTE + BYTES, special, TOK_MAX_ID);
	if (err == OK)
		err = words_collect(&t.words, src, job);
	if (err == OK) {
		tokens_begin(&t);
		count_pairs(&t);
		err = merge_all(&t, (size_t)vocab, job);
	}
	if (err == OK)
		err = trainer_finish(&t, out);
	trainer_free(&t);
	return err;
}
