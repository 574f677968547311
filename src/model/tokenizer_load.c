/* tokenizer.json as a whole, and its added tokens. */
#include <inttypes.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "tok.h"
#include "weights_parts.h"

enum { FILE_MAX = 256 << 20 };

/* ---- added tokens ---- */

static enum err
added_flags(const json_t *value, const char *name, unsigned *flags, bool *normalized)
{
	static const struct { const char *key; unsigned flag; } keys[] = {
		{ "special", ADDED_SPECIAL }, { "single_word", ADDED_WORD }, { "lstrip", ADDED_LSTRIP },
		{ "rstrip", ADDED_RSTRIP },
	};
	*flags = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		bool on;
		TRY(json_opt_bool(value, name, keys[i].key, false, &on));
		*flags |= on ? keys[i].flag : 0;
	}
	return json_opt_bool(value, name, "normalized", !(*flags & ADDED_SPECIAL), normalized);
}

/* An added token may repeat one of the vocabulary, with the same id, or extend it. */
static enum err
added_check(const struct tokenizer *t, const json_t *vocab, int64_t id, const char *s, size_t n, const char *name)
{
	const json_t *known = strlen(s) == n ? json_object_get(vocab, s) : NULL;
	size_t len;
	const char *there = tokenizer_bytes(t, (int32_t)id, &len);
	bool taken = there && (len != n || memcmp(there, s, n) != 0);
	if (known ? json_integer_value(known) != id : taken)
		return err_set(ERR_FORMAT, "%s: added token \"%s\" has id %" PRId64 ", which %s", name, s, id,
			known ? "is not its id in the vocabulary" : "is another token's");
	return OK;
}

static enum err
added_put(struct tokenizer *t, int32_t id, const char *s, size_t n, unsigned flags, bool normalized)
{
	struct normal_buf buf;
	struct mapped in = { .s = s, .n = n }, out = in;
	enum err err = OK;
	tokenizer_put(t, id, s, n, flags & ADDED_SPECIAL ? TOKEN_SPECIAL : 0);
	normal_buf_init(&buf);
	if (normalized)
		err = normal_apply(&t->normal, &buf, &in, false, &out);
	if (err == OK)
		added_set_put(normalized ? &t->normalized : &t->raw, out.s, out.n, id, flags);
	normal_buf_free(&buf);
	return err;
}

static enum err
parse_added(struct tokenizer *t, const json_t *value, const json_t *vocab, const char *name)
{
	int64_t id;
	unsigned flags;
	bool normalized;
	const json_t *content = json_object_get(value, "content");
	if (!json_is_string(content))
		return err_set(ERR_FORMAT, "%s: an added token has no \"content\"", name);
	TRY(json_want_int(value, name, "id", 0, TOK_MAX_ID - 1, &id));
	TRY(added_flags(value, name, &flags, &normalized));
	const char *s = json_string_value(content);
	size_t n = json_string_length(content);
	if (n == 0)
		return OK;
	TRY(added_check(t, vocab, id, s, n, name));
	return added_put(t, (int32_t)id, s, n, flags, normalized);
}

static enum err
parse_all_added(struct tokenizer *t, const json_t *root, const char *name)
{
	const json_t *list = json_object_get(root, "added_tokens");
	const json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab");
	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(ERR_FORMAT, "%s: \"added_tokens\" is not a list", name);
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(parse_added(t, json_array_get(list, i), vocab, name));
	added_set_seal(&t->raw);
	added_set_seal(&t->normalized);
	return OK;
}

/* ---- the file ---- */

static enum err
check_around(const struct tokenizer *t, const char *name)
{
	const struct around *sides[] = { &t->before, &t->after };
	for (size_t i = 0; i < ARRAY_LEN(sides); i++)
		for (int k = 0; k < sides[i]->n; k++)
			if (sides[i]->v[k] >= t->n_tokens || !t->tokens[sides[i]->v[k]].flags)
				return err_set(ERR_FORMAT, "%s: the post-processor adds token %d, which does not exist",
					name, (int)sides[i]->v[k]);
	return OK;
}

static enum err
parse_root(struct tokenizer *t, const json_t *root, const char *name)
{
	const char *version;
	if (!json_is_object(root))
		return err_set(ERR_FORMAT, "%s: is not a JSON object", name);
	TRY(json_opt_str(root, name, "version", "1.0", &version));
	if (strcmp(version, "1.0") != 0)
		return err_set(ERR_UNSUPPORTED, "%s: version \"%s\" of the format is not known, only \"1.0\" is", name,
			version);
	TRY(tokenizer_parse_steps(t, root, name));
	TRY(tokenizer_parse_output(t, root, name));
	TRY(tokenizer_parse_model(t, json_object_get(root, "model"), name));
	TRY(parse_all_added(t, root, name));
	TRY(check_around(t, name));
	if (t->n_tokens == 0)
		return err_set(ERR_FORMAT, "%s: the vocabulary is empty", name);
	return OK;
}

enum err
tokenizer_parse(struct tokenizer **out, const char *json, size_t n, const char *name)
{
	json_t *root;
	*out = NULL;
	TRY(json_parse(json, n, name, &root));
	struct tokenizer *t = xcalloc(1, sizeof(*t));
	enum err err = parse_root(t, root, name);
	json_decref(root);
	if (err != OK) {
		tokenizer_free(t);
		return err;
	}
	str_add(&t->json, json, n);
	*out = t;
	return OK;
}

enum err
tokenizer_load(struct tokenizer **out, const char *path)
{
	struct str text = {0};
	enum err err;
	*out = NULL;
	TRY_OUT(file_read(path, FILE_MAX, &text));
	str_add(&text, "", 0);
	TRY_OUT(pointer_refuse(path, text.s, text.len, "the tokenizer"));
	err = tokenizer_parse(out, text.s, text.len, path);
out:
	str_free(&text);
	return err;
}
