/*
 * importer: what the import formats share: the record, the people behind it, counting, skipping, transactions. Private
 * to the store floor. A format reads its file and hands over records; everything else is here.
 */
#ifndef BYLINE_STORE_IMPORTER_H
#define BYLINE_STORE_IMPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/import.h"
#include "byline/str.h"

struct names_list { char **v; size_t n, cap; };

struct importer {
	struct store *s;
	const struct import_options *o;
	struct job *job;
	struct import_report *report;
	size_t max_bytes, cap_reasons;
	struct names_list unknown;	/* author strings that mean unknown */
	int64_t unit;			/* records in the open transaction, 0: none is open */
	size_t unit_bytes;
	bool store_failed;		/* the last error is the store's, not the input's */
	void *format;			/* the format's own */
};

/* ---- records ---- */

struct people { struct work_author *v; char **owned; size_t n, cap, cap_owned; };

struct record {
	struct str text;
	char *title, *licence, *licence_from, *source, *date;	/* NULL: unknown */
	struct people people;
};
void record_free(struct record *r);		/* safe on zeroes, zeroes again */
/* Adds `n` bytes of a name; joint authors separated by `between` (NULL: none) share alike. */
void people_add(struct people *p, const char *name, size_t n, double share, const char *between);
/* The same, unless the name is there. */
void people_add_once(struct people *p, const char *name, size_t n);

/* ---- what a format calls ---- */

/* Adds the record, or skips it saying why. Errors end the import. */
enum err importer_add(struct importer *im, const char *file, int64_t line, struct record *r);
/* `reason` is one of few, for counting; `detail` (may be NULL) is what this record did. line 0: the whole file. */
enum err importer_skip(struct importer *im, const char *file, int64_t line, const char *reason, const char *detail);

/* ---- formats ---- */

enum err import_jsonl(struct importer *im, const char *path);
enum err import_csv(struct importer *im, const char *path);
enum err import_dir(struct importer *im, const char *path);
enum err import_source(struct importer *im, const char *path);
enum err import_man(struct importer *im, const char *path);

/* The pure parts: what a stranger's bytes go through. They return NULL, or the reason and leave the detail in
 * err_message(). */
const char *jsonl_parse(const char *line, size_t n, const char *between, struct record *r);

#endif
