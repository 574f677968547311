/*
 * capture: the index of a run made while the run is trained, from the gradients that pass by anyway.
 *
 * At each kept checkpoint the curvature is measured on a sample of tokens. From the first epoch that begins with a
 * checkpoint behind it on, every second epoch, each example's gradient is projected with the newest checkpoint's
 * matrices as features.h says, and added to the example's sum; the features are the mean, quantised once at the end.
 * Hidden states are those of the last epoch. The sums live in a file of the run's folder, so memory is bounded: two
 * float32 rows an example on disk, a block of one of them a thread in memory.
 *
 * Whole epochs, so that every example is seen equally often; not the first, whose gradients say little of the model
 * that comes out; every second, for half the work, which cost the prototype nothing.
 *
 * Whatever ends the training early, the run that goes on from its resume point leaves the same bytes.
 */
#ifndef BYLINE_CAPTURE_H
#define BYLINE_CAPTURE_H

#include "byline/attrib.h"
#include "byline/train.h"

struct capture;

/* What curvature may take of the training's own work, over all checkpoints, when no number of tokens is given. */
#define CAPTURE_CURVATURE_SHARE 0.04

/* For a run that is about to be trained, or trained on, in its folder. Of the options k, bits, null_queries, seed and
 * curvature_dtype count, and curvature_tokens: at each checkpoint, 0 for the share above. m gives the shape alone.
 * Everything is borrowed until capture_close. ERR_USAGE. */
enum err capture_open(struct capture **out, struct store *s, int64_t run, const struct model *m,
	const struct train_spec *spec, const struct index_options *o, struct pool *pool, struct job *job);
void capture_close(struct capture *c);			/* NULL: nothing */

/* Why this run cannot be captured, a sentence's end ("it keeps only its last checkpoint"); NULL: it can, so far. Known
 * when opened, or once training has begun, or when it is finished. The run is then left to index_build. */
const char *capture_refusal(const struct capture *c);

/* For train_spec.capture; NULL after a refusal. A damaged file of sums, or one of other options, ends the training with
 * an error that says so. */
const struct train_capture *capture_hooks(const struct capture *c);

/* After the training: writes the index, as index_build does, with what was captured, and marks the run trained and
 * indexed. Resumable. Does nothing after a refusal. */
enum err capture_finish(struct capture *c);

/* Removes what an unfinished capture left in the folder of a run. */
enum err capture_discard(const char *run_dir);

#endif
