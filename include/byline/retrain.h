/*
 * retrain: a run trained again, bit for bit, with chosen examples left out or from another seed: the ground truth that
 * attribution is measured against.
 *
 * Left-out examples take their turn in the order of training and are skipped; the rest of their batch is averaged, so
 * that nothing else moves (train.h). Everything here depends on the run's journal and data alone.
 */
#ifndef BYLINE_RETRAIN_H
#define BYLINE_RETRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/dataset.h"
#include "byline/err.h"
#include "byline/hash.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"
#include "byline/train.h"

/* Was the run trained here? Only then can it be trained again, now or once it is finished. */
bool retrain_possible(const char *run_dir);

struct retraining {
	struct train_journal journal;
	const struct dataset *data;		/* borrowed */
};

/* ERR_MISSING when the run was not trained here (no journal) or is not finished; ERR_MISMATCH when `data` is not what
 * it was trained on. */
enum err retrain_open(struct retraining *r, const char *run_dir, const struct dataset *data);
void retrain_close(struct retraining *r);		/* safe on a zeroed struct */

/* drop (data->n), 1 = left out, may be NULL. m is made here, float32 as training left it; the caller's to free. */
enum err retrain(const struct retraining *r, const uint8_t *drop, uint64_t seed, struct model *m, struct pool *pool,
	struct job *job);

/* Is this what the run ended with: the same bits once both are in the dtype that the run keeps? */
bool retrain_is_run(const struct retraining *r, const struct model *m, const struct model *run);

/* How long one retraining takes on one thread, from a few timed steps (half a second of them, where there are so
 * many). */
enum err retrain_time(const struct retraining *r, double *seconds);

/* Names what retrain() would make: over the data, the recipe, the seed and what is left out. */
void retrain_identity(const struct retraining *r, const uint8_t *drop, uint64_t seed, char hex[HASH_HEX]);

/* The weights of one retraining as a file: tensor "params" F32 (n_params), metadata "identity". Loading makes m;
 * ERR_MISMATCH when the file is of another retraining. */
enum err retrain_save(const char *path, const struct model *m, const char *identity);
enum err retrain_load(const struct retraining *r, const char *path, const char *identity, struct model *m);

/* A random subset: keeps round(alpha n) of the n trained examples, at least 1, the first of a shuffle by Philox (seed,
 * "subset" + number). drop (data->n) gets 1 for what is left out of training, 0 elsewhere. */
void retrain_subset(const struct dataset *data, double alpha, uint64_t seed, int number, uint8_t *drop);

#endif
