/* What the files of a query share with each other and with nobody else. */
#ifndef BYLINE_ATTRIB_QUERY_PRIVATE_H
#define BYLINE_ATTRIB_QUERY_PRIVATE_H

#include "byline/attrib.h"

enum err method_features_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_exact_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_ekfac_final_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_tracin_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_gradcos_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_similarity_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_bm25_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_tfidf_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_logra_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_trak_score(struct query *q, int from, int to, float *scores, struct job *job);
enum err method_random_score(struct query *q, int from, int to, float *scores, struct job *job);

enum err method_bergson_score(struct query *q, int from, int to, float *scores, struct job *job);

enum err method_features_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_exact_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_ekfac_final_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_tracin_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_gradcos_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_logra_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_trak_many(struct query *const *q, size_t n, float *scores, struct job *job);
enum err method_bergson_many(struct query *const *q, size_t n, float *scores, struct job *job);

enum err method_bergson_ready(const struct session *s);
size_t method_similarity_stored(const struct session *s);

/* The text that bm25 looks for, appended to out. */
void method_bm25_words(const struct query *q, int from, int to, struct str *out);

/* What a ranking leaves in a query would, over many of them, fill the memory. */
void query_forget(struct query *q);
void query_peers_free(struct query *q);
void direction_free(struct direction *d);	/* NULL is fine */
/* Feature scores (data.n) of a span, made with other queries' (method_features_many): copied. */
void query_spans_know(struct query *q, int from, int to, const float *scores);
void query_spans_free(struct query_spans *s);	/* NULL is fine */

#endif
