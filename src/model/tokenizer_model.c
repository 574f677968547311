/* tokenizer.json's model: vocabulary and merges. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "tok.h"

/* ---- options ---- */

static enum err
refuse_option(const char *name, const char *option)
{
	return err_set(ERR_UNSUPPORTED, "%s: BPE with %s is not supported", name, option);
}

static enum err
parse_options(struct tokenizer *t, const json_t *model, const char *name)
{
	const char *type, *prefix, *suffix;
	double dropout;
	TRY(json_opt_str(model, name, "type", "BPE", &type));
	if (strcmp(type, "BPE") != 0)
		return err_set(ERR_UNSUPPORTED, "%s: a tokenizer of type \"%s\" is not supported, only BPE is: take a "
			"checkpoint that has one (GPT-2, Llama, Mistral, Qwen, Gemma and their kin do)", name, type);
	TRY(json_opt_real(model, name, "dropout", 0, 1, 0, &dropout));
	TRY(json_opt_str(model, name, "continuing_subword_prefix", "", &prefix));
	TRY(json_opt_str(model, name, "end_of_word_suffix", "", &suffix));
	TRY(json_opt_bool(model, name, "byte_fallback", false, &t->byte_fallback));
	TRY(json_opt_bool(model, name, "fuse_unk", false, &t->fuse_unk));
	TRY(json_opt_bool(model, name, "ignore_merges", false, &t->ignore_merges));
	if (dropout > 0)
		return refuse_option(name, "dropout");
	if (*prefix)
		return refuse_option(name, "continuing_subword_prefix");
	return *suffix ? refuse_option(name, "end_of_word_suffix") : OK;
}

/* ---- vocabulary ---- */

static enum err
parse_token(struct tokenizer *t, struct str_map *vocab, const char *key, const json_t *value, const char *name)
{
	int64_t id = json_is_integer(value) ? json_integer_value(value) : -1;
	size_t n = strlen(key);
	if (id < 0)
		return err_set(ERR_FORMAT, "%s: the id of token \"%s\" is not a whole number from 0 up", name, key);
	if (id >= TOK_MAX_ID)
		return err_set(ERR_LIMIT, "%s: token \"%s\" has id %" PRId64 ", at most %d are read", name, key, id,
			TOK_MAX_ID - 1);
	if (id < t->n_tokens && t->tokens[id].flags)
		return err_set(ERR_FORMAT, "%s: two tokens have id %" PRId64, name, id);
	str_map_put(vocab, key, n, (int32_t)id);
	struct str bytes = {0};
	str_add(&bytes, "", 0);
	tokenizer_read_token(t, key, n, &bytes);
	tokenizer_put(t, (int32_t)id, bytes.s, bytes.len, 0);
	str_free(&bytes);
	return OK;
}

static void
find_bytes(struct tokenizer *t, const struct str_map *vocab)
{
	for (int byte = 0; byte < 256; byte++) {
		char buf[8];
		size_t n = t->byte_level ? utf8_encode(alphabet_of((uint8_t)byte), buf)
			: (size_t)snprintf(buf, sizeof(buf), "<0x%02X>", (unsigned)byte);
		t->byte_id[byte] = t->byte_level || t->byte_fallback ? str_map_get(vocab, buf, n) : -1;
	}
}

/* Tokens of one code point. */
static void
find_symbols(struct tokenizer *t, const struct str_map *vocab)
{
	for (size_t i = 0; i < vocab->cap && !t->byte_level; i++) {
		const struct str_slot *slot = &vocab->slots[i];
		int32_t cp;
		if (slot->s && slot->n > 0 && utf8_decode(slot->s, slot->n, &cp) == slot->n && cp >= 0)
			pair_map_put(&t->symbols, cp, 0)->y = slot->value;
	}
}

static enum err
parse_vocab(struct tokenizer *t, struct str_map *vocab, const json_t *value, const char *name)
{
	const char *key, *unk;
	json_t *id, *object = json_object_get(value, "vocab");
	if (!json_is_object(object))
		return err_set(ERR_FORMAT, "%s: the model has no \"vocab\" object", name);
	json_object_foreach(object, key, id)
		TRY(parse_token(t, vocab, key, id, name));
	find_bytes(t, vocab);
	find_symbols(t, vocab);
	TRY(json_opt_str(value, name, "unk_token", NULL, &unk));
	t->unk = unk ? str_map_get(vocab, unk, strlen(unk)) : -1;
	return OK;
}

/* Whole pieces that are tokens skip the merges; in byte-level files they are looked up as bytes, so only tokens of the
 * byte alphabet count. */
static void
fill_whole(struct tokenizer *t, const struct str_map *vocab)
{
	size_t room = 0, used = 0;
	struct str bytes = {0};
	for (size_t i = 0; i < vocab->cap; i++)
		room += vocab->slots[i].n;
	t->whole_text = xmalloc(room);
	for (size_t i = 0; i < vocab->cap; i++) {
		const struct str_slot *slot = &vocab->slots[i];
		str_clear(&bytes);
		if (!slot->s || !slot->n)
			continue;
		if (!t->byte_level)
			str_add(&bytes, slot->s, slot->n);
		else if (!alphabet_read(&bytes, slot->s, slot->n))
			continue;
		/* No letter of the alphabet is shorter than its byte. */
		str_map_put(&t->whole, memcpy(t->whole_text + used, bytes.s, bytes.len), bytes.len, slot->value);
		used += bytes.len;
	}
	str_free(&bytes);
}

/* ---- merges ---- */

struct half { const char *s; size_t n; };

static bool
halves_of_string(const char *s, size_t n, struct half *a, struct half *b)
{
	const char *space = memchr(s, ' ', n);
	if (!space)
		return false;
	*a = (struct half){ s, (size_t)(space - s) };
	*b = (struct half){ space + 1, n - a->n - 1 };
	return !memchr(b->s, ' ', b->n);
}

static bool
halves_of(const json_t *value, struct half *a, struct half *b)
{
	if (json_is_string(value))
		return halves_of_string(json_string_value(value), json_string_length(value), a, b);
	const json_t *left = json_array_get(value, 0), *right = json_array_get(value, 1);
	if (json_array_size(value) != 2 || !json_is_string(left) || !json_is_string(right))
		return false;
	*a = (struct half){ json_string_value(left), json_string_length(left) };
	*b = (struct half){ json_string_value(right), json_string_length(right) };
	return true;
}

/* What merges are read with. unk: the unknown token as written, NULL without one. */
struct merging { struct tokenizer *t; const struct str_map *vocab; const char *unk, *name; struct str both; };

/* The symbols that a token may begin (or end) with. Whatever the merges that made it, its text is its symbols' texts in
 * turn: so those are its first (last) letter, and <0x0A> and its like and the unknown token, where its text begins
 * (ends) with theirs. */
struct edge { int32_t v[3]; int n; };

static void
edge_add(struct edge *edge, int32_t id)
{
	if (id >= 0)
		edge->v[edge->n++] = id;
}

static int32_t
letter_symbol(const struct tokenizer *t, const char *s, size_t n)
{
	int32_t cp;
	utf8_decode(s, n, &cp);
	int byte = t->byte_level && cp >= 0 ? alphabet_byte(cp) : -1;
	char one = (char)byte;
	if (t->byte_level)
		return byte < 0 ? -1 : tokenizer_symbol(t, &one, 1).first;
	struct symbol symbol = tokenizer_symbol(t, s, n);
	return symbol.kind == SYMBOL_TOKEN ? symbol.first : -1;
}

static struct edge
edge_of(const struct merging *m, const struct half *h, bool end)
{
	enum { BYTE_LEN = 6 };
	struct edge edge = {0};
	int32_t cp;
	size_t letter = end && h->n > 0 ? h->n - tok_decode_back(h->s, h->n, &cp) : 0;
	if (h->n > 0)
		edge_add(&edge, letter_symbol(m->t, h->s + letter, h->n - letter));
	const char *byte = h->n >= BYTE_LEN ? h->s + (end ? h->n - BYTE_LEN : 0) : NULL;
	if (m->t->byte_fallback && byte && memcmp(byte, "<0x", 3) == 0)
		edge_add(&edge, str_map_get(m->vocab, byte, BYTE_LEN));
	size_t n = m->unk ? strlen(m->unk) : 0;
	if (m->unk && n <= h->n && memcmp(h->s + (end ? h->n - n : 0), m->unk, n) == 0)
		edge_add(&edge, m->t->unk);
	return edge;
}

static void
add_joints(const struct merging *m, const struct half *a, const struct half *b)
{
	struct edge left = edge_of(m, a, true), right = edge_of(m, b, false);
	for (int i = 0; i < left.n; i++)
		for (int k = 0; k < right.n; k++)
			pair_map_put(&m->t->joints, left.v[i], right.v[k]);
}

static enum err
merge_unknown(const char *name, size_t rank, const char *s, size_t n)
{
	return err_set(ERR_FORMAT, "%s: merge %zu names \"%.*s\", which is not in the vocabulary",
		name, rank, (int)(n < 100 ? n : 100), s);
}

static enum err
parse_merge(struct merging *m, const json_t *value, size_t rank)
{
	struct half a, b;
	if (!halves_of(value, &a, &b))
		return err_set(ERR_FORMAT, "%s: merge %zu is not a pair of tokens", m->name, rank);
	int32_t left = str_map_get(m->vocab, a.s, a.n), right = str_map_get(m->vocab, b.s, b.n);
	if (left < 0 || right < 0)
		return merge_unknown(m->name, rank, left < 0 ? a.s : b.s, left < 0 ? a.n : b.n);
	str_clear(&m->both);
	str_add(&m->both, a.s, a.n);
	str_add(&m->both, b.s, b.n);
	int32_t made = str_map_get(m->vocab, m->both.s, m->both.len);
	if (made < 0)
		return merge_unknown(m->name, rank, m->both.s, m->both.len);
	/* Said twice, the later one counts, as in `tokenizers`. */
	struct pair_slot *slot = pair_map_put(&m->t->merges, left, right);
	slot->x = (int32_t)rank;
	slot->y = made;
	add_joints(m, &a, &b);
	return OK;
}

static enum err
parse_merges(struct merging *m, const json_t *model)
{
	const json_t *list = json_object_get(model, "merges");
	size_t rank = 0;
	enum err err = OK;
	if (!json_is_array(list))
		return err_set(ERR_FORMAT, "%s: the model has no \"merges\" list", m->name);
	if (json_array_size(list) > INT32_MAX)
		return err_set(ERR_LIMIT, "%s: too many merges", m->name);
	TRY(json_opt_str(model, m->name, "unk_token", NULL, &m->unk));
	str_add(&m->both, "", 0);
	for (size_t i = 0; err == OK && i < json_array_size(list); i++) {
		const json_t *value = json_array_get(list, i);
		/* The first line of merges.txt, which some converters carried over. */
		if (!json_is_string(value) || strncmp(json_string_value(value), "#version", 8) != 0)
			err = parse_merge(m, value, rank++);
	}
	str_free(&m->both);
	return err;
}

enum err
tokenizer_parse_model(struct tokenizer *t, const json_t *model, const char *name)
{
	struct str_map vocab = {0};
	struct merging merging = { .t = t, .vocab = &vocab, .name = name };
	enum err err;
	if (!json_is_object(model))
		return err_set(ERR_FORMAT, "%s: has no \"model\"; is it a tokenizer.json?", name);
	TRY_OUT(parse_options(t, model, name));
	TRY_OUT(parse_vocab(t, &vocab, model, name));
	TRY_OUT(parse_merges(&merging, model));
	if (t->ignore_merges)
		fill_whole(t, &vocab);
out:
	str_map_free(&vocab);
	return err;
}
