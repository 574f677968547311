/* The table of methods; the first is the default. */
#include "byline/attrib.h"

#include <string.h>

#include "query_private.h"
#include "scores_private.h"

#define BM25 \
	{ .name = "bm25", .title = "shared words (BM25)", .unit = "BM25", .evidence = "lexical", \
		.cite = "Robertson, Zaragoza 2009", .plain = "shared words, the rare ones weighing more", \
		.blind = true, .baseline = true, .score = method_bm25_score }
#define TFIDF \
	{ .name = "tfidf", .title = "shared words (TF-IDF)", .unit = "cosine", .evidence = "lexical", \
		.cite = "Salton, Buckley 1988", .plain = "cosines of word counts, the rare words weighing more", \
		.blind = true, .baseline = true, .score = method_tfidf_score }

const struct method methods[] = {
	{ .name = "influence", .title = "influence", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Grosse et al. 2023; Choe et al. 2024",
		.plain = "stored features of every example, then the best and the worst candidates exactly",
		.needs_index = true, .rescore = RESCORE_BEST, .score = method_features_score,
		.stored = session_feature_bytes },
	{ .name = "features", .title = "influence, features alone", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Choe et al. 2024", .plain = "stored features alone, nothing computed exactly",
		.needs_index = true, .score = method_features_score, .score_many = method_features_many,
		.stored = session_feature_bytes },
	{ .name = "ekfac", .title = "influence, all exact", .unit = "nats (predicted)", .evidence = "influence",
		.cite = "Grosse et al. 2023", .plain = "every example exactly, averaged over the checkpoints",
		.needs_index = true, .rescore = RESCORE_ALL, .score = method_exact_score,
		.score_many = method_exact_many },
	{ .name = "ekfac-final", .title = "influence, exact, last checkpoint", .unit = "nats (predicted)",
		.evidence = "influence", .cite = "Grosse et al. 2023",
		.plain = "every example exactly, at the last checkpoint alone",
		.needs_index = true, .score = method_ekfac_final_score, .score_many = method_ekfac_final_many },
	{ .name = "tracin", .title = "gradient products (TracIn)", .unit = "gradient product", .evidence = "influence",
		.cite = "Pruthi et al. 2020",
		.plain = "products of gradients over the checkpoints, weighed by learning rate; no curvature",
		.needs_index = true, .score = method_tracin_score, .score_many = method_tracin_many },
	{ .name = "gradcos", .title = "gradient cosine", .unit = "cosine", .evidence = "influence",
		.cite = "Charpiat et al. 2019", .plain = "cosines of gradients, averaged over the checkpoints",
		.needs_index = true, .score = method_gradcos_score, .score_many = method_gradcos_many },
	{ .name = "bergson", .title = "imported gradients (bergson)", .unit = "gradient product",
		.evidence = "influence", .cite = "Chang et al. 2024",
		.plain = "products with the rows of a gradient index that bergson made",
		.score = method_bergson_score, .score_many = method_bergson_many, .ready = method_bergson_ready },
	{ .name = "hidden", .title = "hidden-state similarity", .unit = "cosine", .evidence = "similar",
		.cite = "Hanawa et al. 2021", .plain = "cosines of the model's mean last states",
		.needs_index = true, .baseline = true, .score = method_similarity_score,
		.stored = method_similarity_stored },
	BM25,
	TFIDF,
	{ .name = "logra", .title = "projected gradients (LoGra)", .unit = "nats (predicted)",
		.evidence = "influence", .cite = "Choe et al. 2024",
		.plain = "randomly projected gradients at the last checkpoint, with their own curvature",
		.score = method_logra_score, .score_many = method_logra_many },
	{ .name = "trak", .title = "sketched gradients (TRAK)", .unit = "log odds (predicted)",
		.evidence = "influence", .cite = "Park et al. 2023",
		.plain = "sketched gradients of the log odds at the last checkpoint",
		.score = method_trak_score, .score_many = method_trak_many },
	{ .name = "random", .title = "chance", .unit = "standard deviations", .evidence = "none",
		.cite = "a seeded draw", .plain = "numbers drawn at random: what the others have to beat first",
		.blind = true, .baseline = true, .score = method_random_score },
};
const int n_methods = sizeof(methods) / sizeof(methods[0]);
_Static_assert(sizeof(methods) / sizeof(methods[0]) <= METHOD_MAX, "METHOD_MAX is too small");

/* Of a session without a model. */
static const struct method imported_methods[] = {
	{ .name = "imported", .title = "imported scores", .unit = "units of its library", .evidence = "influence",
		.cite = "whatever made them", .plain = "scores that another library made, as they were imported",
		.blind = true, .score = method_imported_score },
	BM25,
	TFIDF,
};
enum { N_IMPORTED = sizeof(imported_methods) / sizeof(imported_methods[0]) };

const struct method *
session_methods(const struct session *s, int *n)
{
	*n = s->imported ? N_IMPORTED : n_methods;
	return s->imported ? imported_methods : methods;
}

const struct method *
session_method(const struct session *s)
{
	int n;
	const struct method *list = session_methods(s, &n), *found = list;
	/* Only an imported index has files of its own to be ready. */
	for (int i = 0; i < n && list->needs_index && !s->index; i++)
		if (list[i].ready && list[i].ready(s) == OK)
			found = &list[i];
	err_clear();
	return found;
}

const struct method *
method_find(const char *name)
{
	for (int i = 0; i < n_methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return strcmp(name, imported_methods[0].name) == 0 ? &imported_methods[0] : NULL;
}

enum err
method_ready(const struct session *s, const struct method *m)
{
	if (s->imported && !m->blind)
		return err_set(ERR_UNSUPPORTED, "method %s needs a model, and run %s has none, only scores imported "
			"from %s: choose imported, or one that looks at texts alone, as bm25 does", m->name,
			s->run.name, session_source(s));
	if (m->score == method_imported_score && !s->imported)
		return err_set(ERR_UNSUPPORTED, "method imported needs a run made by `byline import-scores`, and "
			"run %s has a model", s->run.name);
	if (m->needs_index && !s->index)
		return err_set(ERR_MISSING,
			"method %s needs an index, and run %s has none: run `byline index %s`, or choose a method that "
			"needs none, as bm25 does",
			m->name, s->run.name, store_dir(s->store));
	return m->ready ? m->ready(s) : OK;
}
