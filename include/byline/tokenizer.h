/*
 * tokenizer: byte-pair encoding (Sennrich et al. 2016), of bytes as in GPT-2 or of code points with byte fallback as
 * SentencePiece has it, loaded from a Hugging Face tokenizer.json or trained here.
 *
 * Byte offsets are exact: every token knows which bytes of the text it covers. Spans come in order, and joined they are
 * the text, unless the file itself drops some of it. Of a code point that became several tokens each has its bytes, and
 * a space that the file puts before a text is of no byte: alone it has an empty span. The bytes of all tokens, joined,
 * are the text again, whatever bytes it holds (NUL and invalid UTF-8 included), unless the file asks for normalisation
 * (U+2581 in a text comes back as the space that it stands for).
 *
 * The `tokenizers` library takes valid UTF-8 alone. Here an invalid byte is a token by itself, the byte's own where
 * the vocabulary has one and the unknown token else; what lies between is encoded as stretches of one text, of which
 * the first alone begins it.
 *
 * Encoding gives the tokens of a text and nothing around it; what the file's template puts there is told separately. A
 * tokenizer is immutable after loading and may be shared by threads.
 */
#ifndef BYLINE_TOKENIZER_H
#define BYLINE_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/job.h"
#include "byline/str.h"

struct tokenizer;

struct token_span {
	int32_t id;
	uint32_t from, to;		/* bytes of the text */
};

enum err tokenizer_load(struct tokenizer **out, const char *path);
/* tokenizer.json of the directory or, where there is none, vocab.json with merges.txt: of GPT-2, GPT-NeoX, CodeGen or
 * Qwen2, as tokenizer_config.json (or config.json) says, with the added tokens that the files beside them name.
 * ERR_MISSING: neither; ERR_UNSUPPORTED: of another kind. */
enum err tokenizer_load_dir(struct tokenizer **out, const char *dir);
enum err tokenizer_parse(struct tokenizer **out, const char *json, size_t n, const char *name);
void tokenizer_free(struct tokenizer *t);

int tokenizer_size(const struct tokenizer *t);			/* highest id + 1 */
/* For a model with `vocab` ids: added tokens from there on, for which it has no embedding ("[PAD]"), are text like any
 * other. ERR_MISMATCH when the vocabulary itself, or what the template adds, goes beyond. */
enum err tokenizer_fit(struct tokenizer *t, int vocab, const char *name);
/* -1 when there is no such special token */
int32_t tokenizer_special(const struct tokenizer *t, const char *content);

/* *out is an array the caller frees. Special tokens written out in the text are recognised only when `special`.
 * ERR_FORMAT: the vocabulary lacks a byte of the text and has no unknown token. ERR_LIMIT: a text of a gigabyte, or one
 * on which the file's own pattern gave up. */
enum err tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, bool special, struct token_span **out,
	size_t *n_out);
/* The same tokens a few at a time, so that memory does not grow with their number. */
enum err tokenizer_encode_each(const struct tokenizer *t, const char *text, size_t n, bool special,
	void (*take)(void *arg, const struct token_span *v, size_t n), void *arg);
/* As a text that goes on from another, special tokens as text: nothing is put before it. */
enum err tokenizer_encode_on(const struct tokenizer *t, const char *text, size_t n, struct token_span **out,
	size_t *n_out);
/* The ids that the file's template puts before and after a text, borrowed; how many. */
size_t tokenizer_before(const struct tokenizer *t, const int32_t **ids);
size_t tokenizer_after(const struct tokenizer *t, const int32_t **ids);
/* The bytes of one token, borrowed; special tokens give their content. NULL when there is no such id. */
const char *tokenizer_bytes(const struct tokenizer *t, int32_t id, size_t *n);
bool tokenizer_is_special(const struct tokenizer *t, int32_t id);
/* Appends the text. Where the file put a space before it, its first token (after the template's) loses one again. */
void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct str *out);

/* Trains byte-level BPE on texts: `next` gives the following text or false; read once through, after a rewind (may be
 * NULL). Pairs seen once are not merged, so a small corpus gives fewer tokens than asked for. vocab counts the 256
 * bytes and the one special token "<|endoftext|>" (id 0). Deterministic: ties by smaller pair of ids. */
struct text_source { bool (*next)(void *arg, const char **text, size_t *n); void (*rewind)(void *arg); void *arg; };
enum err tokenizer_train(struct tokenizer **out, const struct text_source *src, int vocab, struct job *job);

/* tokenizer.json bytes as they were loaded, or as trained (`tokenizers` reads them). */
enum err tokenizer_save(const struct tokenizer *t, const char *path);

#endif
