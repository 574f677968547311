/* session_imported: a session of a run that holds another library's scores and no model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "scores_private.h"

/* ---- opening ---- */

/* The library's name; NULL: the run was not imported. */
static char *
source_of(const struct run *r)
{
	json_t *o = NULL;
	char *name = NULL;
	if (r->recipe && json_parse(r->recipe, strlen(r->recipe), "recipe", &o) == OK) {
		const json_t *source = json_object_get(json_object_get(o, "imported"), "source");
		if (json_is_string(source))
			name = xstrdup(json_string_value(source));
	}
	json_decref(o);
	err_clear();
	return name;
}

bool
scores_run(const struct run *r)
{
	char *name = source_of(r);
	free(name);
	return name != NULL;
}

struct gather { struct session *s; struct imported *x; };

static enum err
gather_query(void *arg, const struct saved_query *from)
{
	struct gather *g = arg;
	struct scored_query q;
	struct scored_queries *to = &g->x->queries;
	if (!scored_query_take(from, &q))
		return OK;
	mem_grow(&to->v, &to->cap, to->n + 1, sizeof(*to->v));
	to->v[to->n++] = q;
	return OK;
}

static enum err
check_query(const struct session *s, const struct imported *x, const struct scored_query *q)
{
	char name[32];
	uint64_t shape[2] = { (uint64_t)q->n_out, s->data.n };
	const struct st_tensor *t;
	scores_tensor_name(q->number, name);
	TRY(st_want(&x->file, name, 2, shape, &t));
	if (t->dtype != ST_F32)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" must be F32", x->file.path, name);
	return OK;
}

static enum err
check_all(const struct session *s, const struct imported *x)
{
	const char *format = st_meta(&x->file, "format");
	if (!format || strcmp(format, SCORES_FORMAT) != 0)
		return err_set(ERR_FORMAT, "%s: these are no imported scores", x->file.path);
	for (size_t i = 0; i < x->queries.n; i++)
		TRY(check_query(s, x, &x->queries.v[i]));
	return OK;
}

static int
query_cmp(const void *a, const void *b)
{
	size_t x = ((const struct scored_query *)a)->number, y = ((const struct scored_query *)b)->number;
	return (x > y) - (x < y);
}

enum err
imported_open(struct session *s)
{
	struct imported *x = s->imported = xcalloc(1, sizeof(*x));
	struct gather g = { s, x };
	enum err err;
	char *tokenizer = path_join(s->run.dir, "tokenizer.json"), *scores = path_join(s->run.dir, SCORES_FILE);
	x->source = source_of(&s->run);
	TRY_OUT(store_check_file(s->store, &s->run, "tokenizer.json"));
	TRY_OUT(tokenizer_load(&s->tokenizer, tokenizer));
	TRY_OUT(store_run_dataset(s->store, s->run.id, &s->data, &s->examples));
	TRY_OUT(st_open(&x->file, scores));
	TRY_OUT(store_each_query(s->store, s->run.id, gather_query, &g));
	if (x->queries.n > 0)
		qsort(x->queries.v, x->queries.n, sizeof(*x->queries.v), query_cmp);
	err = check_all(s, x);
out:
	free(tokenizer);
	free(scores);
	return err;
}

void
imported_close(struct imported *x)
{
	if (!x)
		return;
	free(x->source);
	st_close(&x->file);
	scored_queries_free(&x->queries);
	free(x);
}

/* ---- what the others ask ---- */

const char *
session_source(const struct session *s)
{
	return s->imported ? s->imported->source : NULL;
}

int64_t
session_first_query(const struct session *s)
{
	return s->imported && s->imported->queries.n > 0 ? s->imported->queries.v[0].id : 0;
}

enum err
session_want_model(const struct session *s)
{
	if (!s->imported)
		return OK;
	return err_set(ERR_UNSUPPORTED, "run %s holds scores imported from %s and no model, so this cannot be done with"
		" it; what was imported can be looked at", s->run.name, s->imported->source);
}

/* ---- queries ---- */

static enum err
query_scores_read(struct session *s, const struct scored_query *from, float *matrix)
{
	char name[32];
	enum err err;
	float *rows = NULL;
	size_t n = s->data.n, n_out = (size_t)from->n_out;
	scores_tensor_name(from->number, name);
	const struct st_tensor *t = st_find(&s->imported->file, name);
	TRY_OUT(mem_array(&rows, n * n_out, sizeof(*rows), "scores of a query"));
	TRY_OUT(st_read_f32(&s->imported->file, t, 0, n * n_out, rows));
	for (size_t i = 0; i < n; i++)
		for (size_t r = 0; r < n_out; r++)
			matrix[i * n_out + r] = rows[r * n + i];
out:
	free(rows);
	return err;
}

static const struct scored_query *
find_query(const struct imported *x, const char *prompt, const char *target)
{
	for (size_t i = 0; i < x->queries.n; i++) {
		const struct scored_query *q = &x->queries.v[i];
		if (strcmp(q->prompt, prompt) == 0 && (!target || strcmp(q->output, target) == 0))
			return q;
	}
	return NULL;
}

static struct query *
query_make(struct session *s, const struct scored_query *from)
{
	struct query *q = xcalloc(1, sizeof(*q));
	size_t n = (size_t)from->n_out;
	*q = (struct query){ .session = s, .prompt = xstrdup(from->prompt), .n_out = from->n_out,
		.target_given = true };
	str_adds(&q->output, from->output);
	q->tokens = xcalloc(n + 1, sizeof(*q->tokens));
	q->facts = xcalloc(n + 1, sizeof(*q->facts));
	q->byte_of = xcalloc(n + 1, sizeof(*q->byte_of));
	memcpy(q->byte_of, from->byte_of, (n + 1) * sizeof(*q->byte_of));
	/* What a model would have thought of each token is not known. */
	for (size_t i = 0; i < n; i++) {
		q->facts[i] = (struct token_fact){ .token = -1, .logprob = NAN };
		for (int k = 0; k < ALTERNATIVES; k++)
			q->facts[i].alt[k] = -1;
	}
	return q;
}

enum err
imported_query(struct session *s, const char *prompt, const char *target, struct query **out)
{
	const struct scored_query *from = find_query(s->imported, prompt, target);
	enum err err;
	if (!from)
		return err_set(ERR_UNSUPPORTED, "run %s holds scores imported from %s and no model: only the %zu "
			"queries that came with them can be asked", s->run.name, s->imported->source,
			s->imported->queries.n);
	struct query *q = query_make(s, from);
	TRY_OUT(mem_array(&q->matrix, s->data.n * (size_t)q->n_out, sizeof(*q->matrix), "scores of a query"));
	TRY_OUT(query_scores_read(s, from, q->matrix));
	*out = q;
	q = NULL;
out:
	query_free(q);
	return err;
}

enum err
method_imported_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	(void)job;
	for (size_t i = 0; i < q->session->data.n; i++) {
		double sum = 0;
		for (int t = from; t < to; t++)
			sum += (double)q->matrix[i * (size_t)q->n_out + (size_t)t];
		scores[i] = (float)sum;
	}
	return OK;
}
