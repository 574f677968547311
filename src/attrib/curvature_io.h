/*
 * curvature_io: names of the tensors in a curvature file, and files put together from parts.
 */
#ifndef BYLINE_ATTRIB_CURVATURE_IO_H
#define BYLINE_ATTRIB_CURVATURE_IO_H

#include "byline/curvature.h"

#define CURVATURE_FORMAT "byline curvature 1"
#define TENSOR_NAME_MAX 192

/* "<prefix>.<linear name>.<part>" */
void curvature_tensor_name(char name[TENSOR_NAME_MAX], const struct model *m, const char *prefix, int linear,
	const char *part);

/* Of a file of n checkpoints, all of c's shape. */
uint64_t curvature_file_bytes(const struct model *m, const struct curvature *c, int n, const char *const *prefix,
	const struct curvature_options *o, enum st_dtype dtype, const struct curvature_meta *meta, int n_meta);

/* One file with the tensors and the metadata of all parts, in order; a key they share keeps the first part's value, and
 * `meta` (n_meta) comes before all of them. */
enum err curvature_join(const char *path, int n, const char *const *part, const struct curvature_meta *meta,
	int n_meta);

#endif
