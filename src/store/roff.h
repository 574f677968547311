/*
 * roff: the text of a manual page without its typesetting: good enough to read and to train on, not a formatter.
 * Private to the store floor.
 */
#ifndef BYLINE_STORE_ROFF_H
#define BYLINE_STORE_ROFF_H

#include <stddef.h>

#include "byline/str.h"

struct roff_page { struct str text; char *name, *section, *date, *redirect; };

/* Any bytes are accepted. redirect: the page is nothing but ".so FILE". */
void roff_read(const char *s, size_t n, struct roff_page *page);
void roff_page_free(struct roff_page *page);

#endif
