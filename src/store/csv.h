/*
 * csv: records of RFC 4180 text, from any source of bytes. Quotes, embedded line ends, CRLF, a byte-order mark. Private
 * to the store floor.
 */
#ifndef BYLINE_STORE_CSV_H
#define BYLINE_STORE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/str.h"

enum { CSV_COLUMNS = 1024 };

struct csv {
	enum err (*byte)(void *arg, int *c);	/* one byte, -1 at the end */
	void *arg;
	char separator;			/* 0: told from the first record: a comma, a semicolon or a tab */
	size_t limit;			/* bytes of one record */
	int64_t line;			/* of the next byte, from 1 */
	int held;			/* a byte read too far, -2: none */
};

/* The fields of a record: end to end in bytes, field i ends at end[i]. */
struct csv_row { struct str bytes; size_t end[CSV_COLUMNS]; size_t n; int64_t line; };

void csv_start(struct csv *c, enum err (*byte)(void *arg, int *c), void *arg, char separator, size_t limit);
/* Reads a record; *have is false at the end. *why is NULL, or what is wrong with this record, which has been read
 * past. */
enum err csv_read(struct csv *c, struct csv_row *row, bool *have, const char **why);
const char *csv_field(const struct csv_row *row, size_t i, size_t *n);
void csv_row_free(struct csv_row *row);

#endif
