/* trust_fields: the keys of trust.json, where they live and what they may be. */
#include "trust_fields.h"

#define T(f) offsetof(struct trust, f)
#define M(f) offsetof(struct method_trust, f)
#define COUNT_MAX 1e9
#define TIME_MAX 1e15
#define REAL_MAX 1e300

const struct field trust_fields[] = {
	{ "queries", FIELD_COUNT, T(n_queries), 0, COUNT_MAX },
	{ "queries_heldout", FIELD_COUNT, T(n_heldout), 0, COUNT_MAX },
	{ "queries_generated", FIELD_COUNT, T(n_generated), 0, COUNT_MAX },
	{ "span", FIELD_COUNT, T(span), 0, COUNT_MAX },
	{ "subsets", FIELD_COUNT, T(n_subsets), 0, COUNT_MAX },
	{ "subsets_other_seed", FIELD_COUNT, T(n_other_subsets), 0, COUNT_MAX },
	{ "contributors", FIELD_COUNT, T(n_contributors), 0, COUNT_MAX },
	{ "alpha", FIELD_REAL, T(alpha), 0, 1 },
	{ "seed", FIELD_SEED, T(seed), 0, 0 },
	{ "run_seed", FIELD_SEED, T(run_seed), 0, 0 },
	{ "other_seed", FIELD_SEED, T(other_seed), 0, 0 },
	{ "ceiling_other_seed", FIELD_REAL, T(ceiling_other_seed), 0, 1 },
	{ "ceiling_other_seed_lo", FIELD_REAL, T(ceiling_lo), 0, 1 },
	{ "ceiling_other_seed_hi", FIELD_REAL, T(ceiling_hi), 0, 1 },
	{ "noise_floor", FIELD_REAL, T(floor), 0, REAL_MAX },
	{ "duplicates", FIELD_REAL, T(duplicates), 0, 1 },
	{ "randomised", FIELD_REAL, T(randomised), -1, 1 },
	{ "measured", FIELD_LONG, T(measured), 0, TIME_MAX },
};
const size_t n_trust_fields = sizeof(trust_fields) / sizeof(trust_fields[0]);

const struct field trust_method_fields[] = {
	{ "default", FIELD_FLAG, M(is_default), 0, 0 },
	{ "lds", FIELD_INTERVAL, M(lds), -1, 1 },
	{ "lds_other_seed", FIELD_INTERVAL, M(lds_other_seed), -1, 1 },
	{ "lds_heldout", FIELD_INTERVAL, M(lds_heldout), -1, 1 },
	{ "lds_generated", FIELD_INTERVAL, M(lds_generated), -1, 1 },
	{ "lds_less_default", FIELD_INTERVAL, M(lds_less_default), -2, 2 },
	{ "contributor_r", FIELD_REAL, M(contributor_r), -1, 1 },
	{ "contributor_r_size", FIELD_REAL, M(contributor_r_size), -1, 1 },
	{ "contributor_partial", FIELD_REAL, M(contributor_partial), -1, 1 },
	{ "slope", FIELD_REAL, M(slope), -REAL_MAX, REAL_MAX },
	{ "slope_error", FIELD_REAL, M(slope_error), 0, REAL_MAX },
	{ "ndcg20", FIELD_REAL, M(ndcg20), 0, 1 },
	{ "cardinality", FIELD_REAL, M(cardinality), 0, 1 },
	{ "bytes_per_example", FIELD_LONG, M(bytes_per_example), 0, TIME_MAX },
	{ "seconds_per_query", FIELD_REAL, M(seconds_per_query), 0, REAL_MAX },
};
const size_t n_trust_method_fields = sizeof(trust_method_fields) / sizeof(trust_method_fields[0]);
