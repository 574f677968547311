/*
 * capture_internal: a capture in progress, and what the stages of an index take from it.
 */
#ifndef BYLINE_ATTRIB_CAPTURE_INTERNAL_H
#define BYLINE_ATTRIB_CAPTURE_INTERNAL_H

#include "byline/capture.h"
#include "byline/features.h"

#include "capture_rows.h"
#include "fault.h"

#define CAPTURE_FILES "capture"			/* the beginning of the names of all its files */
#define CAPTURE_ROWS_FILE "capture.rows"

/* ---- capture_plan.c: from the recipe alone ---- */

enum { CAPTURE_EVERY = 2 };			/* epochs */
/* Examples that K-FAC stands for in the curvature (curvature.h). On the sample corpus exact scores with curvature from
 * 18 examples agree with those from 628 at a Spearman of 0.76 without, 0.94 with. */
enum { CAPTURE_PRIOR = 32 };

struct capture_plan {
	int64_t per_epoch, steps;
	int64_t *kept;			/* n_kept: the steps of the checkpoints, ascending */
	int n_kept;
	int64_t epochs, first;		/* the first epoch, from 0, that is watched */
	int visits;			/* epochs that are */
	uint64_t tokens;		/* of curvature, a checkpoint */
};
void capture_plan_make(struct capture_plan *p, const struct train_spec *spec, uint64_t curvature_tokens);
void capture_plan_free(struct capture_plan *p);
int capture_plan_visit(const struct capture_plan *p, int64_t step);	/* from 0; -1: not watched */
bool capture_plan_last(const struct capture_plan *p, int64_t step);	/* in the last epoch? */
/* The newest checkpoint of at most `done` steps: its place in kept, or -1. */
int capture_plan_newest(const struct capture_plan *p, int64_t done);

/* ---- the whole ---- */

struct capture_worker {
	struct capture *c;
	struct projector *projector;	/* made when first needed, as is slot */
	float *slot;
	const uint32_t *example;	/* of the pass in progress */
};

struct capture {
	struct store *store;
	struct run run;
	const struct model *model;
	const struct train_spec *spec;
	struct index_options options;	/* curvature_tokens as planned */
	struct pool *pool;
	struct job *job;
	struct capture_plan plan;
	char identity[HASH_HEX];	/* of all that the sums depend on */
	const char *refusal;
	struct train_capture hooks;
	struct feature_layout layout;
	struct capture_rows rows;
	uint32_t *tokens;		/* (examples, own): own tokens */
	uint32_t *row_of;		/* by example; UINT32_MAX where it is not trained on */
	struct curvature projections;	/* of the newest checkpoint behind; empty before the first */
	int visit;			/* of the step in progress; -1: none */
	bool last;			/* the step in progress takes hidden states */
	struct capture_worker *worker;
	struct fault fault;
};

/* Everything else, once store, run, model, spec, options, pool and job are set; a benchmark needs no store. */
void capture_prepare(struct capture *c);
void capture_release(struct capture *c);

/* ---- capture_watch.c: during a backward pass ---- */

void capture_watch_linear(void *arg, int worker, const uint32_t *example, int index, const float *a, const float *g,
	const struct batch *b);

/* ---- capture_part.c: curvature, a file a checkpoint ---- */

/* Of the checkpoint, and of its tensors in the file. */
enum { CAPTURE_NAME = 32 };
void capture_part_name(const struct capture *c, int kept, char name[CAPTURE_NAME]);
/* The caller's. */
char *capture_part_path(const struct capture *c, int kept);
enum err capture_part_make(struct capture *c, int kept, const float *params);
/* Makes it from the checkpoint on disk unless it is there. */
enum err capture_part_ready(struct capture *c, int kept);
/* Into c->projections. */
enum err capture_part_load(struct capture *c, int kept);

/* ---- capture_index.c: for the stages of the index ---- */

/* Which kept step a checkpoint of the index is; ERR_MISMATCH when it is none. */
enum err capture_kept(const struct capture *c, const char *name, int *kept);
/* Means over the visits, rows (n, width). */
enum err capture_features(const struct capture *c, const uint32_t *example, size_t n, float *rows);
/* mean (n, d_model). */
enum err capture_hidden(const struct capture *c, const uint32_t *example, size_t n, float *mean);

#endif
