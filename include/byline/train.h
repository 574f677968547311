/*
 * train: AdamW over a dataset, checkpoints along the run, resume, and bit-exact replay.
 *
 * Determinism: a batch is dealt to a fixed number of lanes of about as many tokens, in a way that depends on the batch
 * alone; each lane's gradient is its own, and lanes are added in index order, so the weights are the same bits for any
 * number of threads on one CPU type. Order of examples: epoch e, from 0, shuffles the trained examples with Philox
 * (seed, stream e). Loss: mean over all tokens of the batch.
 *
 * Run folder:  journal.jsonl          one line of recipe, then one line a checkpoint and an epoch: enough to replay
 *              checkpoint/            the final weights, a Hugging Face directory
 *              checkpoints/step-N/    the kept ones, N zero-padded to 8 digits; the last is the final one
 *              resume.safetensors     parameters and optimizer state while unfinished; replaced atomically
 *              lock                   held by the process that trains
 */
#ifndef BYLINE_TRAIN_H
#define BYLINE_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/dataset.h"
#include "byline/err.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"
#include "byline/safetensors.h"
#include "byline/tokenizer.h"

struct train_options {
	uint64_t seed;
	int epochs;
	int batch;			/* examples per step */
	int lanes;			/* pieces per step, and the most threads that help; fixes the order of sums */
	int keep;			/* checkpoints kept, evenly spaced, the final one and the middle among them */
	double lr, lr_floor;		/* peak, and the fraction of it at the end of the cosine */
	int warmup;			/* steps; -1: 8 % of the run */
	double beta1, beta2, eps, weight_decay;	/* decay on matrices only. Loshchilov, Hutter 2019 */
	double clip;			/* global norm; 0: off */
	enum st_dtype dtype;		/* of kept checkpoints */
	int save_every;			/* seconds between resume points */
};
void train_defaults(struct train_options *o);
enum err train_options_check(const struct train_options *o);

/* A line of progress, also what the journal holds. */
struct train_status {
	int64_t step, steps;
	int epoch;
	double loss;			/* nats per token, running mean */
	double heldout;			/* NaN before the first evaluation */
	double lr, grad_norm;
	double tokens_per_second, seconds_left;
};

/* Who watches the gradients go by. Any function may be NULL. Nothing of it changes a bit of the weights. All but
 * `linear` are called from the training thread, between steps. An error ends the run, which can be resumed. A watched
 * run also writes a resume point at the end of each epoch: between two of them no example is seen twice. */
struct train_capture {
	void *arg;
	uint32_t roles;			/* of layers, as in struct tap */
	/* Is this step (from 0) watched? NULL: all are. */
	bool (*wants)(void *arg, int64_t step);
	/* During a watched step's backward pass, on the lanes' threads, once for each lane and layer: a and g as in
	 * struct tap, for a loss of weight 1 on every target; example[s] is sequence s of the batch. An example is in
	 * one lane of a step. */
	void (*linear)(void *arg, int worker, const uint32_t *example, int index, const float *a, const float *g,
		const struct batch *b);
	/* After a watched step; `done` steps are behind. */
	enum err (*step)(void *arg, int64_t done);
	/* A kept checkpoint of `done` steps has just been written; params are the weights as they were kept. */
	enum err (*checkpoint)(void *arg, int64_t done, const float *params);
	/* A resume point of `done` steps is about to be written: what was captured must be on disk before it is. */
	enum err (*save)(void *arg, int64_t done);
	/* Training begins, or goes on, at `done` steps. */
	enum err (*begin)(void *arg, int64_t done);
};

struct train_spec {
	const struct dataset *data;
	const uint8_t *drop;		/* data->n, 1 = left out of every batch, whose rest is averaged; NULL: none */
	const struct tokenizer *tokenizer;	/* written beside the final weights; may be NULL */
	struct train_options options;
	const struct train_capture *capture;	/* NULL: nobody watches. train_replay ignores it */
	/* May be NULL; called about twice a second and at the end. */
	void (*status)(void *arg, const struct train_status *s);
	void *arg;
};

/* Trains m (weights from model_init(m, seed)) in folder `dir`, resuming when a resume point of the same recipe is
 * there (ERR_MISMATCH, naming what differs, when it is another recipe). A finished run is OK at once, and m gets its
 * weights, rounded to the dtype they are kept in. ERR_CANCELLED, and ERR_IO on a full disk, leave a resumable folder;
 * ERR_BUSY: another process trains there. ERR_USAGE also when the loss stops being a number. Memory: (lanes + 3)
 * vectors as long as the parameters, and the activations of batch / lanes examples for each thread. */
enum err train_run(struct model *m, const char *dir, const struct train_spec *spec, struct pool *pool, struct job *job);

/* The same arithmetic without touching the disk: for replay with examples left out. m receives the final weights;
 * when `at_step` > 0 it stops there. */
enum err train_replay(struct model *m, const struct train_spec *spec, int64_t at_step, struct pool *pool,
	struct job *job);

/* Mean nats per token over examples with heldout == which (sum over tokens / tokens), NaN when there are none, or when
 * the model cannot take one of them. The same bits for any number of threads. */
double train_evaluate(const struct model *m, const float *params, const struct dataset *d, bool which,
	struct pool *pool);

int64_t train_steps(const struct train_spec *spec);
/* Is the state after `done` steps a kept checkpoint? */
bool train_keeps(const struct train_spec *spec, int64_t done);

/* What a journal says of a run. ERR_MISSING when there is none, ERR_FORMAT with the line when it is not one of ours. */
struct train_journal {
	struct train_options options;
	struct model_config config;
	char dataset[HASH_HEX], tokenizer[HASH_HEX];
	bool finished;
	int n_checkpoints;
	struct { int64_t step; double lr, loss, heldout; char sha256[HASH_HEX]; } *checkpoints;
};
enum err train_journal_read(const char *dir, struct train_journal *j);
void train_journal_free(struct train_journal *j);
/* Same model, data, tokenizer and options but for the seed? */
bool train_journal_alike(const struct train_journal *a, const struct train_journal *b);

#endif
