/* bank_sums: sums.json, the hashes of those files of a bank that do not carry their own: reports and cached scores. */
#include "bank_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "sealed.h"

struct sums { const struct bank *b; json_t *files; };

static bool
begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static enum err
sums_visit(void *arg, const char *rel)
{
	struct sums *s = arg;
	char hex[HASH_HEX];
	if (strcmp(rel, "trust.json") != 0 && (!begins(rel, "scores-") || strstr(rel, ".tmp.")))
		return OK;
	char *path = bank_path(s->b, rel, "");
	enum err err = hash_file(path, hex);
	if (err == OK)
		json_object_set_new(s->files, rel, json_string(hex));
	free(path);
	return err;
}

enum err
bank_sums_write(const struct bank *b)
{
	struct sums s = { b, json_object() };
	char *path = bank_path(b, BANK_SUMS, "");
	enum err err = file_walk(b->dir, sums_visit, &s);
	if (err == OK)
		err = sealed_write(path, json_pack("{s:O}", "files", s.files));
	json_decref(s.files);
	free(path);
	return err;
}

void
bank_sums_forget(const struct bank *b)
{
	char *path = bank_path(b, BANK_SUMS, "");
	unlink(path);
	free(path);
}
