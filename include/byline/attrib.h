/*
 * attrib: a loaded run that can be asked who is behind an output.
 *
 * A score is the predicted drop of the span's log-probability if the example were absent from training: positive
 * helped.
 * A struct session is made once and then only read: queries on several threads may share it (each with its own store
 * handle for texts). All long functions take a job.
 */
#ifndef BYLINE_ATTRIB_H
#define BYLINE_ATTRIB_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/curvature.h"
#include "byline/generate.h"
#include "byline/store.h"

/* ---- index ----------------------------------------------------------------------------------------------------- */

struct index_options {
	int k, bits;			/* 64 or 32 (any 4..256); 4 or 8 */
	int own;			/* tokens of its own that an example keeps rows of the unembedding for, 96 */
	int checkpoints;		/* how many of the kept ones, evenly spaced, last included; 0: all */
	uint64_t curvature_tokens;	/* 0: all */
	int null_queries;		/* unrelated queries for the noise floor, default 32 */
	enum st_dtype curvature_dtype;	/* of the eigenvalues: U8 or F32 (curvature.h) */
	uint64_t seed;
	bool force;			/* begin again */
};
void index_defaults(struct index_options *o);
/* Stages, each resumable: curvature per checkpoint, features in shards of examples, hidden states, null. Files in the
 * run folder. */
enum err index_build(struct store *s, int64_t run, const struct index_options *o, struct pool *pool, struct job *job);
/* Points a run whose checkpoint lies elsewhere to `path`, where it lies now: the same weights, config and tokenizer as
 * were recorded, else ERR_MISMATCH. ERR_EXISTS: the run's checkpoint is its own. */
enum err index_relink(struct store *s, const struct run *run, const char *path);

/* What index_build would take, all of it, whatever is there already. */
enum index_stage { INDEX_CURVATURE, INDEX_EIGENVECTORS, INDEX_FEATURES, INDEX_HIDDEN, INDEX_FLOOR, INDEX_FILES,
	INDEX_STAGES };
struct index_cost {
	double stage[INDEX_STAGES], seconds;	/* of this machine as busy as it is now, and their sum */
	double processor;			/* seconds of all processors together, which depend less on that */
	/* Bytes: the most that the process will hold; of them the weights of a checkpoint, the activations of a batch a
	 * thread, and the curvature of a checkpoint. */
	uint64_t memory, weights, batch, curvature;
	uint64_t disk;			/* bytes of all files */
};
/* From a few seconds of its own work on the real model and data. Leaves nothing behind. */
enum err index_cost(struct store *s, int64_t run, const struct index_options *o, struct pool *pool, struct job *job,
	struct index_cost *out);

/* ---- session --------------------------------------------------------------------------------------------------- */

struct session {
	struct store *store;		/* borrowed; used by the opening thread alone */
	struct run run;
	struct model model;		/* final checkpoint */
	struct tokenizer *tokenizer;
	struct dataset data;
	struct example *examples;	/* data.n */
	struct work *works;		/* all works of the store, by id */
	size_t n_works;
	struct contributor *contributors;	/* all of the store, by id */
	size_t n_contributors;
	char checkpoint_sha256[HASH_HEX];
	char corpus_sha256[HASH_HEX];
	struct pool *pool;		/* owned; one job at a time */
	struct index *index;		/* NULL when the run has no index: then methods that need one do not answer */
	struct tables *tables;		/* private to methods: what some compute once a session */
	/* The other runs of the store that repeat this one from other seeds (same examples, model and options), trained
	 * and indexed alike: query_rank averages over all. Their weights are loaded when first needed. */
	struct peers *peers;		/* private; NULL: none */
	bool alone;			/* set it to leave them out */
	/* The run holds another library's scores and no model (scores.h): model is zeroed, and only its own queries can
	 * be asked, by the methods of session_methods. */
	struct imported *imported;	/* private; NULL: the run has a model */
};
enum err session_open(struct store *s, const char *run_name, int threads, struct session **out);
void session_close(struct session *s);
const char *session_source(const struct session *s);	/* the library that scores were imported from; NULL: none */
int64_t session_first_query(const struct session *s);	/* the first that was imported, as saved; 0: none */
/* ERR_UNSUPPORTED, in a plain sentence, when there is none. */
enum err session_want_model(const struct session *s);
const struct work *session_work(const struct session *s, int64_t id);	/* NULL when there is none */
const struct contributor *session_contributor(const struct session *s, int64_t id);	/* NULL when there is none */
size_t session_trained(const struct session *s);	/* examples trained on */
bool session_trained_on(const struct session *s, size_t example);	/* false: held out, or opted out */
int session_checkpoints(const struct session *s);	/* averaged over by the index */
int session_runs(const struct session *s);		/* averaged over by rankings: 1 and its peers, unless alone */
double session_null_floor(const struct session *s, int span_tokens);	/* feature score units; NaN without an index */
size_t session_feature_bytes(const struct session *s);	/* per example */

/* ---- methods --------------------------------------------------------------------------------------------------- */

struct query;
/* What query_rank does after the first scores: nothing; its best candidates exactly; or every example exactly. */
enum rescore { RESCORE_NONE, RESCORE_BEST, RESCORE_ALL };
struct method {
	const char *name, *title, *unit, *evidence;	/* evidence kind of design section 2 */
	const char *cite;
	const char *plain;		/* what its score goes by, in a line */
	bool needs_index;
	bool blind;			/* to the model: looks at texts alone, so that other runs have nothing to add */
	bool baseline;			/* there to be beaten, not to be believed */
	enum rescore rescore;
	/* scores (n examples) for output tokens [from, to); positive: helped. */
	enum err (*score)(struct query *q, int from, int to, float *scores, struct job *job);
	/* The same for the whole outputs of n queries of one session, scores (n, data.n), up to rounding; NULL: they
	 * are taken one by one. */
	enum err (*score_many)(struct query *const *q, size_t n, float *scores, struct job *job);
	/* Bytes an example that it reads from the index; NULL: none, all is computed anew. */
	size_t (*stored)(const struct session *s);
	/* ERR_MISSING, saying what to run, when the run lacks what else the method needs; NULL: nothing else. */
	enum err (*ready)(const struct session *s);
};
extern const struct method methods[];
extern const int n_methods;
const struct method *method_find(const char *name);	/* NULL; the first in the table is the default */
enum { METHOD_MAX = 16 };
/* Those that may be asked of this session; the first is its default. Without a model: imported, and those that look at
 * texts alone. */
const struct method *session_methods(const struct session *s, int *n);
/* The one to ask where none is named: the default, but that of an imported index where the run has one and none of
 * byline's own. */
const struct method *session_method(const struct session *s);

/* What query_rank would say of the whole outputs of n queries of one session, averaged over its runs, METHOD_EXACT
 * candidates rescored where the method does that: scores (n, data.n), NaN for examples never trained on. Takes together
 * what can be, and leaves nothing behind in the queries, not even what was there. */
enum { METHOD_EXACT = 64 };
enum err method_scores(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job);
/* ERR_MISSING, saying what to run, when the session lacks what the method needs. */
enum err method_ready(const struct session *s, const struct method *m);
size_t method_bytes(const struct method *m, const struct session *s);	/* stored, per example */

/* ---- query ----------------------------------------------------------------------------------------------------- */

struct query {
	struct session *session;
	char *prompt;
	struct str output;		/* bytes of the output tokens */
	int32_t *tokens;		/* prompt tokens (bos first), then output tokens */
	int n_prompt, n_out;
	int prompt_tokens, prompt_seen;	/* tokens of the prompt itself, and how many of them, its last, the model saw */
	struct token_fact *facts;	/* n_out */
	uint32_t *byte_of;		/* n_out + 1: offsets of tokens in output */
	struct sample_options sample;
	bool target_given;
	struct feature_query *features;	/* of each output token, in the unit of scores; NULL until query_scores */
	float *matrix;			/* (data.n, n_out) feature scores per output token; NULL until query_matrix */
	struct query_spans *spans;	/* private: feature scores of the last spans */
	struct direction *direction;	/* private to query_exact: what the last span's exact scores are taken along */
	struct query **peer;		/* private to query_rank: the same tokens before each of the session's peers */
};

/* Generates (target NULL) or scores `target`. on_token as in generate(). The result is the caller's: query_free. */
enum err query_new(struct session *s, const char *prompt, const char *target, const struct sample_options *o,
	struct job *job, bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct query **out);
void query_free(struct query *q);
/* Fills q->features: one batched backward pass a checkpoint. The next three need it, and the first and last of them
 * see to it. Examples without features (held out, opted out before indexing) have NaN for a score. */
enum err query_scores(struct query *q, struct job *job);
/* Feature scores (data.n) of the span: one pass over the features; the last few spans are remembered. */
enum err query_span_scores(struct query *q, int from, int to, float *scores, struct job *job);
/* Of one example at every output token, out (n_out): at once. False before query_scores. */
bool query_example_row(const struct query *q, uint32_t example, float *out);
/* Fills q->matrix: all examples at every output token. Much slower than a span, and data.n * n_out floats. */
enum err query_matrix(struct query *q, struct job *job);

/* Exact EK-FAC scores, full dimension, averaged over the checkpoints, of chosen examples for the span. scores (n). When
 * per_token is not NULL it gets, for example j, n_tokens(example) - 1 values at per_token[j] (caller's arrays): the
 * contribution of each of its target tokens, summing to the score. By the session's own run, whatever its peers. */
enum err query_exact(struct query *q, int from, int to, const uint32_t *example, size_t n, float *scores,
	float **per_token, struct job *job);

/* Between the tokens of the span and those of one example, and through which layers. */
struct token_influence {
	uint32_t example;
	int from, to;			/* output tokens */
	int n_in;			/* target tokens of the example: n_tokens - 1 */
	/* (to - from, n_in): what target j of the example adds to output token from + i, nats. Row and column sums are
	 * what query_exact says of the token; the whole is the score. */
	float *matrix;
	int n_layers;
	int *linear;			/* n_layers: index into model->linears */
	float *layer;			/* n_layers: what each adds to the score */
	double score;
};
/* Exact EK-FAC, full dimension, averaged over the checkpoints, by the session's own run, whatever its peers. The
 * result is the caller's. */
enum err query_tokens(struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out);
void token_influence_free(struct token_influence *t);

/* ---- ranking --------------------------------------------------------------------------------------------------- */

/* A score this many noise floors from 0 stands above the noise: a ranking looks at every example of the corpus, and one
 * in six passes a single spread by chance. */
#define NOISE_FLOORS 3.0

/* error: of the score, in its unit (see struct ranking). Neighbours with the same bracket cannot be told apart;
 * brackets count from 0 along the list. */
struct ranked { uint32_t example; float score, error; bool exact; int bracket; };

struct ranking {
	const struct method *method;
	int from, to;
	float *scores;			/* data.n, in the ranking's unit; NaN for held-out and opted-out examples (never
					 * trained on) */
	struct ranked *top, *bottom;	/* proponents best first, opponents worst first */
	size_t n_top, n_bottom;
	float *error;			/* data.n, standard error of each score: over runs of one recipe when there are
					 * several (spread / sqrt(runs)), else the noise floor. NULL: unknown */
	int n_runs;			/* averaged over; 1: the run alone */
	float *run_scores;		/* (n_runs, data.n): each run's own, whose mean scores are; the session's first.
					 * NULL when it is alone */
	double *run_floor;		/* n_runs; NULL when it is alone */
	/* Examples whose |score| is above NOISE_FLOORS * floor; 0: nothing stands out, and whoever shows the ranking
	 * says so. n when the floor is unknown. */
	size_t n_above;
	/* Noise floor in the same unit as scores; NaN: unknown. Of an average: the root mean square of the runs'
	 * floors, which it does not exceed. */
	double floor;
	double exact_slope;		/* features to exact, through the origin; NaN when nothing was rescored */
	double exact_spearman;		/* agreement of features with exact on what was rescored */
	size_t n_exact;
};

struct rank_options { const struct method *method; int from, to; size_t top, exact; };
/* Features (or another method) over everything, then `exact` candidates rescored: the largest in magnitude, an eighth
 * of them at least of either sign. A method that looks at the model is asked of every run of the session (candidates
 * are those of the average, rescored in each), and the scores are their mean. */
enum err query_rank(struct query *q, const struct rank_options *o, struct job *job, struct ranking **out);
void ranking_free(struct ranking *r);
/* Sums per work of one contributor: score of a work for this ranking. */
double ranking_work_score(const struct ranking *r, const struct session *s, int64_t work);

#endif
