/* import_jsonl: one JSON object a line, plain or zstd. */
#include "importer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "stream.h"

/* A line may be longer than the text in it: six bytes for one when everything is escaped; twice is what writers do. */
enum { LINE_EXTRA = 1 << 20 };

static const struct { const char *key, *also; size_t at; } fields[] = {
	{ "title", NULL, offsetof(struct record, title) },
	{ "licence", "license", offsetof(struct record, licence) },
	{ "licence_from", NULL, offsetof(struct record, licence_from) },
	{ "source", NULL, offsetof(struct record, source) },
	{ "date", NULL, offsetof(struct record, date) },
};

static const json_t *
find(const json_t *root, const char *key, const char *also)
{
	const json_t *v = json_object_get(root, key);
	return (!v || json_is_null(v)) && also ? json_object_get(root, also) : v;
}

/* A string without NULs, or a whole number in digits. NULL otherwise. */
static char *
value_text(const json_t *v)
{
	if (json_is_integer(v))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
	if (json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v))
		return xstrdup(json_string_value(v));
	return NULL;
}

static const char *
bad(const char *reason, const char *key, const char *want)
{
	err_set(ERR_FORMAT, "\"%s\" must be %s", key, want);
	return reason;
}

static const char *
read_fields(const json_t *root, struct record *r)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const json_t *v = find(root, fields[i].key, fields[i].also);
		if (!v || json_is_null(v))
			continue;
		char **to = (char **)(void *)((char *)r + fields[i].at);
		if (!(*to = value_text(v)))
			return bad("bad metadata", fields[i].key, "a string");
	}
	if (r->licence && !r->licence_from)
		r->licence_from = xstrdup("stated in the record");
	return NULL;
}

/* ---- authors ---- */

static const char want_author[] = "a string, or a list of strings or of objects with \"name\" and \"share\"";

static bool
read_author(const json_t *v, const char *between, struct people *p)
{
	double share = 1;
	if (json_is_object(v)) {
		const json_t *part = json_object_get(v, "share");
		if (part && !json_is_null(part) && !json_is_number(part))
			return false;
		if (json_is_number(part))
			share = json_number_value(part);
		v = json_object_get(v, "name");
	}
	if (!v || json_is_null(v)) {
		people_add(p, UNKNOWN, strlen(UNKNOWN), share, NULL);
		return true;
	}
	char *name = json_is_string(v) ? value_text(v) : NULL;
	if (name)
		people_add(p, name, strlen(name), share, between);
	free(name);
	return name;
}

static const char *
read_authors(const json_t *root, const char *between, struct record *r)
{
	const json_t *v = find(root, "author", "authors");
	if (!v || json_is_null(v))
		return NULL;
	bool good = true;
	if (json_is_array(v)) {
		for (size_t i = 0; good && i < json_array_size(v); i++)
			good = read_author(json_array_get(v, i), between, &r->people);
	} else {
		good = read_author(v, between, &r->people);
	}
	return good ? NULL : bad("bad author", "author", want_author);
}

/* ---- records ---- */

static const char *
read_text(const json_t *root, struct record *r)
{
	const json_t *v = json_object_get(root, "text");
	if (!json_is_string(v))
		return bad("no text", "text", "a string");
	str_add(&r->text, json_string_value(v), json_string_length(v));
	return NULL;
}

static const char *
read_record(const json_t *root, const char *between, struct record *r)
{
	if (!json_is_object(root)) {
		err_set(ERR_FORMAT, "the line is no JSON object");
		return "not a JSON object";
	}
	const char *why = read_text(root, r);
	if (!why)
		why = read_fields(root, r);
	if (!why)
		why = read_authors(root, between, r);
	return why;
}

const char *
jsonl_parse(const char *line, size_t n, const char *between, struct record *r)
{
	json_t *root;
	*r = (struct record){0};
	if (json_parse(line, n, "record", &root) != OK)
		return "not JSON";
	const char *why = read_record(root, between, r);
	json_decref(root);
	return why;
}

static bool
is_blank(const struct str *line)
{
	return line->s[strspn(line->s, " \t")] == '\0';
}

static enum err
take_line(struct importer *im, const char *path, int64_t number, const struct str *line)
{
	struct record r;
	const char *why = jsonl_parse(line->s, line->len, im->o->author_map, &r);
	enum err err = why ? importer_skip(im, path, number, why, err_message()) : importer_add(im, path, number, &r);
	record_free(&r);
	return err;
}

/* ERR_FORMAT comes from the compression alone here. */
static enum err
take_all(struct importer *im, struct stream *in, struct str *line)
{
	size_t limit = 2 * im->max_bytes + LINE_EXTRA;
	for (int64_t number = 1;; number++) {
		bool have, too_long;
		enum err err = stream_line(in, limit, line, &have, &too_long);
		if (err == ERR_FORMAT)
			return importer_skip(im, in->path, number, "broken compression", err_message());
		if (err != OK || !have)
			return err;
		if (too_long)
			err = importer_skip(im, in->path, number, "line too long", NULL);
		else if (!is_blank(line))
			err = take_line(im, in->path, number, line);
		job_step(im->job, in->taken);
		TRY(err);
	}
}

enum err
import_jsonl(struct importer *im, const char *path)
{
	struct stream in;
	struct str line = {0};
	TRY(stream_open(&in, path));
	job_phase(im->job, "importing", in.size);
	enum err err = take_all(im, &in, &line);
	str_free(&line);
	stream_close(&in);
	return err;
}

enum err
import_count(const char *path, uint64_t *records)
{
	struct stream in;
	struct str line = {0};
	bool have = true, too_long;
	*records = 0;
	TRY(stream_open(&in, path));
	enum err err = OK;
	while (err == OK && have) {
		err = stream_line(&in, LINE_EXTRA, &line, &have, &too_long);
		*records += err == OK && have && (too_long || !is_blank(&line)) ? 1 : 0;
	}
	str_free(&line);
	stream_close(&in);
	return err;
}
