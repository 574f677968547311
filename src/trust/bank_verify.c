/* bank_verify: a bank's files against what they say of themselves. They come and go after the store has taken its sums,
 * so each carries its own, or has it in another one. */
#include "bank_private.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "sealed.h"

struct verifier {
	struct store *store;
	struct job *job;
	void (*fn)(void *arg, const char *finding);
	void *arg;
	int64_t n;
	char *dir;			/* the bank in hand */
};

/* Turns what is wrong with the data into a finding, and passes on what kept us from looking. */
static enum err
judge(struct verifier *v, enum err err)
{
	if (err != ERR_FORMAT && err != ERR_MISSING && err != ERR_MISMATCH && err != ERR_LIMIT && err != ERR_IO)
		return err;
	v->n++;
	if (v->fn)
		v->fn(v->arg, err_message());
	return OK;
}

static enum err
check_hash(const struct verifier *v, const char *name, const char *want)
{
	char got[HASH_HEX], *path = path_join(v->dir, name);
	enum err err = hash_file(path, got);
	if (err == OK && strcmp(got, want) != 0)
		err = err_set(ERR_MISMATCH, "%s is not what was written (its SHA-256 differs)", path);
	free(path);
	return err;
}

static enum err
check_plan(struct verifier *v, const char *path, const json_t *plan)
{
	const char *queries;
	TRY(json_want_str(plan, path, "queries", &queries));
	return check_hash(v, "queries.safetensors", queries);
}

/* Weights may be thrown away at any time. */
static enum err
check_member(struct verifier *v, const char *path, const json_t *member)
{
	const char *model, *name = path_base(path);
	TRY(json_opt_str(member, path, "model", NULL, &model));
	char *weights = xasprintf("models/%.*s.safetensors", (int)(strlen(name) - strlen(".json")), name);
	char *whole = path_join(v->dir, weights);
	enum err err = model && file_exists(whole) ? check_hash(v, weights, model) : OK;
	free(whole);
	free(weights);
	return err;
}

/* Cached scores may be thrown away at any time, too. */
static enum err
check_sums(struct verifier *v, const char *path, const json_t *sums)
{
	const json_t *hex;
	const char *name;
	enum err err = OK;
	(void)path;
	json_object_foreach(json_object_get(sums, "files"), name, hex) {
		char *file = path_join(v->dir, name);
		bool plain = !strchr(name, '/') && json_is_string(hex);
		if (err == OK && plain && file_exists(file))
			err = judge(v, check_hash(v, name, json_string_value(hex)));
		free(file);
	}
	return err;
}

static bool
ends(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);
	return n > m && strcmp(name + n - m, ending) == 0;
}

static const struct { const char *name; enum err (*check)(struct verifier *, const char *, const json_t *); }
	kinds[] = { { "plan.json", check_plan }, { BANK_SUMS, check_sums }, { ".json", check_member } };

static enum err
check_content(struct verifier *v, const char *rel, const char *path, const json_t *o)
{
	size_t k = 0;
	while (k + 1 < ARRAY_LEN(kinds) && strcmp(rel, kinds[k].name) != 0)
		k++;
	return kinds[k].check(v, path, o);
}

/* Reports are among the sums. */
static enum err
check_file(void *arg, const char *rel)
{
	struct verifier *v = arg;
	json_t *o;
	TRY(job_check(v->job));
	if (strchr(rel, '/') || !ends(rel, ".json") || strcmp(rel, "trust.json") == 0)
		return OK;
	char *path = path_join(v->dir, rel);
	enum err err = sealed_read(path, &o);
	if (err == OK)
		err = check_content(v, rel, path, o);
	json_decref(o);
	free(path);
	return judge(v, err);
}

static enum err
check_run(void *arg, const struct run *r)
{
	struct verifier *v = arg;
	enum err err = OK;
	v->dir = path_join(r->dir, "bank");
	if (file_is_dir(v->dir))
		err = file_walk(v->dir, check_file, v);
	free(v->dir);
	v->dir = NULL;
	return err;
}

enum err
bank_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings)
{
	struct verifier v = { .store = s, .job = job, .fn = fn, .arg = arg };
	job_phase(job, "checking banks", 0);
	enum err err = store_each_run(s, check_run, &v);
	*n_findings = v.n;
	return err;
}
