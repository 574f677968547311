/*
 * options: one table of the training options, from which checking, the recipe in the journal and its reading are made.
 * `save_every` is no part of a recipe: it changes no number.
 */
#ifndef BYLINE_TRAIN_OPTIONS_H
#define BYLINE_TRAIN_OPTIONS_H

#include <jansson.h>

#include "byline/train.h"

json_t *options_json(const struct train_options *o);
/* Every field must be there and within its bounds: half a recipe replays nothing. `name` is what messages call the
 * file. */
enum err options_parse(struct train_options *o, const json_t *root, const char *name);

#endif
