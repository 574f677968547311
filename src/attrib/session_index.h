/*
 * session_index: a run's index as a session uses it. Opened with the session; what is large is read when first asked for.
 *
 * The index is read-only once ready: queries may share it.
 */
#ifndef BYLINE_ATTRIB_SESSION_INDEX_H
#define BYLINE_ATTRIB_SESSION_INDEX_H

#include <pthread.h>

#include "byline/attrib.h"
#include "byline/features.h"

/* One checkpoint that the index averages over. */
struct index_point {
	char *dir;			/* folder of its weights */
	char *prefix;			/* of its tensors in the curvature file */
	float *params;			/* model.n_params; NULL until index_ready */
	struct curvature projections;	/* pa and ps alone; empty until index_ready */
};

struct index {
	struct index_point *point;
	int n_points;
	struct st_file curvature, hidden, null;
	struct feature_layout layout;
	struct features *features;
	double scale;			/* projected inner products to roughly the unit of exact scores */
	double *null_sd;		/* n_null: noise floor for spans of 1, 2, 4, ... tokens, projected inner products */
	int *null_length, n_null;
	pthread_mutex_t lock;
	bool ready;
};

enum err index_open(const struct session *s, struct index **out);
void index_close(struct index *x);	/* NULL is fine */

/* Weights and projections of every checkpoint are in memory afterwards. Called by whoever holds the pool. */
enum err index_ready(struct index *x, const struct session *s, struct job *job);

double index_null_floor(const struct index *x, int span_tokens);	/* in scores' unit */

#endif
