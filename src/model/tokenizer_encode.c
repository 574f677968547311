/* From text to tokens. */
#include "tok_encode.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

/* ---- stretches of text ---- */

static void
flush(struct encoder *e)
{
	if (!e->take || e->n_out == 0)
		return;
	e->take(e->arg, e->out, e->n_out);
	e->n_out = 0;
}

/* Text without added tokens, normalised. */
static enum err
encode_plain(struct encoder *e, const struct mapped *m, bool glued)
{
	const struct pieces *pieces;
	struct mapped text;
	TRY(splitter_begin(&e->splitter, e->t->steps, e->t->n_steps, m, glued));
	for (;;) {
		TRY(splitter_next(&e->splitter, &text, &pieces));
		if (!pieces)
			return OK;
		for (size_t i = 0; i < pieces->n; i++)
			TRY(encoder_piece(e, &text, &pieces->v[i]));
		flush(e);
	}
}

static struct mapped
mapped_part(const struct mapped *m, size_t from, size_t to)
{
	return (struct mapped){
		.s = m->s + from, .n = to - from, .at = m->at ? m->at + from : NULL, .to = m->at ? m->to + from : NULL,
		.base = m->base + (uint32_t)from,
	};
}

/* Cuts out the tokens of `set`; `encode` gets the rest, glued when m is and it lies at the start. */
static enum err
encode_around(struct encoder *e, const struct added_set *set, const struct mapped *m, bool glued,
	enum err (*encode)(struct encoder *e, const struct mapped *part, bool glued))
{
	struct added_scan scan = {0};
	size_t done = 0;
	const struct added *hit;
	do {
		hit = added_set_next(set, m->s, m->n, done, e->special, &scan);
		size_t from = hit ? scan.from : m->n, to = hit ? scan.to : m->n;
		if (from > done) {
			struct mapped part = mapped_part(m, done, from);
			TRY(encode(e, &part, glued && done == 0));
		}
		if (hit && to > from)
			encoder_emit(e, hit->id, mapped_source(m, from), mapped_end(m, from, to));
		done = to;
	} while (hit);
	return OK;
}

static enum err
encode_normalized(struct encoder *e, const struct mapped *m, bool glued)
{
	enum { LONG = 1 << 16 };
	struct mapped normal;
	for (size_t from = 0, to; from < m->n; from = to) {
		to = e->t->local && m->n - from > LONG ? tokenizer_cut_local(e->t, m->s, m->n, from + LONG) : m->n;
		struct mapped part = mapped_part(m, from, to);
		TRY(normal_apply(&e->t->normal, &e->normal, &part, glued || from > 0, &normal));
		TRY(encode_around(e, &e->t->normalized, &normal, glued || from > 0, encode_plain));
	}
	return OK;
}

/* A byte that is not UTF-8 stands alone: no pattern and no merge sees it. */
static void
encode_stray(struct encoder *e, size_t at)
{
	unsigned char byte = (unsigned char)e->text[at];
	int32_t id = e->t->byte_id[byte] >= 0 ? e->t->byte_id[byte] : e->t->unk;
	if (id >= 0)
		encoder_emit(e, id, (uint32_t)at, (uint32_t)at + 1);
}

static enum err
encode_all(struct encoder *e, size_t n, bool glued)
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
			TRY(encode_around(e, &e->t->raw, &run, glued || from > 0, encode_normalized));
		if (to < n)
			encode_stray(e, to++);
	}
	return OK;
}

static enum err
encode_begun(struct encoder *e, size_t n, bool glued)
{
	if (n > INT32_MAX / 2)
		return err_set(ERR_LIMIT, "a text of %zu bytes is too long to be one example", n);
	int32_t cp;
	splitter_init(&e->splitter);
	e->splitter.first = n > 0 ? (uint32_t)utf8_decode(e->text, n, &cp) : 0;
	normal_buf_init(&e->normal);
	enum err err = encode_all(e, n, glued);
	splitter_free(&e->splitter);
	normal_buf_free(&e->normal);
	bpe_work_free(&e->bpe);
	cache_free(&e->cache);
	return err;
}

static enum err
encode_text(struct encoder *e, size_t n, bool glued, struct token_span **out, size_t *n_out)
{
	*out = NULL;
	*n_out = 0;
	enum err err = encode_begun(e, n, glued);
	if (err != OK) {
		free(e->out);
		return err;
	}
	*out = e->out ? e->out : xcalloc(1, sizeof(*e->out));
	*n_out = e->n_out;
	return OK;
}

enum err
tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, bool special, struct token_span **out,
	size_t *n_out)
{
	struct encoder e = { .t = t, .text = text, .special = special };
	return encode_text(&e, n, false, out, n_out);
}

enum err
tokenizer_encode_on(const struct tokenizer *t, const char *text, size_t n, struct token_span **out, size_t *n_out)
{
	struct encoder e = { .t = t, .text = text };
	return encode_text(&e, n, true, out, n_out);
}

enum err
tokenizer_encode_each(const struct tokenizer *t, const char *text, size_t n, bool special,
	void (*take)(void *arg, const struct token_span *v, size_t n), void *arg)
{
	struct encoder e = { .t = t, .text = text, .special = special, .take = take, .arg = arg };
	enum err err = encode_begun(&e, n, false);
	if (err == OK)
		flush(&e);
	free(e.out);
	return err;
}
