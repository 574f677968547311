/*
 * undo: files and folders put back as they were, when what changes them is not brought to its end.
 *
 * What undo_add() was told of is put back by undo_end() with an error, and kept as it has become by undo_end(OK). Until
 * then what was there stands beside it as PATH.tmp.before, where a kill leaves it: a file under both names, so whoever
 * reads it goes on, and is replaced, never written to; a folder or link under that one alone.
 */
#ifndef BYLINE_UNDO_H
#define BYLINE_UNDO_H

#include <stddef.h>

#include "byline/err.h"

struct undo_entry;
struct undo { struct undo_entry *entry; size_t n, cap; };	/* zeroed: nothing to undo */

/* Of a file, folder or link, or of nothing: then it, and the parents that it will be the first in, are to go again. */
enum err undo_add(struct undo *u, const char *path);
/* Returns err, and its message; frees. What cannot be put back stays under its other name. */
enum err undo_end(struct undo *u, enum err err);
/* Keeps all as it has become, and returns err, and its message. */
enum err undo_drop(struct undo *u, enum err err);

#endif
