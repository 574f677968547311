/*
 * source: everything the views ask of the world, in one table of functions, so that they can be shown a small invented
 * world by tests and a store by the explorer. It speaks in the structures of the floors below.
 */
#ifndef TUI_SOURCE_H
#define TUI_SOURCE_H

#include "byline/attrib.h"
#include "byline/credit.h"
#include "byline/job.h"
#include "byline/store.h"
#include "byline/trust.h"
#include "byline/verbatim.h"
#include "byline/whatif.h"

struct source;

enum { RANKED_MOST = 5000 };	/* rows of a ranking, of either end */

struct source_info {		/* fixed once open; strings are the source's */
	const char *store, *folder;	/* "commons", its path as given */
	const char *run, *model;	/* "base", "llama 1.6M" */
	const char *checkpoint_sha256, *corpus_sha256;
	size_t n_examples, n_works, n_contributors;
	bool indexed;
	bool foreign;			/* the model was not trained here: it cannot be trained again */
	int epochs;			/* how often each example was seen in training; 0: not known */
	int64_t first_query;		/* to begin with, of a run without a model; 0: none */
	const struct method *methods;
	int n_methods;
	uint32_t unable;		/* bit i: the run has not what methods[i] needs */
};

/* Can this method, one of the table's, be asked of the run? */
static inline bool
source_able(const struct source_info *info, const struct method *m)
{
	return (info->indexed || !m->needs_index) && !(info->unable >> (m - info->methods) & 1);
}

/* A ranking to be put to the test, in full: it is made anew beside the one on the screen, which may go on to others. */
struct trial_ask {
	char *prompt, *target;		/* target NULL: generated */
	char *output;			/* what must come again: n_output bytes */
	size_t n_output;
	uint32_t *byte_of;		/* n_out + 1: where its tokens begin */
	int n_out;
	struct sample_options sample;
	const struct method *method;
	int from, to;
	size_t exact;
	struct whatif_options options;
	char *removed;			/* what is left out, in words */
};

struct source_ops {
	void (*close)(struct source *s);

	/* ---- from one worker at a time; may take long ---- */
	enum err (*ask)(struct source *s, const char *prompt, const char *target, const struct sample_options *o,
		struct job *job,
		bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct query **out);
	/* What a ranking of any span rests on. */
	enum err (*scores)(struct source *s, struct query *q, struct job *job);
	/* strength (n_out): what pushed towards each output token, beyond the noise, in all. Slower than a ranking. */
	enum err (*strength)(struct source *s, struct query *q, float *strength, struct job *job);
	enum err (*rank)(struct source *s, struct query *q, const struct rank_options *o, struct job *job,
		struct ranking **r, struct shares *sh);
	/* Exact score of one example, and what each of its tokens contributes: mark (n_tokens of example_text). */
	enum err (*marks)(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
		float *score, float *mark);

	/* Between the span's tokens and the example's: the example's first token is no target, as in example_text. */
	enum err (*tokens)(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
		struct token_influence **out);
	/* What of the output stands word for word in the corpus. */
	enum err (*verbatim)(struct source *s, const struct query *q, struct job *job, struct verbatim_span **out,
		size_t *n);

	/* ---- from another worker, beside that one; may take very long ---- */
	enum err (*estimate)(struct source *s, const struct whatif_options *o, struct job *job, double *seconds);
	enum err (*whatif)(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out);

	/* ---- from the thread of the screen; at once ---- */
	/* What was found out before; ERR_MISSING: nothing yet. */
	enum err (*whatif_find)(struct source *s, const struct query *q, const struct ranking *r,
		const struct whatif_options *o, struct whatif **out);
	const struct work *(*work)(struct source *s, int64_t id);		/* NULL: none */
	const struct example *(*example)(struct source *s, uint32_t i);
	/* Text and the bytes its tokens begin at: byte_of (n_tokens + 1), the caller's to free. */
	enum err (*example_text)(struct source *s, uint32_t i, struct str *text, uint32_t **byte_of, int *n_tokens);
	const char *(*token)(struct source *s, int32_t id, size_t *n);		/* its bytes, borrowed */
	/* Where a span of the output stands in an example, as verbatim_in_example(); and what speaks for an example. */
	int64_t (*verbatim_in)(struct source *s, const struct query *q, const struct verbatim_span *span,
		uint32_t example, uint32_t from);
	enum verbatim_mark (*evidence)(struct source *s, const struct query *q, const struct verbatim_span *spans,
		size_t n, uint32_t example, double score, double floor);
	/* What a linear layer of the model is. */
	void (*linear)(struct source *s, int i, enum tensor_role *role, int *layer);
	/* The example's score at each output token (n_out); false when the query has no scores yet. */
	bool (*row)(struct source *s, const struct query *q, uint32_t example, float *out);
	void (*everyone)(struct source *s, struct shares *out);			/* contributors without scores */
	enum err (*works_of)(struct source *s, const struct ranking *r, int64_t contributor, struct work_score **out,
		size_t *n);
	enum err (*each_run)(struct source *s, enum err (*fn)(void *arg, const struct run *r), void *arg);
	/* What is loaded and how it was measured. A NULL value makes `label` a heading. */
	enum err (*facts)(struct source *s, void (*fn)(void *arg, const char *label, const char *value), void *arg);
	/* How far the methods were measured, NULL: never; borrowed until it is looked for `again`. *stale: with another
	 * index than the one loaded. */
	const struct trust *(*trust)(struct source *s, bool again, bool *stale);
	enum err (*each_query)(struct source *s, enum err (*fn)(void *arg, const struct saved_query *q), void *arg);
	enum err (*save)(struct source *s, const char *prompt, const char *settings, const char *output,
		const char *result, int64_t *id);
	enum err (*forget)(struct source *s, int64_t query);

	void (*free_query)(struct query *q);		/* safe on NULL, as the next */
	void (*free_ranking)(struct ranking *r);
	void (*free_shares)(struct shares *sh);
	void (*free_whatif)(struct whatif *w);
	void (*free_spans)(struct verbatim_span *spans, size_t n);
};

struct source {
	const struct source_ops *ops;
	struct source_info info;
};

/* A store on disk. Called in a worker. */
enum err source_open_store(const char *folder, const char *run, int threads, struct source **out);

#endif
