/*
 * import_store: the store that a command imports into, made where there is none, and gone again when nothing came in.
 */
#ifndef BYLINE_CLI_IMPORT_STORE_H
#define BYLINE_CLI_IMPORT_STORE_H

#include "byline/store.h"
#include "byline/undo.h"

struct import_store { struct store *store; struct undo made; char *dir; size_t there; };
/* A folder without a database may be what a killed import left. */
enum err import_store_open(const char *dir, struct import_store *s);
/* Closes; a store made for an import that failed goes again, before anybody else can write to it. Returns err, and its
 * message. */
enum err import_store_close(struct import_store *s, enum err err);

#endif
