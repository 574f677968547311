/*
 * scores: matrices of scores made by other attribution libraries, and runs that hold them instead of a model.
 *
 * A matrix is (queries, examples) or (queries, examples, tokens). Files come from strangers: header, type, shape, size
 * and every value is checked before use; pickles are refused, never read. An imported run has the works as examples,
 * one each, its scores in runs/NAME/scores.safetensors, and its queries among the saved ones.
 */
#ifndef BYLINE_SCORES_H
#define BYLINE_SCORES_H

#include "byline/attrib.h"
#include "byline/safetensors.h"

/* ---- .npy ------------------------------------------------------------------------------------------------------- */

/* NumPy's format, versions 1 to 3: F16, F32 or F64, little-endian, in C or Fortran order. */
struct npy {
	enum st_dtype dtype;
	bool fortran;
	int n_dims;
	uint64_t shape[ST_MAX_DIMS], count;
	const uint8_t *data;		/* in the bytes given */
};
/* ERR_FORMAT, ERR_UNSUPPORTED (what it is, by name), naming `name`. */
enum err npy_parse(const uint8_t *bytes, size_t n, const char *name, struct npy *out);

/* ---- a matrix --------------------------------------------------------------------------------------------------- */

struct score_matrix {
	char *path;
	struct file_map map;		/* .npy */
	struct npy npy;
	struct st_file file;		/* safetensors, as kronfluence writes it */
	const struct st_tensor **module;	/* summed up: "all_modules", or every one */
	size_t n_modules;
	uint64_t queries, examples, tokens;	/* tokens 0: the matrix has two dimensions */
};
enum err score_matrix_open(const char *path, struct score_matrix *m);
void score_matrix_close(struct score_matrix *m);	/* safe on a zeroed struct */
/* One query's scores, out (examples, tokens or 1). ERR_FORMAT where one is not finite. */
enum err score_matrix_read(const struct score_matrix *m, uint64_t query, double *out);

/* ---- import ----------------------------------------------------------------------------------------------------- */

enum score_tokens { SCORE_TOKENS_AUTO, SCORE_TOKENS_OUTPUT, SCORE_TOKENS_EXAMPLE };

struct scores_options {
	const char *scores, *examples, *queries;	/* files */
	const char *source, *run;	/* the library's name; the run's */
	enum score_tokens tokens;	/* of what the third dimension is; auto: safetensors of the example */
	bool negate;			/* the library's large scores are of what hurt */
	/* Called when all is in the store, before it is kept: what the floors above make of it. NULL: nothing. */
	enum err (*settle)(struct store *s, const char *run, struct job *job);
};
struct scores_report { int64_t queries, examples, works, shared; bool per_token; };
/* Imports the works, makes the run, keeps scores and queries, and builds text.safetensors. After a failure the store is
 * as it was. */
enum err scores_import(struct store *s, const struct scores_options *o, struct job *job, struct scores_report *out);

/* Was this run imported? */
bool scores_run(const struct run *r);

#endif
