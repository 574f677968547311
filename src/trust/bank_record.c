/* bank_record: one finished member as KEY.json. */
#include "bank_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "sealed.h"

#define RECORD_FORMAT "byline bank member 1"

enum err
bank_record_write(const struct bank *b, const struct bank_member *m, const struct bank_record *r)
{
	char *path = bank_path(b, m->key, ".json");
	json_t *outcomes = json_array();
	for (int i = 0; i < b->n_queries; i++)
		json_array_append_new(outcomes, json_real(r->outcome[i]));
	json_t *exact = r->exact < 0 ? json_null() : json_boolean(r->exact);
	json_t *model = r->model[0] ? json_string(r->model) : json_null();
	enum err err = sealed_write(path, json_pack("{s:s, s:s, s:s, s:o, s:o, s:f, s:o, s:o}", "format", RECORD_FORMAT,
		"key", m->key, "identity", m->identity, "outcomes", outcomes, "heldout", json_number(r->heldout),
		"seconds", r->seconds, "exact", exact, "model", model));
	free(path);
	return err;
}

static enum err
read_outcomes(const struct bank *b, const json_t *o, const char *path, struct bank_record *r)
{
	const json_t *list = json_object_get(o, "outcomes"), *v;
	size_t i;
	if (!json_is_array(list) || json_array_size(list) != (size_t)b->n_queries)
		return err_set(ERR_FORMAT, "%s: \"outcomes\" must be %d numbers, one a query: remove the file", path,
			b->n_queries);
	r->outcome = xcalloc((size_t)b->n_queries + 1, sizeof(*r->outcome));
	json_array_foreach(list, i, v) {
		if (!json_is_number(v) || !isfinite(json_number_value(v)))
			return err_set(ERR_FORMAT, "%s: \"outcomes\" holds what is no number: remove the file", path);
		r->outcome[i] = json_number_value(v);
	}
	return OK;
}

static enum err
read_record(const struct bank *b, const struct bank_member *m, const json_t *o, const char *path,
	struct bank_record *r)
{
	const char *format, *key, *identity;
	bool exact;
	TRY(json_want_str(o, path, "format", &format));
	TRY(json_want_str(o, path, "key", &key));
	TRY(json_want_str(o, path, "identity", &identity));
	if (strcmp(format, RECORD_FORMAT) != 0)
		return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is no member of a bank that this byline knows", path,
			format);
	if (strcmp(key, m->key) != 0 || strcmp(identity, m->identity) != 0)
		return err_set(ERR_MISMATCH, "%s: outcomes of another retraining than its name says: remove the file",
			path);
	TRY(json_opt_real(o, path, "heldout", -1e9, 1e9, (double)NAN, &r->heldout));
	TRY(json_opt_real(o, path, "seconds", 0, 1e12, 0, &r->seconds));
	TRY(json_opt_bool(o, path, "exact", false, &exact));
	r->exact = json_is_boolean(json_object_get(o, "exact")) ? exact : -1;
	TRY(json_opt_hash(o, path, "model", r->model));
	return read_outcomes(b, o, path, r);
}

enum err
bank_record_read(const struct bank *b, const struct bank_member *m, struct bank_record *r)
{
	char *path = bank_path(b, m->key, ".json");
	json_t *o;
	*r = (struct bank_record){0};
	enum err err = sealed_read(path, &o);
	if (err == OK)
		err = read_record(b, m, o, path, r);
	if (err != OK) {
		free(r->outcome);
		r->outcome = NULL;
	}
	json_decref(o);
	free(path);
	return err;
}

void
bank_record_take(struct bank *b, struct bank_member *m, struct bank_record *r)
{
	m->outcome = r->outcome;
	m->heldout = r->heldout;
	m->seconds = r->seconds;
	m->done = true;
	if (m->kind == MEMBER_FULL && m->seed == b->retraining.journal.options.seed)
		b->exact = r->exact;
	r->outcome = NULL;
}
