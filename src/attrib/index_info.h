/*
 * index_info: index.json, what an index in a run's folder says of itself. Written when indexing begins and after each
 * stage.
 *
 * Beside it lie curvature.safetensors, features-NNNNN.safetensors, hidden.safetensors and null.safetensors.
 */
#ifndef BYLINE_ATTRIB_INDEX_INFO_H
#define BYLINE_ATTRIB_INDEX_INFO_H

#include <stdbool.h>

#include "byline/attrib.h"

#define INDEX_FILE "index.json"
#define CURVATURE_FILE "curvature.safetensors"
#define HIDDEN_FILE "hidden.safetensors"	/* "hidden" F16 (rows, d_model), in the order of the features' rows */
/* "sd" F32 (lengths, rows), "lengths" I32, "queries" I32: how many were long enough. */
#define NULL_FILE "null.safetensors"

enum { INDEX_LENGTHS_MAX = 8, INDEX_OWN_MAX = 4096 };

struct index_checkpoint {
	char *name;			/* prefix of its tensors in the curvature file: "step-00000400" or
					 * "checkpoint" */
	char *path;			/* below the run's folder: "checkpoints/step-00000400" */
	char sha256[HASH_HEX];		/* of its weights */
};

struct index_file { char *name; char sha256[HASH_HEX]; int64_t bytes; };

/* Of features that were captured while the run was trained: sums over whole epochs. */
struct index_captured {
	int64_t from;			/* the first step, from 0 */
	int every, visits;		/* epochs: every how manieth, and how many; visits 0: not captured */
};

struct index_info {
	struct index_options options;	/* force is false */
	struct index_captured captured;
	struct index_checkpoint *checkpoint;
	int n_checkpoints;
	char dataset[HASH_HEX];
	int64_t n_examples, n_rows;	/* of the run; with features */
	double tokens_per_example;	/* mean number of targets of a row */
	int null_length[INDEX_LENGTHS_MAX], n_null_lengths;	/* span lengths of the noise floor, ascending */
	struct index_file *file;	/* of the finished stages, in the order of the stages */
	int n_files;
	int64_t begun, finished;	/* seconds since 1970; finished 0: not yet */
	double seconds;			/* of work, over all sittings */
};

/* ERR_MISSING when there is no index. Everything is checked; the result is the caller's to free. */
enum err index_info_read(const char *run_dir, struct index_info *info);
enum err index_info_write(const char *run_dir, const struct model *m, const struct index_info *info);
void index_info_print(struct str *out, const struct model *m, const struct index_info *info);	/* as it is written */
void index_info_free(struct index_info *info);		/* safe on a zeroed struct */
const struct index_file *index_info_file(const struct index_info *info, const char *name);	/* NULL when absent */

#endif
