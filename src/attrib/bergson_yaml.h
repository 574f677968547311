/*
 * bergson_yaml: the YAML of settings files, as PyYAML writes plain data in block style: keys and single values by
 * indentation, lists of such. Anchors, tags, block scalars, flow collections that are not empty, and tabs are refused.
 */
#ifndef BYLINE_ATTRIB_BERGSON_YAML_H
#define BYLINE_ATTRIB_BERGSON_YAML_H

#include <stddef.h>

#include "byline/err.h"

/* path: the keys that lead to it, "steps.build.index_cfg.model", the places in lists left out. */
struct yaml_pair { char *path, *value; };
struct yaml { struct yaml_pair *v; size_t n, cap; };

enum err yaml_parse(const char *text, size_t n, const char *name, struct yaml *out);
void yaml_free(struct yaml *y);		/* safe on a zeroed struct */
/* The first value whose path is `tail` or ends in ".tail"; "null" and "" are values too. NULL: there is none. */
const char *yaml_find(const struct yaml *y, const char *tail);

#endif
