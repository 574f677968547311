/* taking: an import of another library's results into a store: all of it, or nothing. */
#ifndef BYLINE_ATTRIB_TAKING_H
#define BYLINE_ATTRIB_TAKING_H

#include "byline/job.h"
#include "byline/store.h"
#include "byline/undo.h"

/* What the store holds goes with the stage, files that were named to `files` with those. */
struct taking { struct store *store; struct undo files; };
enum err taking_begin(struct taking *t, struct store *s);
/* Where err is OK, text.safetensors is brought up to the works that came, and all is kept; else nothing is. To be
 * called if and only if taking_begin() went well. */
enum err taking_end(struct taking *t, enum err err, struct job *job);

#endif
