/*
 * store: a directory NAME.byline/ with everything known about a corpus and the runs trained on it. See byline-store(5).
 *
 * store.db (SQLite, WAL, defensive settings, PRAGMA user_version migrations) holds works, contributors, shares,
 * licences, texts (zstd frames with a dictionary kept in the database), runs, examples, saved queries and the text
 * index (FTS5).
 * A struct store belongs to one thread at a time; open it twice for two threads. Ids are SQLite rowids.
 */
#ifndef BYLINE_STORE_H
#define BYLINE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/dataset.h"
#include "byline/err.h"
#include "byline/hash.h"
#include "byline/job.h"
#include "byline/str.h"
#include "byline/tokenizer.h"

struct store;

enum err store_create(const char *dir, struct store **out);	/* ERR_EXISTS when there is one already */
/* Migrates older versions; refuses newer ones and what is not a store, with one clear line. read_only: no lock, no
 * change but that of a write which was killed, rolled back. */
enum err store_open(const char *dir, bool read_only, struct store **out);
void store_close(struct store *s);
/* Calls `last` when the database is closed already, and nobody else can write to the store yet. */
void store_close_with(struct store *s, void (*last)(void *arg), void *arg);
const char *store_dir(const struct store *s);
const char *store_name(const struct store *s);			/* "commons" of ".../commons.byline" */
enum err store_hash(struct store *s, char hex[HASH_HEX]);	/* identity of the corpus: over the works' keys, in id
								 * order */
void store_interrupt(struct store *s);				/* from another thread: the running statement ends
								 * soon */
/* PRAGMA integrity_check, foreign keys, text hashes, run files' hashes; each finding goes to fn. */
enum err store_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings);

/* ---- works and contributors ------------------------------------------------------------------------------------ */

/* The name of the unknown author and of the unknown licence: values, not errors. */
#define UNKNOWN "unknown"

struct work_author { const char *name; double share; };
struct work_in {			/* borrowed strings; NULL: unknown / empty */
	const char *text; size_t text_len;
	const char *title, *licence, *licence_from, *source, *date;
	const struct work_author *authors; size_t n_authors;	/* none: unknown. Shares are normalised to sum 1 */
};

/* Adds a work unless the same text by the same contributors under the same title is there: *id is its id either way,
 * *added says which. */
enum err store_add_work(struct store *s, const struct work_in *w, int64_t *id, bool *added);
enum err store_begin(struct store *s);
enum err store_commit(struct store *s);
void store_rollback(struct store *s);
/* Everything until store_stage_end() is kept together or not at all, the units inside included, which each of the above
 * still begins and ends. store_stage_end(OK) keeps it; with an error it is dropped, and the error given back. */
enum err store_stage(struct store *s);
enum err store_stage_end(struct store *s, enum err err);

struct work {			/* strings are never NULL; what is not known is "", but licence and author are UNKNOWN
				 * then */
	int64_t id;
	char *title, *licence, *licence_from, *source, *date, *sha256;
	int64_t bytes;
	bool opted_out;			/* any of its contributors has */
	struct { int64_t contributor; char *name; double share; } *authors;
	size_t n_authors;
};
void work_free(struct work *w);
enum err store_work(struct store *s, int64_t id, struct work *w);	/* ERR_MISSING */
enum err store_work_text(struct store *s, int64_t id, struct str *out);
/* in id order */
enum err store_each_work(struct store *s, enum err (*fn)(void *arg, const struct work *w), void *arg);

struct contributor {
	int64_t id;
	char *name;
	bool opted_out;
	int64_t n_works, bytes;		/* bytes: share-weighted, rounded */
};
void contributor_free(struct contributor *c);
enum err store_contributor(struct store *s, int64_t id, struct contributor *c);
enum err store_find_contributor(struct store *s, const char *name, int64_t *id);	/* ERR_MISSING */
enum err store_each_contributor(struct store *s, enum err (*fn)(void *arg, const struct contributor *c), void *arg);
/* Opted out: their works stay listed and counted, and are in no later run's training examples. */
enum err store_set_opt_out(struct store *s, int64_t contributor, bool opted_out, const char *note);

/* contributors and licences without the unknown one; unknown_*: works; opted_out: contributors. */
struct store_totals { int64_t works, contributors, licences, runs, queries, bytes, unknown_author, unknown_licence,
	opted_out; };
enum err store_count(struct store *s, struct store_totals *t);
/* "CC-BY-4.0" -> number of works, most first. */
enum err store_each_licence(struct store *s, enum err (*fn)(void *arg, const char *licence, int64_t works), void *arg);

/* ---- runs and examples ----------------------------------------------------------------------------------------- */

struct run {
	int64_t id;
	char *name;
	char *dir;			/* absolute or relative path of the run's folder, usable with fopen */
	int n_ctx;
	int32_t bos;			/* token put before every example, and so before every prompt; -1: none */
	int64_t n_examples, n_train, tokens_train, tokens_heldout;
	uint64_t seed;
	char dataset[HASH_HEX];
	bool trained, indexed;
	char *recipe;			/* JSON of the command's options */
};
void run_free(struct run *r);

struct run_spec {
	const char *name;
	const struct tokenizer *tokenizer;
	int32_t bos;			/* token put before every example, -1: none */
	int max_tokens;			/* longest example, bos included */
	double heldout;			/* fraction of works */
	uint64_t seed;			/* chooses the held-out works */
	const char *recipe;
};
/* Cuts every work into examples (long works after a paragraph, line, sentence or word) and stores both in one
 * transaction. */
enum err store_create_run(struct store *s, const struct run_spec *spec, struct job *job, int64_t *id);
/* Before a run is made: what stands where its folder will be, and is no run's, goes, since what would write there might
 * follow a link that a killed import left. Links are removed, never followed. ERR_EXISTS, and nothing is touched, when
 * it holds a training's journal, or one of `sources` (NULL after the last), of which the run will be made. */
enum err store_clear_run(struct store *s, const char *name, const char *const *sources);
/* A run with the very examples of run `like`, held-out ones included, so that its dataset hash is the same. spec's
 * name, seed and recipe count, the rest is like's. ERR_MISMATCH, naming who, when somebody in them has opted out
 * since. */
enum err store_repeat_run(struct store *s, int64_t like, const struct run_spec *spec, struct job *job, int64_t *id);
enum err store_run(struct store *s, int64_t id, struct run *r);
/* name NULL: the newest trained and indexed one, else the newest. ERR_MISSING says which there are. */
enum err store_find_run(struct store *s, const char *name, struct run *r);
enum err store_each_run(struct store *s, enum err (*fn)(void *arg, const struct run *r), void *arg);
/* Also takes the SHA-256 of every file in the run's folder, for store_verify. */
enum err store_set_run_state(struct store *s, int64_t id, bool trained, bool indexed);
/* The files of a folder in the run's folder, of which that took the SHA-256: they are about to go. */
enum err store_forget_files(struct store *s, int64_t id, const char *folder);
/* ERR_MISMATCH when file `rel` of the run's folder is not what store_set_run_state() recorded; OK when none was. */
enum err store_check_file(struct store *s, const struct run *r, const char *rel);
/* The same of what says how the weights in checkpoint/ are to be read: config.json, tokenizer.json, or vocab.json,
 * merges.txt and what goes with them. Also when one has come that was not there. */
enum err store_check_readings(struct store *s, const struct run *r);
/* The same of the files in folder `at`, as if it were checkpoint/. ERR_MISMATCH also where there are such files and
 * none was recorded. */
enum err store_check_readings_in(struct store *s, const struct run *r, const char *at);
/* Where checkpoint/ leads to, of a run whose checkpoint lies elsewhere; NULL: it is no link. The caller's. */
char *store_linked_checkpoint(const struct run *r);
/* ERR_MISSING, saying what to do, when there is no checkpoint/, or it leads nowhere. */
enum err store_check_checkpoint(struct store *s, const struct run *r);
enum err store_delete_run(struct store *s, int64_t id);		/* rows only; the folder is the caller's */

/* All examples of a run, in order; example i of the dataset is row i here. Works opted out of when the run was made
 * have none, so opted_out is false; who opts out later was trained on, and stays in the run. */
struct example { int64_t work; uint32_t from, to; uint32_t n_tokens; bool heldout, opted_out; };
enum err store_run_dataset(struct store *s, int64_t run, struct dataset *data, struct example **examples);
/* Text of bytes [from, to) of the work. */
enum err store_example_text(struct store *s, const struct example *e, struct str *out);

/* BM25 (SQLite FTS5) of the words of `query` against the run's examples; fn sees example indices, best first, score >
 * 0. */
enum err store_bm25(struct store *s, int64_t run, const char *query, size_t n, size_t k,
	enum err (*fn)(void *arg, uint32_t example, double score), void *arg);
/* Each word of a text as that search takes it: cut at the same places, case and accents folded away. */
void store_words(const char *text, size_t n, void (*fn)(void *arg, const char *word), void *arg);

/* ---- saved queries --------------------------------------------------------------------------------------------- */

struct saved_query { int64_t id, run, created; char *prompt, *settings /* JSON */, *output;
	char *result /* JSON: shares by contributor */; };
void saved_query_free(struct saved_query *q);
/* same run, prompt, settings: replaced */
enum err store_save_query(struct store *s, const struct saved_query *q, int64_t *id);
enum err store_query(struct store *s, int64_t id, struct saved_query *q);
/* newest first */
enum err store_each_query(struct store *s, int64_t run /* 0: all */,
	enum err (*fn)(void *arg, const struct saved_query *q), void *arg);
enum err store_delete_query(struct store *s, int64_t id);

#endif
