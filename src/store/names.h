/*
 * names: how names and other short texts about a work are made comparable before they are stored. Private to the store
 * floor.
 */
#ifndef BYLINE_STORE_NAMES_H
#define BYLINE_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "byline/store.h"

enum { NAME_LIMIT = 1024, FIELD_LIMIT = 4096, AUTHORS_LIMIT = 1000 };

/* Trimmed, inner white space (and controls) collapsed to one space, NFC, invalid bytes U+FFFD. NULL and "" give "".
 * Fresh memory. */
char *name_clean(const char *name);
/* name_clean, and every spelling of "unknown" and "" give UNKNOWN. */
char *name_or_unknown(const char *name);
/* A title, source or date: invalid bytes U+FFFD, trimmed, nothing else changed. */
char *field_clean(const char *text);

/* The authors of a record, cleaned, repeated ones merged, shares summing to 1; never empty. */
struct authors {
	struct { char *name; double share; } *v;
	size_t n;
};
/* ERR_FORMAT or ERR_LIMIT when the record makes no sense. */
enum err authors_make(struct authors *a, const struct work_author *in, size_t n);
void authors_free(struct authors *a);

#endif
