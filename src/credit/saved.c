/* saved: shares as a saved query carries them, what a contributor has in one, and imported queries settled. */
#include "byline/credit.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"

/* ---- writing ---- */

void
credit_put_standing(const struct ranking *r, json_t *o)
{
	json_object_set_new(o, "method", json_cstr(r->method->name));
	json_object_set_new(o, "unit", json_cstr(r->method->unit));
	json_object_set_new(o, "runs", json_integer(r->n_runs));
	json_object_set_new(o, "noise_floor", json_number(r->floor));
	json_object_set_new(o, "above_noise", isfinite(r->floor) ? json_integer((json_int_t)r->n_above) : json_null());
	json_object_set_new(o, "rescored", json_pack("{s:I, s:o}", "examples", (json_int_t)r->n_exact, "spearman",
		json_number(r->exact_spearman)));
}

/* Shares of every imported query by every contributor would be a store's largest part. */
void
credit_put_shares(const struct shares *sh, bool all, json_t *o)
{
	json_t *list = json_array();
	double others = 0;
	size_t n_others = 0;
	for (size_t i = 0; i < sh->n; i++) {
		const struct contribution *c = &sh->c[i];
		if (!all && c->share > 0 && i >= CREDIT_SAVED) {
			n_others++;
			others += c->share;
		} else if (all || c->share > 0)
			json_array_append_new(list, json_pack("{s:I, s:o, s:f, s:f, s:o, s:[I, I], s:I}", "id",
				(json_int_t)c->contributor, "name", json_cstr(c->name), "score", c->score, "share",
				c->share, "error", json_number(c->error), "ranks", (json_int_t)c->rank_lo,
				(json_int_t)c->rank_hi, "works", (json_int_t)c->works));
	}
	json_object_set_new(o, "contributors", list);
	if (n_others > 0)
		json_object_set_new(o, "others", json_pack("{s:I, s:f}", "contributors", (json_int_t)n_others, "share",
			others));
	json_object_set_new(o, "residual", json_real(sh->residual));
	json_object_set_new(o, "residual_error", json_number(sh->residual_error));
}

/* ---- reading ---- */

/* The place in the list of shares; those listed have some. */
static void
find_share(const json_t *list, const char *name, struct saved_share *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i), *error = json_object_get(c, "error");
		const char *who = json_string_value(json_object_get(c, "name"));
		double share = json_number_value(json_object_get(c, "share"));
		if (!who || strcmp(who, name) != 0 || !(share > 0 && share <= 1))
			continue;
		out->share = share;
		out->error = json_is_number(error) ? json_number_value(error) : (double)NAN;
		if (!(out->error >= 0 && out->error <= 1))
			out->error = (double)NAN;
		out->rank = i + 1;
	}
}

/* What a contributor who is not listed may have, where not all are. */
static void
find_others(const json_t *root, const json_t *list, struct saved_share *out)
{
	json_int_t n = json_integer_value(json_object_get(json_object_get(root, "others"), "contributors"));
	double least = json_number_value(json_object_get(json_array_get(list, json_array_size(list) - 1), "share"));
	if (n <= 0 || n > INT32_MAX || json_array_size(list) == 0)
		return;
	out->of += (size_t)n;
	if (out->rank == 0 && least > 0 && least <= 1)
		out->below = least;
}

bool
credit_saved_share(const char *result, const char *name, struct saved_share *out)
{
	json_t *root = NULL;
	*out = (struct saved_share){ .error = (double)NAN };
	bool there = result && json_parse(result, strlen(result), "saved query", &root) == OK
		&& json_is_array(json_object_get(root, "contributors"));
	if (there) {
		const char *method = json_string_value(json_object_get(root, "method"));
		out->method = method ? xstrdup(method) : NULL;
		out->of = json_array_size(json_object_get(root, "contributors"));
		find_share(json_object_get(root, "contributors"), name, out);
		find_others(root, json_object_get(root, "contributors"), out);
	}
	json_decref(root);
	err_clear();
	return there;
}

void
saved_share_free(struct saved_share *s)
{
	free(s->method);
	*s = (struct saved_share){0};
}

/* ---- settling what was imported ---- */

struct ids { int64_t *v; size_t n, cap; };

static enum err
gather_id(void *arg, const struct saved_query *q)
{
	struct ids *ids = arg;
	mem_grow(&ids->v, &ids->cap, ids->n + 1, sizeof(*ids->v));
	ids->v[ids->n++] = q->id;
	return OK;
}

static char *
result_json(const struct ranking *r, const struct shares *sh)
{
	struct str text = {0};
	json_t *o = json_pack("{s:[i, i]}", "span", r->from, r->to);
	credit_put_standing(r, o);
	credit_put_shares(sh, false, o);
	json_print(&text, o, 0);
	json_decref(o);
	return str_take(&text);
}

/* The shares of the whole output, by the session's first method. */
static enum err
settle_one(struct session *s, struct saved_query *saved, struct job *job)
{
	int n;
	struct query *q = NULL;
	struct ranking *r = NULL;
	struct shares sh = {0};
	struct rank_options o = { .method = session_methods(s, &n) };
	enum err err;
	TRY_OUT(query_new(s, saved->prompt, saved->output, NULL, job, NULL, NULL, &q));
	o.to = q->n_out;
	TRY_OUT(query_rank(q, &o, job, &r));
	TRY_OUT(credit_shares(s, r, &sh));
	free(saved->result);
	saved->result = result_json(r, &sh);
	err = store_save_query(s->store, saved, &saved->id);
out:
	shares_free(&sh);
	ranking_free(r);
	query_free(q);
	return err;
}

enum err
credit_settle(struct store *store, const char *run, struct job *job)
{
	struct session *s = NULL;
	struct ids ids = {0};
	enum err err;
	TRY_OUT(session_open(store, run, 1, &s));
	TRY_OUT(store_each_query(store, s->run.id, gather_id, &ids));
	job_phase(job, "shares", ids.n);
	for (size_t i = 0; err == OK && i < ids.n; i++) {
		struct saved_query saved;
		TRY_OUT(job_check(job));
		TRY_OUT(store_query(store, ids.v[i], &saved));
		err = settle_one(s, &saved, job);
		saved_query_free(&saved);
		job_step(job, i + 1);
	}
out:
	free(ids.v);
	session_close(s);
	return err;
}
