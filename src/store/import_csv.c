/* import_csv: a table with a header; --columns says which column is what. */
#include "csv.h"
#include "importer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "byline/mem.h"
#include "stream.h"

enum { RECORD_EXTRA = 1 << 20, ABSENT = -1 };

enum column { COL_TEXT, COL_AUTHOR, COL_TITLE, COL_LICENCE, COL_SOURCE, COL_DATE, COLS };

static const struct { const char *name, *also; } columns[COLS] = {
	[COL_TEXT] = {"text", NULL},
	[COL_AUTHOR] = {"author", "authors"},
	[COL_TITLE] = {"title", NULL},
	[COL_LICENCE] = {"licence", "license"},
	[COL_SOURCE] = {"source", NULL},
	[COL_DATE] = {"date", NULL},
};

struct table { struct csv csv; struct csv_row row; size_t width; int at[COLS]; const char *path; };

static bool
field_is(const struct csv_row *row, size_t i, const char *name, size_t n)
{
	size_t len;
	const char *s = csv_field(row, i, &len);
	return len == n && strncasecmp(s, name, n) == 0;
}

static int
header_find(const struct csv_row *header, const char *name, size_t n)
{
	for (size_t i = 0; i < header->n; i++)
		if (field_is(header, i, name, n))
			return (int)i;
	return ABSENT;
}

static enum err
no_column(const struct table *t, const char *name, size_t n)
{
	struct str all = {0};
	str_adds(&all, "");
	for (size_t i = 0; i < t->row.n && i < 32; i++) {
		size_t len;
		const char *s = csv_field(&t->row, i, &len);
		str_addf(&all, "%s%.*s", i ? ", " : "", (int)(len < 64 ? len : 64), s);
	}
	err_set(ERR_USAGE, "%s: no column \"%.*s\"; it has %s", t->path, (int)n, name, all.s);
	str_free(&all);
	return ERR_USAGE;
}

/* One "text=COLUMN" of the map. */
static enum err
map_one(struct table *t, const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n);
	size_t left = eq ? (size_t)(eq - s) : 0;
	for (int c = 0; eq && c < COLS; c++) {
		if (strlen(columns[c].name) != left || strncasecmp(columns[c].name, s, left) != 0)
			continue;
		t->at[c] = header_find(&t->row, eq + 1, n - left - 1);
		return t->at[c] == ABSENT ? no_column(t, eq + 1, n - left - 1) : OK;
	}
	return err_set(ERR_USAGE,
		"column map \"%.*s\": write text=COLUMN; known are text, author, title, licence, source, date",
		(int)n, s);
}

static enum err
map_columns(struct table *t, const char *map)
{
	for (int c = 0; c < COLS; c++) {
		t->at[c] = header_find(&t->row, columns[c].name, strlen(columns[c].name));
		if (t->at[c] == ABSENT && columns[c].also)
			t->at[c] = header_find(&t->row, columns[c].also, strlen(columns[c].also));
	}
	while (map && *map) {
		size_t n = strcspn(map, ",");
		TRY(map_one(t, map, n));
		map += n + (map[n] == ',');
	}
	return t->at[COL_TEXT] == ABSENT ? no_column(t, "text", 4) : OK;
}

/* ---- records ---- */

static const char *
cell(const struct table *t, enum column c, size_t *n)
{
	*n = 0;
	return t->at[c] == ABSENT || (size_t)t->at[c] >= t->row.n ? "" : csv_field(&t->row, (size_t)t->at[c], n);
}

static char *
cell_text(const struct table *t, enum column c)
{
	size_t n;
	const char *s = cell(t, c, &n);
	return n ? xstrndup(s, n) : NULL;
}

static void
row_record(const struct table *t, const char *between, struct record *r)
{
	size_t n;
	const char *s = cell(t, COL_TEXT, &n);
	str_add(&r->text, s, n);
	r->title = cell_text(t, COL_TITLE);
	r->licence = cell_text(t, COL_LICENCE);
	r->source = cell_text(t, COL_SOURCE);
	r->date = cell_text(t, COL_DATE);
	if (r->licence)
		r->licence_from = xstrdup("stated in the record");
	s = cell(t, COL_AUTHOR, &n);
	if (n)
		people_add(&r->people, s, n, 1, between);
}

/* More or fewer fields than names: a separator or a quote is not where its writer meant it, and the text would be
 * another. */
static enum err
wrong_width(struct importer *im, const struct table *t)
{
	char *detail = xasprintf("%zu, the header has %zu", t->row.n, t->width);
	enum err err = importer_skip(im, t->path, t->row.line, "wrong number of columns", detail);
	free(detail);
	return err;
}

static bool
has_nul(const struct table *t)
{
	for (enum column c = COL_TEXT + 1; c < COLS; c++) {
		size_t n;
		const char *s = cell(t, c, &n);
		if (memchr(s, '\0', n))
			return true;
	}
	return false;
}

static enum err
take_row(struct importer *im, const struct table *t)
{
	struct record r = {0};
	if (t->row.n != t->width)
		return wrong_width(im, t);
	if (has_nul(t))
		return importer_skip(im, t->path, t->row.line, "bad metadata", "a NUL byte");
	row_record(t, im->o->author_map, &r);
	enum err err = importer_add(im, t->path, t->row.line, &r);
	record_free(&r);
	return err;
}

static bool
row_blank(const struct csv_row *row)
{
	return row->n == 1 && row->bytes.len == 0;
}

static enum err
take_rows(struct importer *im, struct table *t, struct stream *in)
{
	for (;;) {
		bool have;
		const char *why;
		enum err err = csv_read(&t->csv, &t->row, &have, &why);
		if (err == ERR_FORMAT)
			return importer_skip(im, t->path, t->csv.line, "broken compression", err_message());
		if (err != OK || !have)
			return err;
		if (why)
			err = importer_skip(im, t->path, t->row.line, why, NULL);
		else if (!row_blank(&t->row))
			err = take_row(im, t);
		job_step(im->job, in->taken);
		TRY(err);
	}
}

static enum err
stream_next(void *arg, int *c)
{
	return stream_byte(arg, c);
}

static enum err
take_table(struct importer *im, struct table *t, struct stream *in)
{
	bool have;
	const char *why;
	csv_start(&t->csv, stream_next, in, 0, 2 * im->max_bytes + RECORD_EXTRA);
	enum err err = csv_read(&t->csv, &t->row, &have, &why);
	if (err != OK)
		return err == ERR_FORMAT ? err_prefix(err, "%s", t->path) : err;
	if (!have || why)
		return err_set(ERR_FORMAT, "%s: %s; a table begins with the names of its columns", t->path,
			why ? why : "empty");
	t->width = t->row.n;
	TRY(map_columns(t, im->o->columns));
	return take_rows(im, t, in);
}

enum err
import_csv(struct importer *im, const char *path)
{
	struct stream in;
	struct table t = {.path = path};
	TRY(stream_open(&in, path));
	job_phase(im->job, "importing", in.size);
	enum err err = take_table(im, &t, &in);
	csv_row_free(&t.row);
	stream_close(&in);
	return err;
}
