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

struct adding {
	struct tokenizer *t;
	const json_t *vocab;		/* tokens to ids */
	struct str_map known;		/* those added before to their settings */
	const char *name;
	int64_t next;
};

/* As `tokenizers`, which passes over the ids of added_tokens: a token of the vocabulary has its id there, others have
 * those after it in turn. With a gap in the vocabulary that would be the id of another token, which nobody means. */
static enum err
added_id(struct adding *a, const char *s, size_t n, int64_t *id)
{
	const json_t *known = strlen(s) == n ? json_object_get(a->vocab, s) : NULL;
	*id = known ? json_integer_value(known) : a->next;
	if (known)
		return OK;
	if (*id >= TOK_MAX_ID)
		return err_set(ERR_LIMIT, "%s: added token \"%s\" has id %" PRId64 ", at most %d are read", a->name, s,
			*id, TOK_MAX_ID - 1);
	if (tokenizer_bytes(a->t, (int32_t)*id, &n))
		return err_set(ERR_UNSUPPORTED, "%s: added token \"%s\" comes to have id %" PRId64 ", which another "
			"token has: there are gaps in the ids of the vocabulary", a->name, s, *id);
	a->next++;
	return OK;
}

/* Said twice alike is said once. */
static enum err
added_again(struct adding *a, const char *s, size_t n, int32_t settings, bool *again)
{
	int32_t before = str_map_get(&a->known, s, n);
	*again = before >= 0;
	if (!*again)
		str_map_put(&a->known, s, n, settings);
	return !*again || before == settings ? OK : err_set(ERR_UNSUPPORTED,
		"%s: added token \"%s\" is there twice, with different settings", a->name, s);
}

static enum err
added_put(const struct adding *a, int32_t id, const char *s, size_t n, unsigned flags, bool normalized)
{
	struct normal_buf buf;
	struct mapped in = { .s = s, .n = n }, out = in;
	enum err err = OK;
	tokenizer_put(a->t, id, s, n, flags & ADDED_SPECIAL ? TOKEN_SPECIAL : 0);
	normal_buf_init(&buf);
	if (normalized)
		err = normal_apply(&a->t->normal, &buf, &in, false, &out);
	if (err == OK && out.n == 0)
		err = err_set(ERR_UNSUPPORTED, "%s: added token \"%s\", of which normalization leaves nothing, is not "
			"supported", a->name, s);
	if (err == OK)
		added_set_put(normalized ? &a->t->normalized : &a->t->raw, out.s, out.n, id, flags);
	normal_buf_free(&buf);
	return err;
}

static enum err
parse_added(struct adding *a, const json_t *value)
{
	int64_t id;
	unsigned flags;
	bool normalized, again;
	const json_t *content = json_object_get(value, "content");
	if (!json_is_string(content))
		return err_set(ERR_FORMAT, "%s: an added token has no \"content\"", a->name);
	TRY(json_want_int(value, a->name, "id", 0, TOK_MAX_ID - 1, &id));
	TRY(added_flags(value, a->name, &flags, &normalized));
	const char *s = json_string_value(content);
	size_t n = json_string_length(content);
	if (n == 0)
		return OK;
	TRY(added_again(a, s, n, (int32_t)(2 * flags + normalized), &again));
	if (again)
		return OK;
	TRY(added_id(a, s, n, &id));
	return added_put(a, (int32_t)id, s, n, flags, normalized);
}

static enum err
parse_all_added(struct tokenizer *t, const json_t *root, const char *name)
{
	const json_t *list = json_object_get(root, "added_tokens");
	struct adding a = { .t = t, .vocab = json_object_get(json_object_get(root, "model"), "vocab"), .name = name };
	enum err err = OK;
	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(ERR_FORMAT, "%s: \"added_tokens\" is not a list", name);
	a.next = (int64_t)json_object_size(a.vocab);
	for (size_t i = 0; err == OK && i < json_array_size(list); i++)
		err = parse_added(&a, json_array_get(list, i));
	if (err == OK)
		err = added_set_seal(&t->raw, name);
	if (err == OK)
		err = added_set_seal(&t->normalized, name);
	str_map_free(&a.known);
	return err;
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
	t->n_model = t->n_tokens;
	TRY(parse_all_added(t, root, name));
	TRY(check_around(t, name));
	t->local = tokenizer_find_local(t);
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
