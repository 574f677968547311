/*
 * schema: the tables of store.db, as steps from version to version, and the check that a store holds them and nothing
 * else. Private to the store floor.
 */
#ifndef BYLINE_STORE_SCHEMA_H
#define BYLINE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdint.h>

#include "db.h"

#define APPLICATION_ID 0x42796c6e	/* "Byln", as file(1) sees it */

/* Step i leads from version i to version i + 1; the texts are statements, one after the other. */
extern const char *const schema_steps[];
extern const int schema_version;

/* Runs steps[from .. to) in one transaction and writes the version; a failed step leaves everything as it was. */
enum err schema_migrate(struct store *s, const char *const *steps, int from, int to);
enum err schema_read_version(struct store *s, int64_t *version);
/* ERR_FORMAT unless the tables are exactly those the steps make: a trigger, view or changed table is a trap. */
enum err schema_check(struct store *s);

/* The full-text table of a run, name and statement; both the caller's. */
char *schema_words_name(int64_t run);
char *schema_words_sql(int64_t run);

#endif
