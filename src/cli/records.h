/* records: works and contributors as JSON members and as a byline; one form for every command. */
#ifndef BYLINE_CLI_RECORDS_H
#define BYLINE_CLI_RECORDS_H

#include <jansson.h>

#include "byline/store.h"

/* Sets "work" {id, title, licence, date, source} and "contributors" [{name, share}] on o. w may be NULL. */
void record_work(json_t *o, const struct work *w);

/* Its title, "work 12, untitled" where it has none, on one line: a title of several could pass for more rows. */
void record_title(struct str *out, const struct work *w);

/* "Ruth Calder", "Edda Moss and Piet Hallam", "unknown". */
void record_byline(struct str *out, const struct work *w);

#endif
