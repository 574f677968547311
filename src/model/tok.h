/*
 * tok: what the tokenizer's files share; private to the model floor.
 *
 * A text passes through: valid UTF-8 runs (each invalid byte is a piece of its own) -> added tokens that match as
 * written -> normalisation -> added tokens that match the normalised text -> splitting into pieces -> byte-pair merges
 * of each piece. Symbols that merging begins with are bytes (byte-level) or code points, those that the vocabulary
 * lacks as their bytes (byte fallback) or as the unknown token.
 */
#ifndef BYLINE_MODEL_TOK_H
#define BYLINE_MODEL_TOK_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/str.h"
#include "byline/tokenizer.h"

enum { TOK_MAX_ID = 1 << 20, TOK_MAX_STEPS = 32, TOK_MAX_AROUND = 16, TOK_REWRITTEN_MAX = INT32_MAX };

/* ---- the byte alphabet of GPT-2: every byte as one printable code point (tok_alphabet.c) ---- */

int32_t alphabet_of(uint8_t byte);
int alphabet_byte(int32_t cp);			/* -1: not of the alphabet */
void alphabet_write(struct str *out, const char *bytes, size_t n);
/* Appends the bytes that s stands for and returns true, or returns false when s is not written in the alphabet
 * alone. */
bool alphabet_read(struct str *out, const char *s, size_t n);

/* ---- maps (tok_map.c) ---- */

/* Byte strings (borrowed) to numbers. */
struct str_map { struct str_slot { const char *s; uint32_t n; int32_t value; } *slots; size_t cap, used; };
int32_t str_map_get(const struct str_map *m, const char *s, size_t n);		/* -1: absent */
/* false, and nothing done, when it was there */
bool str_map_put(struct str_map *m, const char *s, size_t n, int32_t value);
void str_map_free(struct str_map *m);

/* Pairs of ids to two numbers. */
struct pair_slot { int32_t a, b, x, y; };					/* a < 0: free */
struct pair_map { struct pair_slot *slots; size_t cap, used; };
struct pair_slot *pair_map_get(const struct pair_map *m, int32_t a, int32_t b);	/* NULL: absent */
struct pair_slot *pair_map_put(struct pair_map *m, int32_t a, int32_t b);	/* finds or makes it (x = y = 0) */
void pair_map_free(struct pair_map *m);

/* ---- regular expressions (tok_regex.c, tok_onig.c) ---- */

/* The pattern, written for Oniguruma as the files' authors do, in PCRE2's words; what would mean something else is
 * refused. */
enum err onig_translate(const char *pattern, size_t n, const char *name, struct str *out);
enum err tok_regex(pcre2_code **out, const char *pattern, size_t n, bool literal, const char *name);
bool tok_regex_empty(const pcre2_code *re);	/* may match nothing at all */

struct tok_match { uint32_t from, to; bool hit; };
struct tok_matches { struct tok_match *v; size_t n, cap; };
struct tok_matcher { pcre2_match_data *data; pcre2_match_context *context; struct tok_matches found; };
void tok_matcher_init(struct tok_matcher *m);
void tok_matcher_free(struct tok_matcher *m);
/* Cuts s[0..n) into matches (hit) and what lies between them, in m->found; some at a time, until `end`. */
struct tok_scan { size_t at, done; bool any, end; };
enum err tok_matcher_some(struct tok_matcher *m, const pcre2_code *re, const char *s, size_t n, struct tok_scan *scan,
	size_t max);
enum err tok_matcher_run(struct tok_matcher *m, const pcre2_code *re, const char *s, size_t n);

/* ---- texts that know where they came from (tok_rewrite.c) ---- */

/* A text and the bytes of the source that each of its own came from: byte i from [at[i], to[i]), or base + i alone when
 * at is NULL. at[n] is where what is put after the last comes from. */
struct mapped { const char *s; size_t n; const uint32_t *at, *to; uint32_t base; };
static inline uint32_t
mapped_source(const struct mapped *m, size_t i)
{
	return m->at ? m->at[i] : m->base + (uint32_t)i;
}
/* Where bytes [from, i) end in the source: before what was taken out of the text after them. */
static inline uint32_t
mapped_end(const struct mapped *m, size_t from, size_t i)
{
	return m->at && i > from ? m->to[i - 1] : mapped_source(m, i);
}

/* A text being made of another. */
struct rewrite { struct str text; uint32_t *at, *to; size_t cap, cap_to; };
void rewrite_begin(struct rewrite *r);
/* k bytes that stand for bytes [from, to) of `in`: spread evenly, so that maps never run backwards. */
void rewrite_add(struct rewrite *r, const struct mapped *in, const char *s, size_t k, size_t from, size_t to);
/* *out, which stands for `in` up to byte `to`, lives in r until the next rewrite_begin. ERR_LIMIT: it grew beyond what
 * offsets can tell. */
enum err rewrite_end(struct rewrite *r, const struct mapped *in, size_t to, struct mapped *out);
void rewrite_free(struct rewrite *r);

/* ---- normalisation (tok_normal.c) ---- */

enum normal_form {
	NORMAL_NFC, NORMAL_NFD, NORMAL_NFKC, NORMAL_NFKD, NORMAL_LOWER, NORMAL_PREPEND, NORMAL_REPLACE, NORMAL_STRIP
};
struct normal_step {
	enum normal_form form;
	pcre2_code *re;			/* REPLACE: what; NULL: `what` as it is written */
	char *what, *with;		/* PREPEND has `with` alone */
	size_t n_what, n_with;
	bool left, right;		/* STRIP */
};
struct normal { struct normal_step steps[TOK_MAX_STEPS]; int n; };
struct normal_buf { struct rewrite side[2]; struct tok_matcher matcher; };
void normal_buf_init(struct normal_buf *buf);
void normal_buf_free(struct normal_buf *buf);
/* `in` is valid UTF-8; *out lives in buf (or is `in` itself) until the next call. glued: nothing is prepended. */
enum err normal_apply(const struct normal *normal, struct normal_buf *buf, const struct mapped *in, bool glued,
	struct mapped *out);
void normal_free(struct normal *normal);

/* ---- splitting (tok_split.c) ---- */

enum split_behavior { SPLIT_ISOLATED, SPLIT_REMOVED, SPLIT_PREVIOUS, SPLIT_NEXT, SPLIT_CONTIGUOUS };
enum split_prefix { PREFIX_NEVER, PREFIX_FIRST, PREFIX_ALWAYS };
struct split_step {
	pcre2_code *re;			/* NULL: leaves the text whole */
	enum split_behavior behavior;
	bool invert;
	int32_t only;			/* the one code point that `re` is; -1: another pattern */
	enum split_prefix prefix;	/* whether `mark` is put before pieces (the text's first) that lack it */
	bool replace;			/* spaces become `mark` */
	char mark[8];
};
struct piece { uint32_t from, to; bool glued; };	/* glued: nothing may be put before it */
struct pieces { struct piece *v; size_t n, cap; };
/* first: bytes of the text's first code point; what comes of it is where the text begins */
struct splitter {
	struct tok_matcher matcher;
	struct pieces pieces[2];
	struct rewrite side[2], whole;
	uint32_t first;
	const struct split_step *steps;
	int n_steps;
	struct mapped text;		/* as the first step leaves it */
	bool glued;
	struct tok_scan scan;
};
void splitter_init(struct splitter *s);
void splitter_free(struct splitter *s);
/* Cuts a text, a stretch of it at a time so that memory does not grow with it: *out are pieces of *part, the text as
 * the steps rewrote it; both live in the splitter until the next call. *out NULL: there are no more. */
enum err splitter_begin(struct splitter *s, const struct split_step *steps, int n_steps, const struct mapped *text,
	bool glued);
enum err splitter_next(struct splitter *s, struct mapped *part, const struct pieces **out);
enum err split_gpt2(struct split_step *step);	/* the splitting of ByteLevel */

/* ---- added tokens (tok_added.c) ---- */

bool tok_is_space(int32_t cp);
/* The code point that ends at s[n); n > 0. Returns its bytes. */
size_t tok_decode_back(const char *s, size_t n, int32_t *cp);

enum { ADDED_SPECIAL = 1, ADDED_WORD = 2, ADDED_LSTRIP = 4, ADDED_RSTRIP = 8 };
struct added { char *s; size_t n; int32_t id; unsigned flags; };
struct added_set { struct added *v; size_t n, cap; bool first[256]; };
void added_set_put(struct added_set *set, const char *s, size_t n, int32_t id, unsigned flags);
/* After the last put, before the first find. ERR_UNSUPPORTED: two are alike. `name` is what messages call the file. */
enum err added_set_seal(struct added_set *set, const char *name);
/* Forgets those with ids from `end` on. */
void added_set_cut(struct added_set *set, int32_t end);
void added_set_free(struct added_set *set);
/* A search; `at` moves on. What is cut off for the token that was found, and the last spaces that one took on its
 * right. */
struct added_scan { size_t at, from, to, spaces, spaces_end; };
/* The next token at or after scan->at in s[0..n); NULL when none is left. Texts before `done` are taken already, though
 * a token may begin there, and be empty. */
const struct added *added_set_next(const struct added_set *set, const char *s, size_t n, size_t done, bool special,
	struct added_scan *scan);

/* ---- merges (tok_bpe.c) ---- */

struct bpe_node { int32_t id, prev, next; uint32_t from, to; };
struct bpe_merge { uint32_t rank; int32_t at, left, right, made; };
struct bpe_work { struct bpe_node *nodes; struct bpe_merge *heap; size_t cap, heap_n; };
/* Room for n symbols; what was there is lost. */
enum err bpe_reserve(struct bpe_work *w, size_t n);
/* work->nodes hold the symbols, at least one, linked from node 0 on; merges what can be merged. Node 0 stays the
 * first. */
void bpe_run(struct bpe_work *w, const struct pair_map *merges);
void bpe_work_free(struct bpe_work *w);

/* ---- pieces seen before (tok_cache.c) ---- */

enum { CACHE_KEY_MAX = 64 };
/* Short pieces and their tokens, as id and end of each; forgotten all at once when full. */
struct cache { struct str_map index; char *keys; size_t keys_n; int32_t *tokens; size_t tokens_n, tokens_cap; };
/* The number of tokens and, in *tokens, an id and an end each; 0: not seen. */
size_t cache_get(const struct cache *c, const char *s, size_t n, const int32_t **tokens);
/* Room for k tokens of a new piece, 0 < n <= CACHE_KEY_MAX. */
int32_t *cache_put(struct cache *c, const char *s, size_t n, size_t k);
void cache_free(struct cache *c);

/* ---- the tokenizer itself ---- */

enum { TOKEN_PRESENT = 1, TOKEN_SPECIAL = 2 };
struct token { size_t at; uint32_t n; unsigned flags; };	/* bytes in the pool */

/* What the decoder does to the text of one token, in turn (tokenizer_output.c). */
struct decode_step { bool strip; char *what, *with; size_t n_what, n_with; int start, stop; };
struct decoder {
	struct decode_step steps[TOK_MAX_STEPS];
	int n;
	bool bytes, fused;			/* <0x0A> is a byte; what follows is about the whole text */
	char lead[8];				/* taken from the start of the whole, n_lead times */
	int n_lead;
};

struct tokenizer {
	struct str json;			/* as loaded or trained */
	struct token *tokens;
	size_t tokens_cap;
	int n_tokens, n_model;			/* ids end there: all, and those without added tokens */
	struct str pool;
	int32_t byte_id[256];			/* a byte as a symbol, or in byte fallback; -1: there is none */
	int32_t unk;				/* -1: none */
	bool fuse_unk, ignore_merges, byte_level, byte_fallback;
	bool local;				/* texts may be cut (tok_local.c) */
	struct pair_map symbols;		/* unless byte_level: code point and 0 to id (y) */
	struct pair_map merges;			/* x: rank, y: new id */
	struct pair_map joints;			/* pairs of symbols that some merge closes; other places may be cut */
	struct str_map whole;			/* bytes to id; filled when ignore_merges */
	char *whole_text;			/* its keys */
	struct added_set raw, normalized;
	struct normal normal;
	struct split_step steps[TOK_MAX_STEPS];
	int n_steps;
	struct decoder decoder;
	struct around { int32_t v[TOK_MAX_AROUND]; int n; } before, after;	/* the template's */
};

/* ---- symbols (tok_symbols.c) ---- */

/* What a code point (a byte, when byte_level) is before merging: its token, its bytes' tokens, an unknown symbol, or
 * left out. first, last: the symbols that it begins and ends with; len: its bytes. */
enum symbol_kind { SYMBOL_TOKEN, SYMBOL_BYTES, SYMBOL_UNKNOWN, SYMBOL_NONE };
struct symbol { enum symbol_kind kind; int32_t first, last; size_t len; };
/* At the start of s[0..n), n > 0. */
struct symbol tokenizer_symbol(const struct tokenizer *t, const char *s, size_t n);

/* The end of a text: its last symbol (-1: not known, or there is none), and whether an unknown symbol waits there,
 * which others may join or pass. */
struct seam { int32_t last; bool waits; };
/* May the text be cut before `next`, for no merge to miss it? Moves on past it. */
bool seam_pass(const struct tokenizer *t, struct seam *seam, const struct symbol *next);

/* May texts be cut, and the first place from `at` on where s[0..n) may be; n: nowhere (tok_local.c). */
bool tokenizer_find_local(const struct tokenizer *t);
size_t tokenizer_cut_local(const struct tokenizer *t, const char *s, size_t n, size_t at);

/* The parts of loading, in turn. */
enum err tokenizer_parse_steps(struct tokenizer *t, const json_t *root, const char *name);	/* tokenizer_steps.c */
enum err tokenizer_parse_output(struct tokenizer *t, const json_t *root, const char *name);	/* tokenizer_output.c */
/* The bytes that a token of the vocabulary stands for, appended; `type` of bytes as in the file. */
void tokenizer_read_token(const struct tokenizer *t, const char *s, size_t n, struct str *out);
void decoder_free(struct decoder *d);
enum err tokenizer_parse_model(struct tokenizer *t, const json_t *model, const char *name);	/* tokenizer_model.c */
/* Puts a token into the table, in place of what was there. */
void tokenizer_put(struct tokenizer *t, int32_t id, const char *s, size_t n, unsigned flags);	/* tokenizer.c */

#endif
