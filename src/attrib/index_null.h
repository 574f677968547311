/*
 * index_null: the unrelated queries behind the noise floor.
 */
#ifndef BYLINE_ATTRIB_INDEX_NULL_H
#define BYLINE_ATTRIB_INDEX_NULL_H

#include "indexing.h"

enum { NULL_LENGTHS = 5 };
extern const int32_t null_lengths[NULL_LENGTHS];

struct null_queries {
	uint32_t *example;
	uint32_t *from;			/* (n, NULL_LENGTHS): first target of each span; meaningless where the example
					 * is too short */
	int n;
	const struct dataset *data;
	int32_t fit[NULL_LENGTHS];	/* how many examples are long enough */
	int n_lengths;			/* lengths that at least two fit */
};
void null_choose(struct null_queries *q, const struct indexing *x);
void null_free(struct null_queries *q);
bool null_has(const struct null_queries *q, int query, int length);

/* Features of queries first to first + n - 1 at one checkpoint, added to features (n * NULL_LENGTHS). */
enum err indexing_null_pass(const struct indexing *x, const struct null_queries *q, int first, int n,
	const struct model *m, const struct curvature *projections, uint64_t done, struct feature_query *features);
int indexing_null_terms(const struct indexing *x);		/* of each query */
size_t indexing_null_query_bytes(const struct indexing *x);	/* that a query of a group takes */
int indexing_null_group(const struct indexing *x);		/* queries that are asked together */
void indexing_null_declare(const struct indexing *x, struct st_writer *w, int n_lengths);

/* The spans of one query as sequences that end where the span does; empty ones where it does not fit. */
struct null_batch {
	struct batch batch;
	int32_t start[NULL_LENGTHS + 1], *token, *target;
};
void null_batch_make(struct null_batch *b, const struct null_queries *q, const struct dataset *d, int query);
void null_batch_free(struct null_batch *b);

#endif
