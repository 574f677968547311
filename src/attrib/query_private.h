/* What the files of a query share with each other and with nobody else. */
#ifndef BYLINE_ATTRIB_QUERY_PRIVATE_H
#define BYLINE_ATTRIB_QUERY_PRIVATE_H

#include "byline/attrib.h"

enum err method_features_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_exact_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_similarity_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_bm25_score(struct query *q, int from, int to, float *scores, struct job *job);

/* The text that bm25 looks for, appended to out. */
void method_bm25_words(const struct query *q, int from, int to, struct str *out);

void direction_free(struct direction *d);	/* NULL is fine */
void query_spans_free(struct query_spans *s);	/* NULL is fine */

#endif
