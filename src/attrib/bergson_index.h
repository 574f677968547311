/*
 * bergson_index: a gradient index of bergson that belongs to a run: runs/NAME/bergson (or bergson-2), the folder itself
 * or a link to it, and runs/NAME/bergson.json, which says which of the two it is, whose rows are whose and what the
 * files were like. See byline-store(5).
 */
#ifndef BYLINE_ATTRIB_BERGSON_INDEX_H
#define BYLINE_ATTRIB_BERGSON_INDEX_H

#include "byline/attrib.h"
#include "byline/file.h"
#include "bergson_info.h"
#include "bergson_row.h"

#define BERGSON_FILE "bergson.json"
/* An index comes in beside the one that is there, under the other of these names; bergson.json says which counts. */
#define BERGSON_FOLDERS 2
extern const char *const bergson_folders[BERGSON_FOLDERS];

/* What bergson.json holds. */
struct bergson_record {
	char *source;				/* where the folder was */
	const char *folder;			/* one of bergson_folders */
	char checkpoint[HASH_HEX], dataset[HASH_HEX], gradients[HASH_HEX];
	int64_t *example;			/* by the index's own number: the run's example, -1: it has none */
	uint64_t n;
};
void bergson_record_free(struct bergson_record *r);		/* safe on a zeroed struct */
/* Of the folder's files the hashes are taken, but for that of gradients.bin. */
enum err bergson_record_write(const char *run_dir, const struct bergson_record *r);
/* The files are compared with what was recorded of them; gradients.bin by its size alone, unless `whole`. */
enum err bergson_record_read(const char *run_dir, size_t n_examples, bool whole, struct bergson_record *r);
/* Which folder it names; NULL when no bergson.json that can be read is there. */
const char *bergson_record_folder(const char *run_dir);

struct bergson_index {
	struct bergson_info info;
	struct bergson_record record;
	struct bergson_plan plan;
	uint64_t *offset;			/* n_items + 1 when a row is a token's; else NULL */
	struct file_map map;			/* of gradients.bin */
};
bool bergson_index_there(const struct run *run);
enum err bergson_index_open(const struct session *s, struct bergson_index **out);
void bergson_index_close(struct bergson_index *x);		/* NULL is fine */
/* rows (n, info.width). scores (n, data.n): inner products, those of an example's rows added up; NaN for examples that
 * have none. */
enum err bergson_index_scores(const struct bergson_index *x, const struct session *s, const float *rows, size_t n,
	float *scores, struct job *job);

#endif
