/*
 * curvature_internal: the pieces that curvature_compute and curvature_load are made of.
 */
#ifndef BYLINE_ATTRIB_CURVATURE_INTERNAL_H
#define BYLINE_ATTRIB_CURVATURE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "byline/curvature.h"

/* Random streams of an index; the low bits say which layer, side or piece. */
#define STREAM_PROJECTION (UINT64_C(1) << 40)
#define STREAM_LABELS (UINT64_C(2) << 40)
#define STREAM_SAMPLE (UINT64_C(3) << 40)
#define STREAM_NULL (UINT64_C(4) << 40)

enum { CURVATURE_MAX_K = 256 };

/* The layers of m with zeroed bases (q, w; none where the side has none) and lambda; p is left NULL. */
enum err curvature_new(struct curvature *c, const struct model *m, int k);

/* Side 0 is a, side 1 is s. */
struct curvature_side *curvature_side(struct curvature_layer *l, int side);

/* Fills every p from q, w and the seed. pool may be NULL. */
enum err curvature_project(struct curvature *c, uint64_t seed, double whiten_damping, struct pool *pool);

/* Runs fn over every (layer, side); pool may be NULL. */
enum err curvature_each_side(struct curvature *c, struct pool *pool,
	enum err (*fn)(void *arg, struct curvature_layer *l, int side), void *arg);

/* q becomes what a reader of the file will have: its Householder coordinates in half precision. */
enum err curvature_round_basis(float *q, int n);

#endif
