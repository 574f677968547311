/* import: the table of formats, and what they have in common. */
#include "byline/import.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "db.h"
#include "importer.h"
#include "names.h"
#include "texts.h"
#include "works.h"

enum {
	MAX_BYTES = 16 << 20,
	UNIT_RECORDS = 256,		/* a transaction ends after so many records or bytes */
	UNIT_BYTES = 4 << 20,
	REASONS_MAX = 64
};

/* ---- counting ---- */

static void
count_reason(struct importer *im, const char *reason)
{
	struct import_report *r = im->report;
	if (r->n_reasons == REASONS_MAX)
		reason = r->reasons[REASONS_MAX - 1].reason;
	for (size_t i = 0; i < r->n_reasons; i++) {
		if (strcmp(r->reasons[i].reason, reason) == 0) {
			r->reasons[i].n++;
			return;
		}
	}
	mem_grow(&r->reasons, &im->cap_reasons, r->n_reasons + 1, sizeof(*r->reasons));
	r->reasons[r->n_reasons].reason = xstrdup(r->n_reasons == REASONS_MAX - 1 ? "other" : reason);
	r->reasons[r->n_reasons++].n = 1;
}

/* Most first; of as many, in order of the words, so that a report is the same every time. */
static void
sort_reasons(struct import_report *r)
{
	for (size_t i = 1; i < r->n_reasons; i++) {
		__typeof__(*r->reasons) one = r->reasons[i];
		size_t at = i;
		for (; at > 0 && (r->reasons[at - 1].n < one.n || (r->reasons[at - 1].n == one.n
			&& strcmp(r->reasons[at - 1].reason, one.reason) > 0)); at--)
			r->reasons[at] = r->reasons[at - 1];
		r->reasons[at] = one;
	}
}

void
import_report_free(struct import_report *r)
{
	for (size_t i = 0; i < r->n_reasons; i++)
		free(r->reasons[i].reason);
	free(r->reasons);
	*r = (struct import_report){0};
}

enum err
importer_skip(struct importer *im, const char *file, int64_t line, const char *reason, const char *detail)
{
	char *why = detail && *detail ? xasprintf("%s: %s", reason, detail) : xstrdup(reason);
	enum err err = OK;
	im->report->records++;
	im->report->skipped++;
	count_reason(im, reason);
	if (im->o->skipped)
		im->o->skipped(im->o->arg, file, line, why);
	if (im->o->strict && line > 0)
		err = err_set(ERR_FORMAT, "%s:%" PRId64 ": %s", file, line, why);
	else if (im->o->strict)
		err = err_set(ERR_FORMAT, "%s: %s", file, why);
	free(why);
	return err;
}

/* ---- transactions ---- */

static enum err
unit_end(struct importer *im)
{
	im->unit = 0;
	im->unit_bytes = 0;
	return store_commit(im->s);
}

static enum err
unit_add(struct importer *im, const struct work_in *w, bool *added, int64_t *id)
{
	if (im->unit == 0)
		TRY(store_begin(im->s));
	im->unit++;
	im->unit_bytes += w->text_len;
	TRY(store_add_work(im->s, w, id, added));
	return im->unit >= UNIT_RECORDS || im->unit_bytes >= UNIT_BYTES ? unit_end(im) : OK;
}

/* What was read whole stays, whatever ended the import, unless the store itself failed. */
static enum err
unit_close(struct importer *im, enum err err)
{
	if (im->unit > 0 && !im->store_failed) {
		char *message = xstrdup(err_message());
		enum err end = unit_end(im);
		im->store_failed = end != OK;
		if (err != OK)
			err_set(err, "%s", message);
		else
			err = end;
		free(message);
	}
	if (im->store_failed)
		store_rollback(im->s);
	return err;
}

/* ---- records ---- */

static void
apply_unknown(const struct importer *im, struct record *r)
{
	for (size_t i = 0; i < r->people.n; i++) {
		char *name = name_clean(r->people.v[i].name);
		for (size_t k = 0; k < im->unknown.n; k++)
			if (strcasecmp(name, im->unknown.v[k]) == 0)
				r->people.v[i].name = UNKNOWN;
		free(name);
	}
}

static bool
is_blank(const char *s)
{
	return !s || s[strspn(s, " \t\r\n")] == '\0';
}

static struct work_in
record_work(const struct importer *im, const struct record *r)
{
	bool stated = !is_blank(r->licence);
	return (struct work_in){
		.text = r->text.s, .text_len = r->text.len, .title = r->title,
		.licence = stated ? r->licence : im->o->licence,
		.licence_from = stated ? r->licence_from : im->o->licence ? "given at import" : NULL,
		.source = is_blank(r->source) ? im->o->source : r->source,
		.date = r->date, .authors = r->people.v, .n_authors = r->people.n,
	};
}

enum err
importer_add(struct importer *im, const char *file, int64_t line, struct record *r)
{
	bool added;
	int64_t id;
	TRY(job_check(im->job));
	if (r->text.len == 0)
		return importer_skip(im, file, line, "no text", NULL);
	if (r->text.len > im->max_bytes) {
		char *size = xasprintf("%zu bytes, at most %zu", r->text.len, im->max_bytes);
		enum err err = importer_skip(im, file, line, "text too long", size);
		free(size);
		return err;
	}
	apply_unknown(im, r);
	struct work_in w = record_work(im, r);
	if (works_check(&w) != OK)
		return importer_skip(im, file, line, "bad metadata", err_message());
	enum err err = unit_add(im, &w, &added, &id);
	if (err != OK) {
		im->store_failed = true;
		return err;
	}
	if (im->o->taken)
		im->o->taken(im->o->arg, id);
	im->report->records++;
	im->report->added += added;
	im->report->duplicates += !added;
	im->report->bytes += added ? (int64_t)w.text_len : 0;
	job_note(im->job, "%" PRId64 " works", im->report->added);
	return OK;
}

/* ---- formats ---- */

static bool
ends_in(const char *path, const char *tail)
{
	size_t n = strlen(path), m = strlen(tail);
	return n >= m && strcasecmp(path + n - m, tail) == 0;
}

static bool
looks_jsonl(const char *path)
{
	return ends_in(path, ".jsonl") || ends_in(path, ".jsonl.zst") || ends_in(path, ".ndjson")
		|| ends_in(path, ".ndjson.zst");
}

static bool
looks_csv(const char *path)
{
	return ends_in(path, ".csv") || ends_in(path, ".tsv") || ends_in(path, ".csv.zst") || ends_in(path, ".tsv.zst");
}

static bool
is_section(const char *s)
{
	return s[0] >= '1' && s[0] <= '9' && s[1] == '\0';
}

/* A folder "man3"; a page "printf.3" or "printf.3.gz". */
static bool
looks_man(const char *path)
{
	const char *base = path_base(path);
	if (file_is_dir(path))
		return strncmp(base, "man", 3) == 0 && is_section(base + 3);
	char *stem = xstrndup(base, strlen(base) - (ends_in(base, ".gz") ? 3 : 0));
	const char *dot = strrchr(stem, '.');
	bool page = dot && dot > stem && is_section(dot + 1);
	free(stem);
	return page;
}

static const struct format {
	const char *name;
	bool (*looks)(const char *path);	/* NULL: only when asked for */
	enum err (*run)(struct importer *im, const char *path);
} formats[] = {
	{ "jsonl", looks_jsonl, import_jsonl },
	{ "csv", looks_csv, import_csv },
	{ "man", looks_man, import_man },
	{ "dir", file_is_dir, import_dir },
	{ "source", NULL, import_source },
};

static enum err
format_find(const char *name, const char *path, const struct format **out)
{
	struct str all = {0};
	str_adds(&all, "");
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		*out = &formats[i];
		str_addf(&all, "%s%s", i ? ", " : "", formats[i].name);
		if (name ? strcmp(name, formats[i].name) == 0 : formats[i].looks && formats[i].looks(path)) {
			str_free(&all);
			return OK;
		}
	}
	enum err err = name ? err_set(ERR_USAGE, "there is no import format \"%s\"; there are %s", name, all.s)
		: err_set(ERR_USAGE, "cannot tell what %s is; name its format, one of %s", path, all.s);
	str_free(&all);
	return err;
}

static void
list_split(struct names_list *list, const char *names)
{
	while (names && *names) {
		size_t n = strcspn(names, ",");
		char *one = xstrndup(names, n);
		mem_grow(&list->v, &list->cap, list->n + 1, sizeof(*list->v));
		list->v[list->n++] = name_clean(one);
		free(one);
		names += n + (names[n] == ',');
	}
}

static void
list_free(struct names_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

enum err
import_path(struct store *s, const char *path, const struct import_options *o, struct job *job, struct import_report *r)
{
	static const struct import_options none;
	const struct format *format;
	o = o ? o : &none;
	*r = (struct import_report){0};
	struct importer im = { .s = s, .o = o, .job = job, .report = r,
		.max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES };
	TRY(db_writable(s));
	TRY(format_find(o->format, path, &format));
	if (im.max_bytes > TEXT_MAX)
		im.max_bytes = TEXT_MAX;
	list_split(&im.unknown, o->unknown_names);
	enum err err = unit_close(&im, format->run(&im, path));
	list_free(&im.unknown);
	sort_reasons(r);
	return err;
}
