/* fake_trust: invented measurements. Nothing was trained; the points come from a formula and lie about their slope. */
#include "fake_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/mem.h"

enum { POINTS = 240 };

static const struct method_trust measured[] = {
	{ .name = "influence", .is_default = true, .lds = { 0.28, 0.25, 0.31 }, .lds_heldout = { 0.33, 0.29, 0.36 },
		.lds_generated = { 0.23, 0.20, 0.26 }, .lds_other_seed = { 0.14, 0.12, 0.17 },
		.contributor_r = 0.61, .contributor_r_size = 0.38, .contributor_partial = 0.49, .slope = 0.62,
		.slope_error = 0.05, .ndcg20 = 0.94, .cardinality = 0.71, .bytes_per_example = 17920,
		.seconds_per_query = 0.021 },
	{ .name = "ekfac", .lds = { 0.30, 0.27, 0.33 }, .lds_heldout = { 0.35, 0.31, 0.38 },
		.lds_generated = { 0.25, 0.21, 0.28 }, .lds_other_seed = { 0.15, 0.12, 0.18 },
		.contributor_r = 0.63, .contributor_r_size = 0.38, .contributor_partial = 0.52, .slope = 0.71,
		.slope_error = 0.05, .ndcg20 = 1, .cardinality = 0.69, .seconds_per_query = 48.5 },
	{ .name = "tracin", .lds = { 0.15, 0.12, 0.18 }, .lds_heldout = { 0.17, 0.13, 0.20 },
		.lds_generated = { 0.13, 0.10, 0.16 }, .lds_other_seed = { 0.08, 0.05, 0.11 },
		.contributor_r = 0.44, .contributor_r_size = 0.38, .contributor_partial = 0.21, .slope = 0.09,
		.slope_error = 0.02, .ndcg20 = 0.58, .cardinality = 0.33, .seconds_per_query = 31 },
	{ .name = "bm25", .lds = { 0.11, 0.08, 0.14 }, .lds_heldout = { 0.14, 0.11, 0.17 },
		.lds_generated = { 0.08, 0.05, 0.11 }, .lds_other_seed = { 0.10, 0.07, 0.12 },
		.contributor_r = 0.35, .contributor_r_size = 0.38, .contributor_partial = 0.12, .slope = NAN,
		.slope_error = NAN, .ndcg20 = 0.31, .cardinality = 0.88, .seconds_per_query = 0.002 },
	{ .name = "random", .lds = { -0.01, -0.03, 0.02 }, .lds_heldout = { -0.01, -0.04, 0.02 },
		.lds_generated = { 0.00, -0.03, 0.03 }, .lds_other_seed = { 0.01, -0.02, 0.03 },
		.contributor_r = NAN, .contributor_r_size = NAN, .contributor_partial = NAN, .slope = NAN,
		.slope_error = NAN, .ndcg20 = 0.04, .cardinality = 0.99, .seconds_per_query = 0.0001 },
};

void
fake_trust_make(struct trust *t)
{
	*t = (struct trust){
		.n_queries = 80, .n_heldout = 40, .n_generated = 40, .n_subsets = 60, .n_other_subsets = 30,
		.n_contributors = 7, .alpha = 0.5, .seed = 1, .run_seed = 7, .other_seed = 8,
		.ceiling_other_seed = 0.41, .floor = 0.012, .duplicates = 0.9, .randomised = 0.02,
		.n_methods = ARRAY_LEN(measured), .n_points = POINTS, .measured = 1767225600,
	};
	t->method = xcalloc(ARRAY_LEN(measured), sizeof(*t->method));
	for (size_t i = 0; i < ARRAY_LEN(measured); i++)
		t->method[i] = measured[i];
	t->point = xcalloc(POINTS, sizeof(*t->point));
	for (uint32_t i = 0; i < POINTS; i++) {
		double x = 0.05 * fake_noise(i, 1) * fabs(fake_noise(i, 2));
		double off = 0.02 * fake_noise(i, 3) * fabs(fake_noise(i, 4));
		t->point[i] = (struct calibration_point){ x, 0.62 * x + off };
	}
}

void
fake_trust_clear(struct trust *t)
{
	free(t->method);
	free(t->point);
	*t = (struct trust){0};
}
