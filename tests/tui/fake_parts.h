/* fake_parts: shared by the files of the fake world. */
#ifndef BYLINE_TEST_FAKE_PARTS_H
#define BYLINE_TEST_FAKE_PARTS_H

#include <pthread.h>

#include "source.h"

enum { N_PEOPLE = 7, N_WORKS = 12, N_EXAMPLES = 13, N_SAVED_MAX = 16 };

struct fake {
	struct source s;
	struct work work[N_WORKS];
	struct example example[N_EXAMPLES];
	struct saved_query saved[N_SAVED_MAX];
	int n_saved;
	struct trust trust;
	bool measured;
	pthread_mutex_t lock;		/* guards the rest */
	struct trial_ask verified;	/* the last one; its strings are gone */
	bool has_verified;
};

struct fake *fake_world(struct source *s);
double fake_noise(uint32_t a, uint32_t b);	/* in [-1, 1), always the same */
double fake_score(uint32_t example, int token);
enum err fake_wait(struct job *job, bool steps);	/* for its cancellation; steps: with progress */

const char *fake_text(int work);		/* from 0 */

void fake_trust_make(struct trust *t);
void fake_trust_clear(struct trust *t);

enum err fake_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds);
enum err fake_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out);
enum err fake_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out);
void fake_free_whatif(struct whatif *w);

enum err fake_tokens(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out);
void fake_linear(struct source *s, int i, enum tensor_role *role, int *layer);

enum err fake_verbatim(struct source *s, const struct query *q, struct job *job, struct verbatim_span **out, size_t *n);
void fake_free_spans(struct verbatim_span *spans, size_t n);
int64_t fake_verbatim_in(struct source *s, const struct query *q, const struct verbatim_span *span, uint32_t example,
	uint32_t from);
enum verbatim_mark fake_evidence(struct source *s, const struct query *q, const struct verbatim_span *spans, size_t n,
	uint32_t example, double score, double floor);

#endif
