/*
 * whatif: a ranking put to the test: its best k examples, one contributor or one example, left out of a bit-exact
 * repetition of the training, beside as many random ones of about the same size; what was predicted beside what
 * happened, in nats.
 *
 * Retrained is compared with retrained (a model's own output loses probability under any retraining): the span's
 * log-probability by the run trained again with everything, minus that by the run trained again without. Kept in
 * runs/NAME/whatif/KEY.json, KEY naming the query, the span and what was removed.
 */
#ifndef BYLINE_WHATIF_H
#define BYLINE_WHATIF_H

#include <jansson.h>

#include "byline/attrib.h"
#include "byline/trust.h"

struct whatif_options {
	int top;			/* the best k of the ranking; 0: a contributor, or one example */
	int64_t contributor;		/* everything of theirs; 0: the example */
	uint32_t example;		/* left out alone, when top and contributor are 0 */
	int controls;			/* random removals to compare with, default 3 */
	uint64_t seed;			/* of the controls */
};
void whatif_defaults(struct whatif_options *o);		/* top 10 */

struct whatif {
	struct whatif_options options;
	char method[32];
	int from, to;			/* span */
	uint32_t *removed;		/* n_removed examples, ascending */
	size_t n_removed;
	uint64_t tokens_removed;
	double predicted;		/* drop of the span's log-probability, nats: sum of the removed scores, in the
					 * ranking's unit */
	double calibrated;		/* the same times the measured slope; NaN: not measured */
	double observed;		/* nats, full minus without */
	/* options.controls: the same for random removals of as many examples and about as many tokens. */
	double *control;
	double *token;			/* to - from: observed drop of each token */
	bool bit_exact;			/* the repetition with everything gave the run's own weights again */
	double seconds;
};

/* Seconds the measurement would take, from the journal's speed here or a few timed steps. */
enum err whatif_estimate(const struct session *s, const struct whatif_options *o, double *seconds);
/* At once when it was measured before. ERR_MISSING when the run was not trained here. t may be NULL. */
enum err whatif_measure(struct query *q, const struct ranking *r, const struct trust *t,
	const struct whatif_options *o, struct job *job, struct whatif **out);
/* What was measured before for this query, span and removal; ERR_MISSING: not yet. */
enum err whatif_find(const struct query *q, const struct ranking *r, const struct whatif_options *o,
	struct whatif **out);
void whatif_free(struct whatif *w);
json_t *whatif_json(const struct whatif *w);		/* new reference */

#endif
