/* gguf: the tokenizer in the metadata, written as the tokenizer.json it was made from, for tokenizer_parse to read. */
#include "gguf_tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/str.h"

/* ---- the vocabulary ---- */

static enum err
list_of_numbers(const struct gguf *g, const char *name, uint64_t n, const struct gguf_key **out)
{
	*out = gguf_find(g, name);
	if (!*out)
		return OK;
	if ((*out)->kind != GGUF_ARRAY || gguf_kind_size((*out)->of) == 0)
		return err_set(ERR_FORMAT, "%s: \"%s\" is not a list of numbers", g->path, name);
	if ((*out)->n != n)
		return err_set(ERR_MISMATCH, "%s: \"%s\" has %" PRIu64 " numbers for %" PRIu64 " tokens", g->path, name,
			(*out)->n, n);
	return OK;
}

static enum err
open_vocabulary(struct gguf_vocabulary *v, const struct gguf *g)
{
	const struct gguf_key *tokens;
	v->g = g;
	TRY(gguf_array(g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens));
	if (!tokens || tokens->n == 0)
		return err_set(ERR_MISSING, "%s: holds no tokenizer (tokenizer.ggml.tokens)", g->path);
	if (tokens->n > TOK_MAX_ID)
		return err_set(ERR_LIMIT, "%s: has %" PRIu64 " tokens, at most %d are read", g->path, tokens->n,
			TOK_MAX_ID);
	TRY(list_of_numbers(g, "tokenizer.ggml.token_type", tokens->n, &v->types));
	TRY(list_of_numbers(g, "tokenizer.ggml.scores", tokens->n, &v->scores));
	TRY(mem_array(&v->tokens, tokens->n, sizeof(*v->tokens), "vocabulary"));
	const uint8_t *at = NULL;
	for (; gguf_next_string(tokens, &at, &v->tokens[v->n].s, &v->tokens[v->n].n); v->n++) {
		double type = v->types ? gguf_number(v->types, v->n) : GGUF_TOKEN_NORMAL;
		if (!(type >= GGUF_TOKEN_NORMAL && type <= GGUF_TOKEN_BYTE))
			return err_set(ERR_FORMAT, "%s: token %zu is of type %g, which there is not", g->path, v->n,
				type);
		v->tokens[v->n].type = (int)type;
	}
	return OK;
}

/* JSON has no way to write a token that is not UTF-8, and no object a key with a NUL. */
static enum err
add_token(const struct gguf_vocabulary *v, size_t id, json_t *vocab)
{
	const struct gguf_token *t = &v->tokens[id];
	char *key = xstrndup(t->s, t->n);
	enum err err = OK;
	if (strlen(key) != t->n)
		err = err_set(ERR_FORMAT, "%s: token %zu has a NUL in it", v->g->path, id);
	else if (json_object_get(vocab, key))
		err = err_set(ERR_FORMAT, "%s: token %zu, \"%s\", is there twice", v->g->path, id, key);
	else if (json_object_set_new(vocab, key, json_integer((json_int_t)id)) != 0)
		err = err_set(ERR_FORMAT, "%s: token %zu is not UTF-8", v->g->path, id);
	free(key);
	return err;
}

static enum err
add_added(const struct gguf_vocabulary *v, size_t id, json_t *added)
{
	const struct gguf_token *t = &v->tokens[id];
	json_t *content = json_stringn(t->s, t->n);
	if (!content)
		return err_set(ERR_FORMAT, "%s: token %zu is not UTF-8", v->g->path, id);
	json_array_append_new(added, json_pack("{s:I, s:o, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id, "content",
		content, "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special",
		t->type != GGUF_TOKEN_USER));
	return OK;
}

/* What only fills up the embedding has no text. Tokens that stand apart have their ids from the vocabulary too. */
static enum err
add_all(const struct gguf_vocabulary *v, json_t *vocab, json_t *added)
{
	for (size_t id = 0; id < v->n; id++) {
		int type = v->tokens[id].type;
		bool apart = type == GGUF_TOKEN_UNKNOWN || type == GGUF_TOKEN_CONTROL || type == GGUF_TOKEN_USER;
		if (type != GGUF_TOKEN_UNUSED)
			TRY(add_token(v, id, vocab));
		if (apart)
			TRY(add_added(v, id, added));
	}
	return OK;
}

/* ---- tokens around a text ---- */

static enum err
around(const struct gguf_vocabulary *v, const char *wanted, bool by_default, const char *which, json_t *single,
	json_t *specials)
{
	bool on;
	int64_t id;
	TRY(gguf_bool(v->g, wanted, by_default, &on));
	TRY(gguf_int(v->g, which, 0, (int64_t)v->n - 1, -1, &id));
	if (!on || id < 0)
		return OK;
	json_t *name = json_stringn(v->tokens[id].s, v->tokens[id].n);
	if (!name || strlen(json_string_value(name)) != v->tokens[id].n) {
		json_decref(name);
		return err_set(ERR_FORMAT, "%s: token %" PRId64 " is not UTF-8", v->g->path, id);
	}
	json_object_set_new(specials, json_string_value(name), json_pack("{s:O, s:[I], s:[O]}", "id", name, "ids",
		(json_int_t)id, "tokens", name));
	json_array_append_new(single, json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", name, "type_id", 0));
	return OK;
}

static enum err
post_processor(const struct gguf_vocabulary *v, bool begin, json_t *root)
{
	json_t *post = json_pack("{s:s, s:[], s:[{s:{s:s, s:i}}, {s:{s:s, s:i}}], s:{}}", "type", "TemplateProcessing",
		"single", "pair", "Sequence", "id", "A", "type_id", 0, "Sequence", "id", "B", "type_id", 1,
		"special_tokens");
	json_t *single = json_object_get(post, "single"), *specials = json_object_get(post, "special_tokens");
	json_object_set_new(root, "post_processor", post);
	TRY(around(v, "tokenizer.ggml.add_bos_token", begin, "tokenizer.ggml.bos_token_id", single, specials));
	json_array_append_new(single, json_pack("{s:{s:s, s:i}}", "Sequence", "id", "A", "type_id", 0));
	return around(v, "tokenizer.ggml.add_eos_token", false, "tokenizer.ggml.eos_token_id", single, specials);
}

/* ---- byte-level BPE ---- */

static enum err
add_merges(const struct gguf *g, json_t *merges)
{
	const struct gguf_key *list;
	const uint8_t *at = NULL;
	const char *s;
	size_t n, i = 0;
	TRY(gguf_array(g, "tokenizer.ggml.merges", GGUF_STRING, &list));
	if (!list)
		return err_set(ERR_MISSING, "%s: its tokenizer has no merges (tokenizer.ggml.merges)", g->path);
	for (; gguf_next_string(list, &at, &s, &n); i++) {
		json_t *merge = json_stringn(s, n);
		if (!merge)
			return err_set(ERR_FORMAT, "%s: merge %zu is not UTF-8", g->path, i);
		json_array_append_new(merges, merge);
	}
	return OK;
}

static enum err
byte_bpe(const struct gguf_vocabulary *v, json_t *root)
{
	const struct gguf_pre *pre = NULL;
	bool prefix;
	json_t *model = json_object_get(root, "model");
	TRY(gguf_find_pre(v->g, &pre));
	TRY(gguf_bool(v->g, "tokenizer.ggml.add_space_prefix", false, &prefix));
	TRY(add_merges(v->g, json_object_get(model, "merges")));
	json_object_set_new(root, "pre_tokenizer", gguf_pre_tokenizer(pre, prefix));
	json_object_set_new(root, "decoder", gguf_byte_level(false, true));
	if (pre->nfc)
		json_object_set_new(root, "normalizer", json_pack("{s:s}", "type", "NFC"));
	json_object_set_new(model, "ignore_merges", json_boolean(pre->whole));
	return post_processor(v, pre->begin, root);
}

/* ---- SentencePiece ---- */

static json_t *
replace(const char *from, const char *to)
{
	return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", from, "content", to);
}

static const char *
unknown_token(const struct gguf_vocabulary *v, char *buf, size_t size)
{
	for (size_t id = 0; id < v->n; id++)
		if (v->tokens[id].type == GGUF_TOKEN_UNKNOWN && v->tokens[id].n < size) {
			memcpy(buf, v->tokens[id].s, v->tokens[id].n);
			buf[v->tokens[id].n] = '\0';
			return buf;
		}
	return NULL;
}

static enum err
piece_bpe(const struct gguf_vocabulary *v, json_t *root)
{
	static const char mark[] = "\xe2\x96\x81";
	char buf[256];
	bool prefix;
	json_t *model = json_object_get(root, "model"), *normalizers = json_array();
	const char *unknown = unknown_token(v, buf, sizeof(buf));
	enum err err = gguf_bool(v->g, "tokenizer.ggml.add_space_prefix", true, &prefix);
	if (prefix)
		json_array_append_new(normalizers, json_pack("{s:s, s:s}", "type", "Prepend", "prepend", mark));
	json_array_append_new(normalizers, replace(" ", mark));
	json_object_set_new(root, "normalizer", json_pack("{s:s, s:o}", "type", "Sequence", "normalizers",
		normalizers));
	json_object_set_new(root, "decoder", json_pack("{s:s, s:[o, {s:s}, {s:s}]}", "type", "Sequence", "decoders",
		replace(mark, " "), "type", "ByteFallback", "type", "Fuse"));
	if (prefix)
		json_array_append_new(json_object_get(json_object_get(root, "decoder"), "decoders"),
			json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ", "start", 1, "stop", 0));
	json_object_set_new(model, "byte_fallback", json_true());
	json_object_set_new(model, "fuse_unk", json_true());
	if (unknown)
		json_object_set_new(model, "unk_token", json_string(unknown));
	if (err == OK)
		err = post_processor(v, true, root);
	return err == OK ? gguf_piece_merges(v, json_object_get(model, "merges")) : err;
}

/* ---- the whole ---- */

static const struct {
	const char *name;
	enum err (*build)(const struct gguf_vocabulary *v, json_t *root);
} kinds[] = {
	{"gpt2", byte_bpe},
	{"llama", piece_bpe},
};

static enum err
build(struct gguf_vocabulary *v, const struct gguf *g, json_t *root)
{
	const char *kind;
	size_t n;
	TRY(gguf_str(g, "tokenizer.ggml.model", &kind, &n));
	if (!kind)
		return err_set(ERR_MISSING, "%s: holds no tokenizer (tokenizer.ggml.model)", g->path);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (gguf_is_text(kind, n, kinds[i].name)) {
			TRY(open_vocabulary(v, g));
			TRY(add_all(v, json_object_get(json_object_get(root, "model"), "vocab"),
				json_object_get(root, "added_tokens")));
			return kinds[i].build(v, root);
		}
	return err_set(ERR_UNSUPPORTED, "%s: a tokenizer of kind \"%.*s\" is not supported, only gpt2 and llama are",
		g->path, (int)(n < 100 ? n : 100), kind);
}

/* The token before every text, as a template; llama's kind has one unless it says otherwise. */
static enum err
add_begin(const struct gguf *g, json_t *root)
{
	const char *kind;
	size_t n;
	bool on;
	int64_t id;
	TRY(gguf_str(g, "tokenizer.ggml.model", &kind, &n));
	TRY(gguf_bool(g, "tokenizer.ggml.add_bos_token", gguf_is_text(kind, n, "llama"), &on));
	TRY(gguf_int(g, "tokenizer.ggml.bos_token_id", -1, INT32_MAX, -1, &id));
	if (on && id >= 0)
		json_object_set_new(root, "post_processor", json_pack("{s:s, s:[{s:{s:s}}, {s:{s:s}}], s:{s:{s:[I]}}}",
			"type", "TemplateProcessing", "single", "SpecialToken", "id", "bos", "Sequence", "id", "A",
			"special_tokens", "bos", "ids", (json_int_t)id));
	return OK;
}

enum err
gguf_tokenizer(const struct gguf *g, struct tokenizer **out)
{
	struct gguf_vocabulary v = {0};
	struct str text = {0};
	json_t *root = json_pack("{s:s, s:[], s:{s:s, s:{}, s:[]}}", "version", "1.0", "added_tokens", "model",
		"type", "BPE", "vocab", "merges");
	*out = NULL;
	enum err err = build(&v, g, root);
	if (err == OK)
		err = add_begin(g, root);
	if (err == OK) {
		json_print(&text, root, 0);
		err = tokenizer_parse(out, text.s, text.len, g->path);
	}
	str_free(&text);
	json_decref(root);
	free(v.tokens);
	return err;
}
