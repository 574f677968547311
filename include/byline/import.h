/*
 * import: corpora into a store. Each format is a row of the table in src/store/import.c.
 *
 * A bad record is reported (file, line, reason) and skipped; with `strict` it ends the import. Records go in by
 * transactions of a few hundred, so a kill loses at most the unit in flight, and importing again adds nothing twice.
 */
#ifndef BYLINE_IMPORT_H
#define BYLINE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/job.h"
#include "byline/store.h"

struct import_options {
	const char *format;		/* "jsonl", "csv", "dir", "source", "man"; NULL: guessed from the path */
	const char *columns;		/* csv: "text=text,author=author,title=number" */
	const char *author_from;	/* dir: "dir1", "dir2" (that folder level) or a PCRE2 with (?<author>...) and
					 * perhaps (?<title>...) on the path */
	const char *licence, *source;	/* defaults where a record has none */
	const char *author_map;		/* csv or jsonl: separator between joint authors, e.g. " AND " */
	const char *unknown_names;	/* comma list of author strings that mean unknown */
	size_t max_bytes;		/* largest single text, default 16 MiB */
	bool strict;
	void (*skipped)(void *arg, const char *file, int64_t line, const char *reason);	/* each skip; may be NULL */
	void (*taken)(void *arg, int64_t work);	/* each record that is a work now, in their order; may be NULL */
	void *arg;
};

struct import_report {
	int64_t records, added, duplicates, skipped, bytes;
	struct { char *reason; int64_t n; } *reasons;	/* most first */
	size_t n_reasons;
};
void import_report_free(struct import_report *r);

/* The records of a JSONL file, plain or zstd, good or bad: its lines that are not blank. */
enum err import_count(const char *path, uint64_t *records);

enum err import_path(struct store *s, const char *path, const struct import_options *o, struct job *job,
	struct import_report *r);

#endif
