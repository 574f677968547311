/* The table of methods; the first is the default. */
#include "byline/attrib.h"

#include <string.h>

#include "query_private.h"

const struct method methods[] = {
	{ .name = "influence", .title = "influence", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Grosse et al. 2023; Choe et al. 2024", .needs_index = true, .rescore = RESCORE_BEST,
		.score = method_features_score, .stored = session_feature_bytes },
	{ .name = "features", .title = "influence, features alone", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Choe et al. 2024", .needs_index = true, .rescore = RESCORE_NONE,
		.score = method_features_score, .stored = session_feature_bytes },
	{ .name = "ekfac", .title = "influence, all exact", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Grosse et al. 2023", .needs_index = true, .rescore = RESCORE_ALL,
		.score = method_exact_score },
	{ .name = "hidden", .title = "hidden-state similarity", .unit = "cosine", .evidence = "similar",
		.cite = "Hanawa et al. 2021", .needs_index = true, .rescore = RESCORE_NONE,
		.score = method_similarity_score },
	{ .name = "bm25", .title = "shared words (BM25)", .unit = "BM25", .evidence = "lexical",
		.cite = "Robertson, Zaragoza 2009", .needs_index = false, .rescore = RESCORE_NONE,
		.score = method_bm25_score },
};
const int n_methods = sizeof(methods) / sizeof(methods[0]);
_Static_assert(sizeof(methods) / sizeof(methods[0]) <= METHOD_MAX, "METHOD_MAX is too small");

const struct method *
method_find(const char *name)
{
	for (int i = 0; i < n_methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

enum err
method_ready(const struct session *s, const struct method *m)
{
	if (m->needs_index && !s->index)
		return err_set(ERR_MISSING,
			"method %s needs an index, and run %s has none: run `byline index %s`, or choose method bm25",
			m->name, s->run.name, store_dir(s->store));
	return OK;
}
