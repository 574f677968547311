/*
 * inquiry: one prompt and all that is being found out about it. Says what is wanted, and works towards it job by job:
 * ask, score, rank, rescore exactly, marks of an opened example. A change of selection or method drops what is stale
 * and goes on from there; the last ranking stays on the screen, marked, until the next is ready.
 */
#ifndef TUI_INQUIRY_H
#define TUI_INQUIRY_H

#include <pthread.h>

#include "source.h"
#include "worker.h"

enum stage {
	STAGE_NONE, STAGE_ASK, STAGE_SCORES, STAGE_RANK, STAGE_STRENGTH, STAGE_EXACT, STAGE_MARKS, STAGE_TOKENS,
	STAGE_VERBATIM
};

/* A ranking with what follows from it. rows: proponents best first, then opponents, worst last. */
struct standing {
	struct ranking *ranking;
	struct shares shares;
	struct ranked *row;
	size_t n;
	double threshold;		/* scores within it are not told from chance; 0: none is known */
	double rests_on;		/* effective number of works: 1 / sum of squared parts; NaN: none */
	bool exact;			/* the best candidates were rescored */
	bool nothing;			/* not one score stands above the noise floor */
};

/* One settings' worth: what to rank by. */
struct wish { const struct method *method; int from, to; size_t exact; };

struct marks {
	bool wanted, ready;
	uint32_t example;
	int from, to;
	float score, *mark;		/* mark (n) */
	int n;
};

/* Token by token, for an opened example; failed says why there is nothing. */
struct two_way {
	bool wanted, done;
	uint32_t example;
	int from, to;
	struct token_influence *t;	/* NULL: not yet, or failed */
	char failed[ERR_MESSAGE];
};

/* What stands word for word in the corpus. */
struct spans {
	bool done;
	struct verbatim_span *span;
	size_t n;
	char failed[ERR_MESSAGE];		/* "" when it was looked for */
};

struct inquiry {
	struct source *source;
	struct worker *worker;
	char *prompt, *target;		/* target NULL: generate */
	struct sample_options sample;
	char *expected;			/* output saved earlier that must come again; NULL: none */
	int64_t saved_id;		/* 0: not saved */

	pthread_mutex_t lock;		/* guards the next two while asking */
	struct token_fact *stream;
	int n_stream;

	struct query *query;		/* NULL until asked */
	float *strength;		/* n_out; NULL until after a first ranking */
	bool asked, scored;		/* done, or given up */
	struct wish wish, have, doing;
	struct standing *standing;	/* NULL until ranked; of `have` */
	bool has_standing;
	struct marks marks;
	struct two_way tokens;
	struct spans verbatim;
	bool span_whole;		/* the wish follows the whole output */
	bool raw;			/* a ranking is shown even where nothing stands above the noise floor */

	enum stage stage;		/* what the running job does */
	bool halted;			/* stopped by the user or by an error: nothing starts until something changes */
	char error[ERR_MESSAGE];
	enum err err;
	uint64_t version;		/* grows with every result: views compare it */

	struct about { uint32_t example; int from, to; } about;	/* what the running job is about: wishes may change */
	void *made;			/* what it hands over */
	struct shares made_shares;
	float *made_floats, made_score;
	size_t made_n;
};

struct inquiry *inquiry_new(struct source *s, struct worker *w);
void inquiry_free(struct inquiry *q);		/* stops its job first */
void inquiry_ask(struct inquiry *q, const char *prompt, const char *target, const struct sample_options *o);
void inquiry_span(struct inquiry *q, int from, int to);	/* to = 0: the whole output */
void inquiry_method(struct inquiry *q, const struct method *m);
void inquiry_exact(struct inquiry *q, size_t exact);
void inquiry_mark(struct inquiry *q, uint32_t example);	/* marks of this example for the span */
void inquiry_tokens_of(struct inquiry *q, uint32_t example);	/* token by token, for the span */
/* The spans that meet the selected tokens: *n of them; NULL when there are none. */
const struct verbatim_span *inquiry_verbatim(const struct inquiry *q, size_t *n);
/* Starts the next job when none runs. True while there is anything left to do. */
bool inquiry_step(struct inquiry *q);
void inquiry_halt(struct inquiry *q);		/* cancels */

bool inquiry_ranked(const struct inquiry *q);	/* the standing is that of the wish, if not yet exact */
bool inquiry_current(const struct inquiry *q);	/* the standing is that of the wish, exact if asked for */
int inquiry_tokens(struct inquiry *q);		/* how many output tokens there are by now */
bool inquiry_fact(struct inquiry *q, int i, struct token_fact *f);
/* Prompt and output, and where output tokens begin: byte_of (tokens + 1), the caller's to free. */
void inquiry_text(struct inquiry *q, struct str *text, uint32_t **byte_of, int *n);

void standing_free(struct standing *s, const struct source_ops *ops);

#endif
