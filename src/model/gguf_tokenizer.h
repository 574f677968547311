/* gguf_tokenizer: the vocabulary of a GGUF file; private to the model floor. */
#ifndef BYLINE_MODEL_GGUF_TOKENIZER_H
#define BYLINE_MODEL_GGUF_TOKENIZER_H

#include "gguf_parts.h"
#include "tok.h"

/* The format's numbers. */
enum { GGUF_TOKEN_NORMAL = 1, GGUF_TOKEN_UNKNOWN, GGUF_TOKEN_CONTROL, GGUF_TOKEN_USER, GGUF_TOKEN_UNUSED,
	GGUF_TOKEN_BYTE };

struct gguf_token { const char *s; size_t n; int type; };	/* in the map */

struct gguf_vocabulary {
	const struct gguf *g;
	struct gguf_token *tokens;
	size_t n;
	const struct gguf_key *types, *scores;			/* numbers, one a token, or NULL */
};

bool gguf_is_text(const char *s, size_t n, const char *text);	/* s may be NULL */

/* ---- splitting (gguf_pre.c) ---- */

struct gguf_pre { const char *name, *patterns[3]; bool digits, nfc, whole, begin; };
enum err gguf_find_pre(const struct gguf *g, const struct gguf_pre **out);
json_t *gguf_byte_level(bool prefix, bool regex);
json_t *gguf_pre_tokenizer(const struct gguf_pre *pre, bool prefix);

/* SentencePiece joins whatever two pieces make the piece of the highest score; as a list of merges, in that order, from
 * every way to cut every piece in two (gguf_pieces.c). */
enum err gguf_piece_merges(const struct gguf_vocabulary *v, json_t *merges);

#endif
