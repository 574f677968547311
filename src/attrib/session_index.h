/*
 * session_index: a run's index as a session uses it. Opened with the session; what is large is read when first asked
 * for.
 *
 * Once ready it is only read: queries may share it.
 */
#ifndef BYLINE_ATTRIB_SESSION_INDEX_H
#define BYLINE_ATTRIB_SESSION_INDEX_H

#include <pthread.h>

#include "byline/attrib.h"
#include "byline/features.h"
#include "index_info.h"

/* One checkpoint that the index averages over; empty until index_ready. */
struct index_point {
	struct model model;		/* its weights are in model.params */
	struct curvature curvature;	/* of a large model the projections alone: see index_curvature */
};

struct index {
	struct index_info info;
	char *run_dir;
	struct index_point *point;
	int n_points;
	struct st_file curvature, hidden;
	struct feature_layout layout;
	struct features *features;
	double scale;			/* projected inner products to roughly the unit of exact scores */
	double null_sd[INDEX_LENGTHS_MAX];	/* by info.null_length, of projected inner products */
	bool keep;			/* the curvature of all checkpoints is small enough to stay in memory */
	pthread_mutex_t lock;
	bool ready;
};

/* *out is NULL when the run has no finished index. */
enum err index_open(const struct session *s, struct index **out);
void index_close(struct index *x);	/* NULL is fine */

/* Weights and projections of every checkpoint are in memory afterwards. Called by whoever holds the pool. */
enum err index_ready(struct index *x, const struct session *s, struct job *job);

/* The whole curvature of one checkpoint; give it back with index_curvature_done. */
enum err index_curvature(struct index *x, const struct session *s, int point, struct curvature **out);
void index_curvature_done(struct index *x, struct curvature *c);

double index_null_floor(const struct index *x, int span_tokens);	/* in scores' unit */

#endif
