/* leftovers: what writers that were killed left beside the files they wrote: NAME.tmp. and anything. */
#ifndef BYLINE_ATTRIB_LEFTOVERS_H
#define BYLINE_ATTRIB_LEFTOVERS_H

#include "byline/err.h"

/* Of all names in the folder that begin with `stem`. A folder that cannot be listed has none. */
void leftovers_each(const char *dir, const char *stem, void (*fn)(void *arg, const char *path), void *arg);
/* For whoever holds the store's lock, and has nothing under way himself. What stays, verify tells of. */
void leftovers_remove(const char *dir, const char *stem);
/* A finding that is none: nothing is wrong with the store. */
struct leftovers_note { void (*fn)(void *arg, const char *finding); void *arg; };
void leftovers_tell(void *note, const char *path);

#endif
