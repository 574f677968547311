/* vocab.json, merges.txt and the small files beside them, put together into a tokenizer.json. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tok.h"
#include "tok_dir.h"

/* Added tokens being collected, each once. */
struct added_list {
	const struct tokenizer_pair *p;
	const char *path;
	json_t *list, *known;		/* known: content to id */
	int64_t next;			/* the id of a token that nothing gives one */
};

static void
seen(struct added_list *a, const char *content, int64_t id)
{
	json_object_set_new(a->known, content, json_integer(id));
	if (id >= a->next && id < TOK_MAX_ID)
		a->next = id + 1;
}

/* The id that the vocabulary, or the token before it in the files, gives; -1: none. */
static int64_t
vocab_id(const struct added_list *a, const char *content)
{
	const json_t *id = json_object_get(a->p->vocab, content);
	return json_is_integer(id) ? json_integer_value(id) : -1;
}

/* flags: an object with lstrip and the rest, or none. */
static void
add_token(struct added_list *a, const char *content, int64_t id, json_t *flags, bool special)
{
	if (json_object_get(a->known, content))
		return;
	json_t *token = json_is_object(flags) ? json_copy(flags) : json_object();
	json_object_del(token, "__type");
	json_object_set_new(token, "id", json_integer(id));
	json_object_set_new(token, "content", json_string(content));
	if (!json_object_get(token, "special"))
		json_object_set_new(token, "special", json_boolean(special));
	json_array_append_new(a->list, token);
	seen(a, content, id);
}

/* "50256": {"content": ...}, of tokenizer_config.json. */
static enum err
add_decoder(struct added_list *a)
{
	json_t *table = json_object_get(a->p->config, "added_tokens_decoder"), *value;
	const char *key;
	if (table && !json_is_object(table))
		return err_set(ERR_FORMAT, "%s: \"added_tokens_decoder\" beside it is not an object", a->path);
	json_object_foreach(table, key, value) {
		char *end;
		const char *content;
		TRY(json_want_str(value, a->path, "content", &content));
		long id = strtol(key, &end, 10);
		if (*key < '0' || *key > '9' || *end || id < 0 || id >= TOK_MAX_ID)
			return err_set(ERR_FORMAT, "%s: \"added_tokens_decoder\" beside it gives \"%s\" the id \"%s\"",
				a->path, content, key);
		add_token(a, content, id, value, false);
	}
	return OK;
}

/* ---- special tokens, which come as "<s>", as {"content": "<s>"} and in lists ---- */

static const char *const special_keys[] = {
	"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
	"additional_special_tokens", "extra_special_tokens",
};

static const char *
content_of(const json_t *value)
{
	const char *s = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
	return s && *s ? s : NULL;
}

static void
add_special(struct added_list *a, json_t *value)
{
	const char *content = content_of(value);
	for (size_t i = 0; i < json_array_size(value); i++)
		add_special(a, json_array_get(value, i));
	if (!content)
		return;
	int64_t id = vocab_id(a, content);
	add_token(a, content, id >= 0 ? id : a->next, value, true);
}

static bool
is_special(const struct added_list *a, const char *content)
{
	const json_t *files[] = { a->p->config, a->p->specials };
	for (size_t f = 0; f < ARRAY_LEN(files); f++)
		for (size_t i = 0; i < ARRAY_LEN(special_keys); i++) {
			const json_t *value = json_object_get(files[f], special_keys[i]);
			const char *one = content_of(value);
			if (one && strcmp(one, content) == 0)
				return true;
			for (size_t k = 0; k < json_array_size(value); k++) {
				one = content_of(json_array_get(value, k));
				if (one && strcmp(one, content) == 0)
					return true;
			}
		}
	return false;
}

static enum err
add_all(struct added_list *a)
{
	const char *content;
	json_t *id;
	TRY(add_decoder(a));
	json_object_foreach(a->p->added, content, id) {
		if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= TOK_MAX_ID)
			return err_set(ERR_FORMAT, "%s: added_tokens.json beside it gives \"%s\" no id", a->path,
				content);
		add_token(a, content, json_integer_value(id), NULL, is_special(a, content));
	}
	for (size_t i = 0; i < ARRAY_LEN(special_keys); i++) {
		add_special(a, json_object_get(a->p->config, special_keys[i]));
		add_special(a, json_object_get(a->p->specials, special_keys[i]));
	}
	const char *end = a->p->class->end;
	if (end && vocab_id(a, end) >= 0)
		add_token(a, end, vocab_id(a, end), NULL, true);
	return OK;
}

/* ---- the rest ---- */

static json_t *
byte_level(bool prefix, bool regex)
{
	return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", (int)prefix,
		"trim_offsets", 1, "use_regex", (int)regex);
}

static json_t *
pre_tokenizer(const struct tokenizer_class *class, bool prefix)
{
	if (!class->split)
		return byte_level(prefix, true);
	json_t *split = json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex", class->split,
		"behavior", "Isolated", "invert", 0);
	return json_pack("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers", split, byte_level(prefix, false));
}

static const char *
named_token(const struct added_list *a, const char *key)
{
	const char *named = content_of(json_object_get(a->p->config, key));
	if (!named)
		named = content_of(json_object_get(a->p->specials, key));
	return named ? named : a->p->class->end;
}

/* One special token of the template, where the configuration asks for it. */
static enum err
add_around(const struct added_list *a, const char *wanted, const char *key, json_t *single, json_t *tokens)
{
	bool on;
	const char *name = named_token(a, key);
	TRY(json_opt_bool(a->p->config, a->path, wanted, false, &on));
	const json_t *id = name ? json_object_get(a->known, name) : NULL;
	if (!on || !id)
		return OK;
	json_array_append_new(single, json_pack("{s:{s:s, s:i}}", "SpecialToken", "id", name, "type_id", 0));
	json_object_set_new(tokens, name, json_pack("{s:s, s:[I], s:[s]}", "id", name, "ids",
		json_integer_value(id), "tokens", name));
	return OK;
}

static enum err
post_processor(const struct added_list *a, json_t **out)
{
	json_t *single = json_array(), *tokens = json_object();
	*out = json_pack("{s:s, s:o, s:[], s:o}", "type", "TemplateProcessing", "single", single, "pair",
		"special_tokens", tokens);
	TRY(add_around(a, "add_bos_token", "bos_token", single, tokens));
	json_array_append_new(single, json_pack("{s:{s:s, s:i}}", "Sequence", "id", "A", "type_id", 0));
	return add_around(a, "add_eos_token", "eos_token", single, tokens);
}

static enum err
build(struct added_list *a, json_t *root)
{
	bool prefix;
	json_t *post = NULL;
	TRY(add_all(a));
	TRY(json_opt_bool(a->p->config, a->path, "add_prefix_space", false, &prefix));
	enum err err = post_processor(a, &post);
	json_object_set_new(root, "post_processor", post);
	TRY(err);
	if (a->p->class->nfc)
		json_object_set_new(root, "normalizer", json_pack("{s:s}", "type", "NFC"));
	json_object_set_new(root, "pre_tokenizer", pre_tokenizer(a->p->class, prefix));
	json_object_set_new(root, "decoder", byte_level(false, true));
	return OK;
}

/* Do the added tokens have the ids after the vocabulary in turn, as tokenizer.json has it? Else they must be in it. */
static bool
follows_vocab(const struct added_list *a)
{
	json_int_t next = (json_int_t)json_object_size(a->p->vocab);
	for (size_t i = 0; i < json_array_size(a->list); i++) {
		const json_t *token = json_array_get(a->list, i);
		const char *content = json_string_value(json_object_get(token, "content"));
		json_int_t id = json_integer_value(json_object_get(token, "id"));
		if (!json_object_get(a->p->vocab, content) && id != next++)
			return false;
	}
	return true;
}

enum err
tokenizer_of_pair(struct tokenizer **out, const struct tokenizer_pair *p, const char *path)
{
	struct str text = {0};
	const char *key;
	json_t *id;
	*out = NULL;
	if (!json_is_object(p->vocab))
		return err_set(ERR_FORMAT, "%s: is not a JSON object of tokens and their ids", path);
	struct added_list a = { .p = p, .path = path, .list = json_array(), .known = json_object() };
	json_object_foreach(p->vocab, key, id)
		if (json_is_integer(id) && json_integer_value(id) >= a.next && json_integer_value(id) < TOK_MAX_ID)
			a.next = json_integer_value(id) + 1;
	json_t *root = json_pack("{s:s, s:O, s:n, s:n, s:{s:s, s:O, s:O}}", "version", "1.0", "added_tokens", a.list,
		"normalizer", "pre_tokenizer", "model", "type", "BPE", "vocab", p->vocab, "merges", p->merges);
	enum err err = build(&a, root);
	if (err == OK) {
		if (!follows_vocab(&a))
			json_object_update_missing(p->vocab, a.known);
		json_print(&text, root, 0);
		err = tokenizer_parse(out, text.s, text.len, path);
	}
	str_free(&text);
	json_decref(root);
	json_decref(a.list);
	json_decref(a.known);
	return err;
}
