/* journal: is the run in a folder the run that is asked for? */
#include "journal.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "options.h"

enum { JOURNAL_MAX = 64 << 20 };

enum err
journal_find_recipe(const char *dir, json_t **out, char sha256[HASH_HEX])
{
	struct str s = {0};
	char *path = journal_path(dir);
	*out = NULL;
	enum err err = file_read(path, JOURNAL_MAX, &s);
	const char *end = err == OK ? memchr(s.s, '\n', s.len) : NULL;
	if (err == ERR_MISSING)
		err = OK;
	else if (err == OK && !end)
		err = err_set(ERR_FORMAT, "%s is not the journal of a run", path);
	else if (err == OK) {
		err = json_parse(s.s, (size_t)(end - s.s), path, out);
		hash_bytes(s.s, (size_t)(end - s.s), sha256);
	}
	free(path);
	str_free(&s);
	return err;
}

static void
print_short(struct str *out, const json_t *v)
{
	size_t from = out->len;
	if (v)
		json_print(out, v, 0);
	else
		str_adds(out, "absent");
	if (out->len - from > 40) {
		out->len = from + 37;
		str_adds(out, "...");
	}
}

static enum err
differ(const char *dir, const char *field, const json_t *there, const json_t *mine)
{
	struct str s = {0};
	str_addf(&s, "%s holds a run of another recipe: %s is ", dir, field);
	print_short(&s, there);
	str_adds(&s, " there, ");
	print_short(&s, mine);
	str_adds(&s, " here; use another folder, or the same recipe");
	enum err err = err_set(ERR_MISMATCH, "%s", s.s);
	str_free(&s);
	return err;
}

/* Objects are compared one level down, so that the message can name a field. */
static enum err
compare(const char *dir, const char *prefix, const json_t *there, const json_t *mine)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)mine, key, value) {
		const json_t *other = json_object_get(there, key);
		char field[160];
		snprintf(field, sizeof(field), "%s%s", prefix, key);
		if (json_is_object(value) && json_is_object(other) && !*prefix) {
			strncat(field, ".", sizeof(field) - strlen(field) - 1);
			TRY(compare(dir, field, other, value));
		} else if (!json_equal(value, other)) {
			return differ(dir, field, other, value);
		}
	}
	json_object_foreach((json_t *)(uintptr_t)there, key, value)
		if (!json_object_get(mine, key))
			return differ(dir, key, value, NULL);
	return OK;
}

enum err
journal_same_recipe(const char *dir, const json_t *there, const json_t *mine)
{
	return compare(dir, "", there, mine);
}

/* ---- the recipe without its seed ---- */

static json_t *
recipe_bare(const struct train_journal *j)
{
	json_t *options = options_json(&j->options);
	json_object_del(options, "seed");
	return json_pack("{s:o, s:o, s:s, s:s}", "options", options, "model", model_config_json(&j->config), "dataset",
		j->dataset, "tokenizer", j->tokenizer);
}

bool
train_journal_alike(const struct train_journal *a, const struct train_journal *b)
{
	json_t *x = recipe_bare(a), *y = recipe_bare(b);
	bool same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}
