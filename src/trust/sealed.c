/* sealed: JSON that carries the hash of the rest of itself. */
#include "sealed.h"

#include <string.h>

#include "byline/file.h"
#include "byline/hash.h"
#include "byline/json.h"
#include "byline/str.h"

enum { SEALED_MAX = 64 << 20 };

static void
seal(const json_t *object, char hex[HASH_HEX])
{
	struct str text = {0};
	json_print(&text, object, 0);
	hash_bytes(text.s, text.len, hex);
	str_free(&text);
}

enum err
sealed_write(const char *path, json_t *object)
{
	struct str text = {0};
	char hex[HASH_HEX];
	seal(object, hex);
	json_object_set_new(object, "sha256", json_string(hex));
	json_print(&text, object, 0);
	str_addc(&text, '\n');
	enum err err = file_replace(path, text.s, text.len);
	str_free(&text);
	json_decref(object);
	return err;
}

static enum err
seal_check(const char *path, json_t *object)
{
	const char *want;
	char got[HASH_HEX];
	TRY(json_want_str(object, path, "sha256", &want));
	json_t *kept = json_incref(json_object_get(object, "sha256"));
	json_object_del(object, "sha256");
	seal(object, got);
	bool same = strcmp(json_string_value(kept), got) == 0;
	json_decref(kept);
	return same ? OK : err_set(ERR_FORMAT, "%s is not what was written (its SHA-256 differs): remove it", path);
}

enum err
sealed_read(const char *path, json_t **out)
{
	TRY(json_parse_file(path, SEALED_MAX, out));
	enum err err = seal_check(path, *out);
	if (err == OK)
		return OK;
	json_decref(*out);
	*out = NULL;
	return err;
}
