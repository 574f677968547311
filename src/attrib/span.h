/*
 * span: a query's prompt and output up to the span's end, as a batch of one sequence whose targets are the span's
 * tokens.
 */
#ifndef BYLINE_ATTRIB_SPAN_H
#define BYLINE_ATTRIB_SPAN_H

#include "byline/attrib.h"

struct span_batch { struct batch batch; int32_t start[2], *target; };
/* The batch points into *b and into the query: both stay where they are while it is used. */
void span_batch_make(struct span_batch *b, const struct query *q, int from, int to);
void span_batch_free(struct span_batch *b);

/* Stretches of the outputs of n queries of one session, all asked at once. */
struct spans { struct query *const *q; const int *from, *to; size_t n; };
/* ERR_USAGE when one is not a stretch of its output. */
enum err span_check(const struct query *q, int from, int to);

/* For the table of methods, whose two functions differ only in this: one span, and the whole outputs of n queries.
 * scores (spans, data.n). */
typedef enum err spans_score_fn(const struct spans *spans, float *scores, struct job *job);
enum err spans_one(struct query *q, int from, int to, spans_score_fn *fn, float *scores, struct job *job);
enum err spans_whole(struct query *const *q, size_t n, spans_score_fn *fn, float *scores, struct job *job);

#endif
