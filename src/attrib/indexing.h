/*
 * indexing: one sitting of index_build, and its stages. Each stage finds out what is there and valid, and makes the
 * rest.
 */
#ifndef BYLINE_ATTRIB_INDEXING_H
#define BYLINE_ATTRIB_INDEXING_H

#include "index_info.h"

#include "byline/capture.h"
#include "byline/features.h"

struct indexing {
	struct store *store;
	struct run run;
	struct dataset data;		/* heldout is also set where a contributor has opted out */
	struct example *examples;
	struct model model;		/* of checkpoint/: the table that all checkpoints share, without weights */
	struct index_info info;
	char identity[HASH_HEX];	/* of all that the curvature depends on */
	uint32_t *row;			/* info.n_rows: the examples that have features, ascending */
	struct capture *capture;	/* whose features these are; NULL: they are computed here */
	struct pool *pool;
	struct job *job;
	/* After the stage of curvature: */
	char curvature_sha256[HASH_HEX];
	struct curvature *projections;	/* one a checkpoint, without bases */
	struct feature_layout layout;
	int64_t sat_down;		/* when this sitting began, or was last added to info.seconds */
};

/* ---- index_plan.c: what is to be done, and with what ---- */

/* The checkpoints to use with their hashes into info, and the identity. */
enum err indexing_plan(struct indexing *x);
/* ERR_MISMATCH, naming what, when the index that is there was made otherwise. */
enum err indexing_agrees(const struct indexing *x, const struct index_info *there);

/* ---- index_build.c: files ---- */

/* ERR_USAGE. */
enum err indexing_check(const struct index_options *o);
/* index_build; with a capture, what was captured takes the place of passes over the data, and its files go. */
enum err indexing_build(struct store *s, int64_t run, const struct index_options *o, struct capture *capture,
	struct pool *pool, struct job *job);
/* What is to be indexed, and with what: the run's examples, the table of its model and the plan; x has store, run and
 * options. indexing_close also after a failure. */
enum err indexing_open(struct indexing *x);
void indexing_close(struct indexing *x);
char *indexing_path(const struct indexing *x, const char *name);	/* "run folder/name"; the caller's */
/* Weights of one of the checkpoints, of the run's model; the caller's to model_free. */
enum err indexing_weights(const struct indexing *x, int checkpoint, struct model *m);
/* The same of checkpoint/. */
enum err indexing_final(const struct indexing *x, struct model *m);
/* Notes a finished file of the index in index.json. */
enum err indexing_note(struct indexing *x, const char *name);
/* The metadata that says which curvature and how many rows a file belongs to, and whether a file there says so. */
void indexing_tie(const struct indexing *x, struct st_writer *w, const char *format);
bool indexing_is_tied(const struct indexing *x, const char *path, const char *format);

/* ---- one file each: the stages, in order ---- */

enum err indexing_curvature(struct indexing *x);
enum err indexing_features(struct indexing *x);
enum err indexing_hidden(struct indexing *x);
enum err indexing_null(struct indexing *x);

struct curvature_options indexing_curvature_options(const struct indexing *x);
/* Rows of a shard of features: what a kill can cost. */
enum { SHARD_ROWS = 256 };
/* Of examples under one checkpoint, added to rows (n, layout width); tokens (n, own). done: units the job has behind
 * it. */
enum err indexing_features_rows(const struct indexing *x, const struct model *m, const struct curvature *projections,
	const uint32_t *example, size_t n, const uint32_t *tokens, uint64_t done, float *rows);
/* (n, own); the caller's. */
uint32_t *indexing_own_tokens(const struct indexing *x, const uint32_t *count, const uint32_t *example, size_t n);
void indexing_hidden_declare(const struct indexing *x, struct st_writer *w);

/* Mean final hidden states (n, d_model) of examples `row` under m; `done`: rows that the job has behind it. */
enum err indexing_hidden_rows(const struct indexing *x, const struct model *m, const uint32_t *row, size_t n,
	uint64_t done, float *mean);
size_t indexing_hidden_block(const struct indexing *x);	/* rows that are in memory at a time */

/* Adds the mean of hidden (rows, width) to `to`. */
void indexing_mean(float *to, const float *hidden, int rows, size_t width);

#endif
