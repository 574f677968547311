/*
 * tokenizer_unit: what the tokenizer's tests share: fixtures of tests/data/tokenizer, and small changes to them.
 */
#ifndef BYLINE_TEST_TOKENIZER_UNIT_H
#define BYLINE_TEST_TOKENIZER_UNIT_H

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/tokenizer.h"
#include "unit.h"

static inline json_t *
fixture(const char *name)
{
	json_t *root;
	char *path = xasprintf("%s/tests/data/tokenizer/%s", getenv("srcdir") ? getenv("srcdir") : ".", name);
	assert_ok(json_parse_file(path, 4 << 20, &root));
	free(path);
	return root;
}

static inline json_t *
patched(const json_t *base, json_t *patch)
{
	json_t *made = json_deep_copy(base), *value;
	const char *key;
	json_object_foreach(patch, key, value) {
		if (strcmp(key, "model") == 0)
			json_object_update(json_object_get(made, key), value);
		else
			json_object_set(made, key, value);
	}
	return made;
}

static inline enum err
parse(struct tokenizer **t, const json_t *root)
{
	char *text = json_dumps(root, JSON_ENCODE_ANY);
	enum err err = tokenizer_parse(t, text, strlen(text), "test.json");
	free(text);
	return err;
}

/* The base with `patch` (JSON text, single quotes for double) over it. */
static inline enum err
parse_patched(struct tokenizer **t, const char *patch)
{
	char *text = xstrdup(patch);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *base = fixture("base.json"), *over;
	assert_ok(json_parse(text, strlen(text), "patch", &over));
	json_t *made = patched(base, over);
	enum err err = parse(t, made);
	json_decref(base);
	json_decref(over);
	json_decref(made);
	free(text);
	return err;
}

static inline struct tokenizer *
base_tokenizer(void)
{
	struct tokenizer *t;
	assert_ok(parse_patched(&t, "{}"));
	return t;
}

/* The settings of a family by its name, over its base. */
static inline struct tokenizer *
family_tokenizer(const char *name)
{
	json_t *bytes = fixture("base.json"), *all = fixture("families.json"), *f;
	struct tokenizer *t = NULL;
	size_t i;
	json_array_foreach(json_object_get(all, "families"), i, f) {
		if (strcmp(json_string_value(json_object_get(f, "name")), name) != 0)
			continue;
		json_t *other = json_object_get(json_object_get(all, "bases"),
			json_string_value(json_object_get(f, "base")));
		json_t *root = patched(other ? other : bytes, json_object_get(f, "patch"));
		assert_ok(parse(&t, root));
		json_decref(root);
	}
	json_decref(bytes);
	json_decref(all);
	assert_non_null(t);
	return t;
}

#endif
