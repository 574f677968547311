/*
 * bergson: gradient indexes that bergson (EleutherAI) made of a checkpoint, taken into a store: the examples as works,
 * the checkpoint and the index as a run, which the method "bergson" answers for.
 */
#ifndef BYLINE_BERGSON_H
#define BYLINE_BERGSON_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/import.h"
#include "byline/job.h"
#include "byline/store.h"

struct bergson_import {
	const char *dir;		/* the index */
	const char *checkpoint;		/* Hugging Face directory it was built with */
	const char *examples;		/* JSONL: record i is example i of the index */
	const char *run;		/* name; one that is there must have this checkpoint */
	bool copy;			/* the index's files come into the run's folder; else it links to them */
	struct import_options import;	/* for the examples; format, taken and strict do not count */
};

struct bergson_report {
	uint64_t examples, rows, width;	/* of the index */
	uint64_t added;			/* works that were not there */
	uint64_t none;			/* examples that the run does not have: empty, unreadable or opted out of */
	uint64_t cut;			/* whose text is several of the run: the score stands at the first */
	uint64_t again;			/* of a text that came before: their scores are added up */
	uint64_t broken;		/* rows with numbers that are not finite: their examples have no score */
};

/*
 * Everything is checked before the store is touched: the index against the checkpoint, module by module, and the number
 * of its examples against that of the records. After a failure the store is as it was; what a kill leaves, the same
 * call goes on from. Builds text.safetensors, too. ERR_MISMATCH says what does not belong together; ERR_UNSUPPORTED
 * names what the index has and byline has not.
 */
enum err bergson_import(struct store *s, const struct bergson_import *o, struct job *job, struct bergson_report *r);

/* Indexes that runs link to, hashed; each finding goes to fn, and is added to *n_findings. What imports left that were
 * killed goes to fn too, and does not count: nothing of the store is wrong. */
enum err bergson_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings);

#endif
