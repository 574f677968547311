/* tok_encode: what the two halves of encoding share; private to the model floor. */
#ifndef BYLINE_MODEL_TOK_ENCODE_H
#define BYLINE_MODEL_TOK_ENCODE_H

#include "tok.h"

/* One call's state; a tokenizer has none, so that threads can share it. */
struct encoder {
	const struct tokenizer *t;
	const char *text;
	bool special;
	struct splitter splitter;
	struct normal_buf normal;
	struct bpe_work bpe;
	struct cache cache;
	struct token_span *out;
	size_t n_out, cap;
	uint32_t done;			/* where the last token ended */
	void (*take)(void *arg, const struct token_span *v, size_t n);	/* NULL: all are kept */
	void *arg;
};

/* One more token, of bytes [from, to) of the text. */
void encoder_emit(struct encoder *e, int32_t id, uint32_t from, uint32_t to);
/* The tokens of one piece of m. */
enum err encoder_piece(struct encoder *e, const struct mapped *m, const struct piece *piece);

#endif
