/* From text to tokens. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"
#include "tok.h"

/* One call's state; a tokenizer has none, so that threads can share it. */
struct encoder {
	const struct tokenizer *t;
	const char *text;
	bool special;
	struct splitter splitter;
	struct normal_buf normal;
	struct bpe_work bpe;
	struct str bytes;
	struct token_span *out;
	size_t n_out, cap;
};

static void
emit(struct encoder *e, int32_t id, uint32_t from, uint32_t to)
{
	mem_grow(&e->out, &e->cap, e->n_out + 1, sizeof(*e->out));
	e->out[e->n_out++] = (struct token_span){ .id = id, .from = from, .to = to };
}

static enum err
no_token(unsigned char byte)
{
	return err_set(ERR_FORMAT, "the tokenizer has no token for byte 0x%02x and no unknown token", byte);
}

/* ---- pieces ---- */

/* A symbol a byte, ready for merging; *n is how many. Unknown bytes share one symbol where the file says so. */
static enum err
symbols_of(struct encoder *e, const char *s, size_t len, int32_t *n)
{
	struct bpe_node *v = e->bpe.nodes;
	bool unknown = false;
	*n = 0;
	for (size_t i = 0; i < len; i++) {
		int32_t id = e->t->byte_id[(unsigned char)s[i]];
		bool fuse = id < 0 && unknown && e->t->fuse_unk;
		unknown = id < 0;
		if (unknown && e->t->unk < 0)
			return no_token((unsigned char)s[i]);
		if (fuse)
			continue;
		v[*n] = (struct bpe_node){ .id = unknown ? e->t->unk : id, .prev = *n - 1, .next = *n + 1,
			.from = (uint32_t)i };
		++*n;
	}
	v[*n - 1].next = -1;
	return OK;
}

/* Where byte i of a piece came from; a space that was put before it came from nowhere. */
static uint32_t
source_of(const struct mapped *m, const struct piece *piece, size_t i)
{
	size_t skip = piece->space ? 1 : 0;
	return mapped_source(m, piece->from + (i > skip ? i - skip : 0));
}

static enum err
encode_piece(struct encoder *e, const struct mapped *m, const struct piece *piece)
{
	const char *s = m->s + piece->from;
	size_t len = piece->to - piece->from;
	int32_t n;
	if (piece->space) {
		str_clear(&e->bytes);
		str_addc(&e->bytes, ' ');
		str_add(&e->bytes, s, len++);
		s = e->bytes.s;
	}
	int32_t whole = e->t->ignore_merges ? str_map_get(&e->t->whole, s, len) : -1;
	if (whole >= 0) {
		emit(e, whole, source_of(m, piece, 0), source_of(m, piece, len));
		return OK;
	}
	TRY(bpe_reserve(&e->bpe, len));
	TRY(symbols_of(e, s, len, &n));
	bpe_run(&e->bpe, &e->t->merges);
	const struct bpe_node *v = e->bpe.nodes;
	for (int32_t i = 0; i >= 0; i = v[i].next) {
		size_t end = v[i].next < 0 ? len : v[v[i].next].from;
		emit(e, v[i].id, source_of(m, piece, v[i].from), source_of(m, piece, end));
	}
	return OK;
}

/* ---- stretches of text ---- */

/* Text without added tokens, normalised. */
static enum err
encode_plain(struct encoder *e, const struct mapped *m, bool glued)
{
	const struct pieces *pieces;
	TRY(splitter_run(&e->splitter, e->t->steps, e->t->n_steps, m, glued, &pieces));
	for (size_t i = 0; i < pieces->n; i++)
		TRY(encode_piece(e, m, &pieces->v[i]));
	return OK;
}

static struct mapped
mapped_part(const struct mapped *m, size_t from, size_t to)
{
	return (struct mapped){
		.s = m->s + from, .n = to - from, .at = m->at ? m->at + from : NULL, .base = m->base + (uint32_t)from,
	};
}

/* Cuts out the tokens of `set`; `encode` gets the rest, glued when m is and it lies at the start. */
static enum err
encode_around(struct encoder *e, const struct added_set *set, const struct mapped *m, bool glued,
	enum err (*encode)(struct encoder *e, const struct mapped *part, bool glued))
{
	size_t done = 0, at = 0, from, to;
	const struct added *hit;
	do {
		hit = added_set_next(set, m->s, m->n, done, e->special, &at, &from, &to);
		if (!hit)
			from = to = m->n;
		if (from > done) {
			struct mapped part = mapped_part(m, done, from);
			TRY(encode(e, &part, glued && done == 0));
		}
		if (hit)
			emit(e, hit->id, mapped_source(m, from), mapped_source(m, to));
		done = to;
	} while (hit);
	return OK;
}

static enum err
encode_normalized(struct encoder *e, const struct mapped *m, bool glued)
{
	struct mapped normal;
	normal_apply(&e->t->normal, &e->normal, m, &normal);
	return encode_around(e, &e->t->normalized, &normal, glued, encode_plain);
}

/* A byte that is not UTF-8 stands alone: no pattern and no merge sees it. */
static enum err
encode_stray(struct encoder *e, size_t at)
{
	unsigned char byte = (unsigned char)e->text[at];
	int32_t id = e->t->byte_id[byte] >= 0 ? e->t->byte_id[byte] : e->t->unk;
	if (id < 0)
		return no_token(byte);
	emit(e, id, (uint32_t)at, (uint32_t)at + 1);
	return OK;
}

static enum err
encode_all(struct encoder *e, size_t n)
{
	for (size_t from = 0, to = 0; from < n; from = to) {
		int32_t cp = 0;
		while (to < n) {
			size_t used = utf8_decode(e->text + to, n - to, &cp);
			if (cp < 0)
				break;
			to += used;
		}
		struct mapped run = { .s = e->text + from, .n = to - from, .base = (uint32_t)from };
		if (to > from)
			TRY(encode_around(e, &e->t->raw, &run, from > 0, encode_normalized));
		if (to < n)
			TRY(encode_stray(e, to++));
	}
	return OK;
}

enum err
tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, bool special, struct token_span **out,
	size_t *n_out)
{
	*out = NULL;
	*n_out = 0;
	if (n > INT32_MAX / 2)
		return err_set(ERR_LIMIT, "a text of %zu bytes is too long to be one example", n);
	struct encoder e = { .t = t, .text = text, .special = special };
	splitter_init(&e.splitter);
	enum err err = encode_all(&e, n);
	splitter_free(&e.splitter);
	normal_buf_free(&e.normal);
	bpe_work_free(&e.bpe);
	str_free(&e.bytes);
	if (err != OK) {
		free(e.out);
		return err;
	}
	*out = e.out ? e.out : xcalloc(1, sizeof(*e.out));
	*n_out = e.n_out;
	return OK;
}
