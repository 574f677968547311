/* source_store: shared by the two files of the source over a store. */
#ifndef TUI_SOURCE_STORE_H
#define TUI_SOURCE_STORE_H

#include "source.h"

struct store_source {
	struct source s;
	struct store *store, *worker_store;
	struct session *session;
	int64_t *examples_of;		/* per contributor, those trained on */
	char *folder, *model;
	struct trust *trust;		/* NULL: never measured */
	bool trust_stale;
	struct verbatim *verbatim;	/* NULL: not opened */
	struct store *beside_store;	/* of verifications; NULL: not opened */
	struct session *beside;
	int threads;
};

void source_parameters(size_t n, struct str *out);	/* "1.6M" */
/* source_trust.c */
const struct trust *source_store_trust(struct source *s, bool again, bool *stale);
/* source_whatif.c */
enum err source_store_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds);
enum err source_store_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out);
enum err source_store_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out);
void source_store_beside_close(struct store_source *f);
enum err source_store_tokens(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out);
void source_store_linear(struct source *s, int i, enum tensor_role *role, int *layer);
/* source_verbatim.c */
enum err source_store_verbatim(struct source *s, const struct query *q, struct job *job, struct verbatim_span **out,
	size_t *n);
int64_t source_store_verbatim_in(struct source *s, const struct query *q, const struct verbatim_span *span,
	uint32_t example, uint32_t from);
enum verbatim_mark source_store_evidence(struct source *s, const struct query *q, const struct verbatim_span *spans,
	size_t n, uint32_t example, double score, double floor);
enum err source_store_facts(struct source *s, void (*fn)(void *arg, const char *label, const char *value), void *arg);

#endif
