/* What the files of trust share with each other and with nobody else. */
#ifndef BYLINE_TRUST_PRIVATE_H
#define BYLINE_TRUST_PRIVATE_H

#include "byline/trust.h"

/* trust.json parsed. The result is the caller's. */
enum err trust_parse(const json_t *root, const char *name, struct trust **out);

/* ---- scores of the bank's queries ------------------------------------------------------------------------------ */

/* What scores were made from: when one of these differs they are made again. */
struct scores_of { char index[HASH_HEX], queries[HASH_HEX], checkpoint[HASH_HEX]; };
/* index is "" when there is none. */
enum err scores_of(const struct bank *b, struct scores_of *of);

/* Does bank/scores-METHOD.safetensors hold all that scores_take would make? */
bool scores_there(const struct bank *b, const struct scores_of *of, const struct method *m);
/* score (queries, examples) of one method, taken up from bank/scores-METHOD.safetensors or made and kept there. */
struct scores { float *score; double seconds_per_query; };
enum err scores_take(const struct bank *b, const struct scores_of *of, const struct method *m, struct job *job,
	struct scores *out);
void scores_free(struct scores *s);		/* safe on a zeroed struct */

/* ---- outcomes of the bank's members ---------------------------------------------------------------------------- */

struct outcomes {
	int n;				/* members */
	uint8_t *drop;			/* (n, examples) */
	double *outcome;		/* (queries, n) */
};

struct truth {
	int queries;
	size_t examples;
	uint8_t *heldout, *generated;	/* queries */
	struct outcomes same, other;	/* subsets: of the run's seed, of another */
	struct outcomes both;		/* subsets trained from both seeds: the run's outcomes */
	double *other_of_both;		/* (queries, both.n): the other seed's */
	struct outcomes without;	/* contributors: drops from the full model, positive when it lost */
	double *size;			/* without.n: tokens left out */
	uint64_t other_seed;
};
void truth_gather(const struct bank *b, struct truth *t);
void truth_free(struct truth *t);

/* ---- checks ---------------------------------------------------------------------------------------------------- */

/* At most `most` of the trained examples, by the bank's seed and this stream; how many. */
size_t sample_trained(const struct bank *b, uint64_t stream, size_t most, uint32_t *example);

/* For struct trust's duplicates and randomised; NaN when the method cannot be checked so. */
enum err check_planted(const struct bank *b, const struct method *m, struct job *job, double *found);
/* score (queries, examples): of the method on the trained weights. */
enum err check_randomised(const struct bank *b, const float *score, struct job *job, double *agreement);

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* What a method's scores predict for each set of members, nats per token: (queries, members of the set). */
struct predictions { double *same, *other, *without; };
void predictions_make(const struct bank *b, const struct truth *t, const float *score, struct predictions *p);
void predictions_free(struct predictions *p);

/* The numbers of one method that come from outcomes; `first` are the default method's predictions, NULL: none. */
void trust_numbers(const struct bank *b, const struct truth *t, const struct predictions *p,
	const struct predictions *first, struct method_trust *out);
/* t->point, t->n_points. */
void trust_points(const struct bank *b, const struct truth *truth, const struct predictions *p, struct trust *t);

#endif
