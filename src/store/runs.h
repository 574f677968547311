/* runs: what the files of the store floor share about runs. Private to the store floor. */
#ifndef BYLINE_STORE_RUNS_H
#define BYLINE_STORE_RUNS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "byline/dataset.h"
#include "byline/store.h"

/* A run as the examples need it. */
struct run_shape { int64_t id, vocab, n_ctx, n_examples; char dataset[HASH_HEX]; };
enum err run_shape(struct store *s, int64_t id, struct run_shape *out);	/* ERR_MISSING */

/* Of a run to be made: ERR_USAGE for what no folder should be called, ERR_EXISTS for one that is there. */
enum err run_name_check(struct store *s, const char *name);

/* "n" examples of run `id`, one a piece of a work that nobody opted out of, into the store and into `data`. */
enum err examples_cut(struct store *s, int64_t run, const struct run_spec *spec, struct job *job, struct dataset *data);
/* The examples of run `like`, and their words, as examples of run `run`. */
enum err examples_copy(struct store *s, int64_t run, int64_t like, struct job *job);
/* Ids of the examples of a run are consecutive; this is the first, 0 when there are none. */
enum err examples_first(struct store *s, int64_t run, int64_t *id);

/* SHA-256 of every file in the run's folder, kept for verification. */
enum err files_record(struct store *s, int64_t run, const char *dir);

enum err words_create(struct store *s, int64_t run);
enum err words_drop(struct store *s, int64_t run);
/* A statement that files (?1 example id, ?2 text). */
enum err words_insert(struct store *s, int64_t run, sqlite3_stmt **st);

#endif
