/*
 * tables: what some methods compute from all examples once a session, and keep in it. Made when first asked for, by
 * whoever holds the session's pool; only read afterwards.
 */
#ifndef BYLINE_ATTRIB_TABLES_H
#define BYLINE_ATTRIB_TABLES_H

#include "byline/attrib.h"

enum table_place { TABLE_LOGRA, TABLE_TRAK, TABLE_WORDS, TABLE_BERGSON, TABLES };

struct table_kind {
	enum table_place place;
	/* *out is NULL after an error, as after a cancel: the next one to ask begins again. */
	enum err (*make)(const struct session *s, struct job *job, void **out);
	void (*free)(void *table);	/* NULL is fine */
};
/* The session's own, made now when it is not there. */
enum err table_of(const struct session *s, const struct table_kind *kind, struct job *job, void **out);

struct tables *tables_new(void);
void tables_free(struct tables *t);	/* NULL is fine */

/* ERR_LIMIT beyond TABLE_BYTES, naming the method. */
#define TABLE_BYTES ((size_t)2 << 30)
enum err table_room(const char *method, size_t n, size_t bytes_each, size_t more_bytes);

/* ---- a row of numbers an example ------------------------------------------------------------------------------ */

struct row_table {
	uint32_t *example;		/* n, ascending: those trained on */
	size_t n, width;
	float *rows;			/* (n, width) */
	float *factor;			/* n: each example's scores are multiplied by it; NULL: 1 */
};
/* Zeroed rows for the examples that were trained on. */
enum err row_table_new(struct row_table *t, const struct session *s, const char *method, size_t width,
	size_t more_bytes);
void row_table_free(struct row_table *t);	/* safe on a zeroed struct */
/* The factor of F = sum over the rows of v v^T + damping tr / width I, v their values [at, at + width); to be freed by
 * the caller. */
enum err row_table_factor(const struct row_table *t, struct pool *pool, size_t at, int width, double damping,
	double **factor);
/* v (width) <- F^-1 v */
void row_table_solve(const double *factor, int width, float *v);
/* query (n, width). scores (n, data.n): inner products with the rows, NaN for other examples. */
enum err row_table_scores(const struct row_table *t, const struct session *s, const float *query, size_t n,
	float *scores, struct job *job);

#endif
