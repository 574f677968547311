/*
 * resume: resume.safetensors, everything a run needs to go on as if nothing had happened: weights, both moments of the
 * optimizer, counters, and how long the journal was. Replaced atomically.
 */
#ifndef BYLINE_TRAIN_RESUME_H
#define BYLINE_TRAIN_RESUME_H

#include "trainer.h"

/* recipe: SHA-256 of the journal's first line. */
enum err resume_save(const char *dir, const struct trainer *t, const char *recipe);
/* Puts the trainer where the file says and cuts the journal to what it was then; *found false, and nothing done, when
 * there is no file. ERR_FORMAT when it belongs to another run or is damaged. */
enum err resume_load(const char *dir, struct trainer *t, const char *recipe, bool *found);
enum err resume_remove(const char *dir);

#endif
