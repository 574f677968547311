/*
 * scores_private: queries of imported scores, as they are read, kept and found again.
 */
#ifndef BYLINE_ATTRIB_SCORES_PRIVATE_H
#define BYLINE_ATTRIB_SCORES_PRIVATE_H

#include "byline/scores.h"

#define SCORES_FILE "scores.safetensors"
#define SCORES_FORMAT "byline scores 1"

struct scored_query {
	int64_t id;			/* of the saved query; 0: none yet */
	char *prompt, *output;
	int n_out;			/* tokens, or 1: the whole */
	uint32_t *byte_of;		/* n_out + 1 */
	size_t number;			/* in the file of scores */
};
struct scored_queries { struct scored_query *v; size_t n, cap; };
void scored_queries_free(struct scored_queries *q);
/* A JSONL of {prompt, output, tokens}. most: tokens that there are scores for; 0: the whole output is one. */
enum err scored_queries_read(const char *path, uint64_t most, struct scored_queries *out);
/* What a saved query remembers of it; the caller's. */
char *scored_query_settings(const struct scored_query *q, size_t number, bool tokens);
/* From a saved query; false when it is none of these. */
bool scored_query_take(const struct saved_query *from, struct scored_query *out);

void scores_tensor_name(size_t query, char name[32]);

/* Of a session whose run was imported. */
struct imported {
	char *source;			/* the library */
	struct st_file file;
	struct scored_queries queries;
};
enum err imported_open(struct session *s);
void imported_close(struct imported *x);	/* NULL is fine */
/* The query of this prompt, and of this output unless that is NULL. ERR_UNSUPPORTED, saying what there is. */
enum err imported_query(struct session *s, const char *prompt, const char *target, struct query **out);
enum err method_imported_score(struct query *q, int from, int to, float *scores, struct job *job);

#endif
