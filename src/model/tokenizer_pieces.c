/* From a piece of text to tokens: its symbols, merged. */
#include "tok_encode.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

void
encoder_emit(struct encoder *e, int32_t id, uint32_t from, uint32_t to)
{
	/* Of what two added tokens both took the first has the bytes. */
	from = from < e->done ? e->done : from;
	e->done = to = to < from ? from : to;
	mem_grow(&e->out, &e->cap, e->n_out + 1, sizeof(*e->out));
	e->out[e->n_out++] = (struct token_span){ .id = id, .from = from, .to = to };
}

/* ---- symbols ---- */

/*
 * Symbols of a piece being put into e->bpe.nodes, `at` bytes of it so far. An unknown one of `unknown` bytes waits, for
 * others to join it where the file says so; `tokenizers` lets the bytes that fall back pass it, and gives spans in the
 * order that comes of it, which happens in files only that lack some of the 256 byte tokens. Where the file has no
 * unknown token either, the symbol is left out, as there, and its neighbours may merge.
 */
struct symbols { int32_t n; size_t at, unknown; };

static void
symbol_add(struct encoder *e, struct symbols *to, int32_t id, size_t len)
{
	e->bpe.nodes[to->n] = (struct bpe_node){ .id = id, .prev = to->n - 1, .next = to->n + 1,
		.from = (uint32_t)to->at, .to = (uint32_t)(to->at + len) };
	to->n++;
	to->at += len;
}

static void
symbol_flush(struct encoder *e, struct symbols *to)
{
	if (to->unknown > 0)
		symbol_add(e, to, e->t->unk, to->unknown);
	to->unknown = 0;
}

static void
symbol_unknown(struct encoder *e, struct symbols *to, size_t len)
{
	if (!e->t->fuse_unk)
		symbol_flush(e, to);
	to->unknown += len;
}

/* How many there are. */
static int32_t
symbols_of(struct encoder *e, const char *s, size_t n)
{
	struct symbols to = {0};
	for (size_t i = 0, len; i < n; i += len) {
		struct symbol symbol = tokenizer_symbol(e->t, s + i, n - i);
		len = symbol.len;
		switch (symbol.kind) {
		case SYMBOL_TOKEN:
			symbol_flush(e, &to);
			symbol_add(e, &to, symbol.first, len);
			break;
		case SYMBOL_BYTES:
			for (size_t k = 0; k < len; k++)
				symbol_add(e, &to, e->t->byte_id[(unsigned char)s[i + k]], 1);
			break;
		case SYMBOL_UNKNOWN: symbol_unknown(e, &to, len); break;
		case SYMBOL_NONE: to.at += len; break;
		}
	}
	symbol_flush(e, &to);
	if (to.n > 0)
		e->bpe.nodes[to.n - 1].next = -1;
	return to.n;
}

/* ---- pieces ---- */

/* A stretch of a text, encoded by itself. */
struct stretch { const struct mapped *m; size_t from, to; };

static void
emit_part(struct encoder *e, const struct stretch *p, int32_t id, size_t from, size_t to)
{
	encoder_emit(e, id, mapped_source(p->m, p->from + from), mapped_end(p->m, p->from + from, p->from + to));
}

/* Unless something was left out: only where tokens end is remembered. */
static void
remember(struct encoder *e, const char *s, size_t n)
{
	const struct bpe_node *v = e->bpe.nodes;
	size_t count = 0, at = 0;
	for (int32_t i = 0; i >= 0; i = v[i].next) {
		if (v[i].from != at)
			return;
		at = v[i].to;
		count++;
	}
	if (at != n)
		return;
	int32_t *room = cache_put(&e->cache, s, n, count);
	for (int32_t i = 0; i >= 0; i = v[i].next) {
		*room++ = v[i].id;
		*room++ = (int32_t)v[i].to;
	}
}

static enum err
encode_merged(struct encoder *e, const struct stretch *p)
{
	const char *s = p->m->s + p->from;
	size_t n = p->to - p->from;
	TRY(bpe_reserve(&e->bpe, n));
	if (symbols_of(e, s, n) == 0)
		return OK;
	bpe_run(&e->bpe, &e->t->merges);
	const struct bpe_node *v = e->bpe.nodes;
	for (int32_t i = 0; i >= 0; i = v[i].next)
		emit_part(e, p, v[i].id, v[i].from, v[i].to);
	if (n <= CACHE_KEY_MAX)
		remember(e, s, n);
	return OK;
}

static enum err
encode_stretch(struct encoder *e, const struct stretch *p)
{
	const char *s = p->m->s + p->from;
	size_t n = p->to - p->from, from = 0;
	const int32_t *token;
	size_t count = n <= CACHE_KEY_MAX ? cache_get(&e->cache, s, n, &token) : 0;
	if (count == 0)
		return encode_merged(e, p);
	for (size_t i = 0; i < count; i++) {
		size_t to = (size_t)token[2 * i + 1];
		emit_part(e, p, token[2 * i], from, to);
		from = to;
	}
	return OK;
}

/* A long piece is cut where no merge can reach across, so that neither memory nor time grow with its length: files of
 * the SentencePiece kind have whole texts as one piece. */
static enum err
encode_long(struct encoder *e, const struct stretch *p)
{
	struct stretch now = { p->m, p->from, p->from };
	struct seam seam = { .last = -1 };
	for (size_t at = p->from; at < p->to;) {
		struct symbol symbol = tokenizer_symbol(e->t, p->m->s + at, p->to - at);
		if (seam_pass(e->t, &seam, &symbol)) {
			now.to = at;
			TRY(encode_stretch(e, &now));
			now.from = at;
		}
		at += symbol.len;
	}
	now.to = p->to;
	return encode_stretch(e, &now);
}

enum err
encoder_piece(struct encoder *e, const struct mapped *m, const struct piece *piece)
{
	struct stretch p = { m, piece->from, piece->to };
	size_t n = piece->to - piece->from;
	int32_t whole = e->t->ignore_merges ? str_map_get(&e->t->whole, m->s + piece->from, n) : -1;
	if (whole < 0)
		return n > CACHE_KEY_MAX ? encode_long(e, &p) : encode_stretch(e, &p);
	emit_part(e, &p, whole, 0, n);
	return OK;
}
