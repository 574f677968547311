/* export: what is on the screen, for other programs: a file of JSON, a saved query, a command line. The JSON has the
 * names and meanings of byline-ask(1). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/json.h"
#include "setting.h"

/* ---- the parts ---- */

static json_t *
export_tokens(const struct query *q)
{
	json_t *list = json_array();
	for (int i = 0; i < q->n_out; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "text", json_text(q->output.s + q->byte_of[i],
			q->byte_of[i + 1] - q->byte_of[i]), "logprob", json_number((double)q->facts[i].logprob), "rank",
			q->facts[i].rank ? json_integer(q->facts[i].rank) : json_null()));
	return list;
}

static json_t *
export_people(const struct work *w)
{
	json_t *list = json_array();
	for (size_t i = 0; w && i < w->n_authors; i++)
		json_array_append_new(list, json_pack("{s:o, s:f}", "name", json_cstr(w->authors[i].name), "share",
			w->authors[i].share));
	return list;
}

/* Of the whole output's spans, as `ask` marks them, whichever span is asked about; none before they were looked for. */
static void
export_mark(struct inquiry *q, const struct ranked *r, json_t *o)
{
	const struct spans *v = &q->verbatim;
	if (!v->done)
		return;
	const char *mark = verbatim_mark_names[q->source->ops->evidence(q->source, q->query, v->span, v->n, r->example,
		(double)r->score, q->standing->ranking->floor)];
	json_object_set_new(o, "mark", *mark ? json_string(mark) : json_null());
}

static enum err
export_text(struct source *s, uint32_t example, json_t *o)
{
	struct str t = {0};
	uint32_t *byte_of = NULL;
	int n;
	enum err err = s->ops->example_text(s, example, &t, &byte_of, &n);
	if (err == OK)
		json_object_set_new(o, "text", json_text(t.s ? t.s : "", t.len));
	free(byte_of);
	str_free(&t);
	return err;
}

static json_t *
export_example(struct source *s, const struct ranked *r, size_t rank, double floor)
{
	const struct example *e = s->ops->example(s, r->example);
	const struct work *w = e ? s->ops->work(s, e->work) : NULL;
	json_t *o = json_pack("{s:I, s:I, s:f, s:b, s:o, s:i, s:o}", "rank", (json_int_t)rank, "id",
		(json_int_t)r->example, "score", (double)r->score, "exact", r->exact, "error",
		json_number((double)r->error), "bracket", r->bracket, "floors",
		json_number(floor > 0 ? (double)r->score / floor : (double)NAN));
	json_object_set_new(o, "work", w ? json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)w->id, "title",
		json_cstr(w->title), "licence", json_cstr(w->licence), "date", json_cstr(w->date), "source",
		json_cstr(w->source)) : json_null());
	json_object_set_new(o, "contributors", export_people(w));
	return o;
}

static enum err
export_list(struct inquiry *q, bool top, json_t *o)
{
	struct source *s = q->source;
	const struct ranking *r = q->standing->ranking;
	const struct ranked *row = top ? r->top : r->bottom;
	size_t n = top ? r->n_top : r->n_bottom;
	json_t *list = json_array();
	json_object_set_new(o, top ? "examples" : "opponents", list);
	for (size_t i = 0; i < n; i++) {
		json_t *one = export_example(s, &row[i], i + 1, r->floor);
		json_array_append_new(list, one);
		TRY(export_text(s, row[i].example, one));
		export_mark(q, &row[i], one);
	}
	return OK;
}

static void
export_ranking(json_t *o, const struct standing *st, bool all)
{
	json_object_set_new(o, "span", json_pack("[i, i]", st->ranking->from, st->ranking->to));
	credit_put_standing(st->ranking, o);
	credit_put_shares(&st->shares, all, o);
}

static enum err
export_ready(struct inquiry *q)
{
	if (!q->query)
		return err_set(ERR_USAGE, "there is no output yet: type a prompt first");
	if (!inquiry_ranked(q))
		return err_set(ERR_USAGE, "the ranking is not ready yet");
	return OK;
}

/* ---- file ---- */

static void
export_trust(struct inquiry *q, json_t *o)
{
	bool stale = false;
	const struct trust *t = q->source->ops->trust(q->source, false, &stale);
	json_object_set_new(o, "trust", trust_method_json(t, q->standing->ranking->method->name, !stale));
}

static enum err
export_all(struct inquiry *q, json_t *o)
{
	const struct source_info *info = &q->source->info;
	const struct query *query = q->query;
	json_object_set_new(o, "prompt", json_cstr(query->prompt));
	json_object_set_new(o, "seed", json_integer((json_int_t)query->sample.seed));
	json_object_set_new(o, "output", json_pack("{s:o, s:o}", "text",
		json_text(query->output.s ? query->output.s : "", query->output.len), "tokens", export_tokens(query)));
	export_ranking(o, q->standing, true);
	export_trust(q, o);
	TRY(export_list(q, true, o));
	TRY(export_list(q, false, o));
	json_object_set_new(o, "checkpoint_sha256", json_cstr(info->checkpoint_sha256));
	json_object_set_new(o, "corpus_sha256", json_cstr(info->corpus_sha256));
	json_object_set_new(o, "store", json_cstr(info->store));
	json_object_set_new(o, "run", json_cstr(info->run));
	return OK;
}

enum err
export_write(struct app *app, struct inquiry *q, const char *path)
{
	TRY(export_ready(q));
	struct str out = {0};
	json_t *o = json_object();
	enum err err = export_all(q, o);
	if (err == OK) {
		json_print(&out, o, 2);
		str_addc(&out, '\n');
		err = file_replace(path, out.s, out.len);
	}
	if (err == OK)
		app_say(app, INK_ACCENT, "wrote %s, %zu bytes", path, out.len);
	json_decref(o);
	str_free(&out);
	return err;
}

/* ---- saved query ---- */

struct search { const struct inquiry *q; const struct question *question; struct str *settings; bool found; };

/* A row that asks the same, in whatever words, is the row; first of all the one that was opened. */
static enum err
search_row(void *arg, const struct saved_query *row)
{
	struct search *f = arg;
	struct question asks = { .sample = f->question->sample };
	if (!row->prompt || !row->settings || strcmp(row->prompt, f->q->prompt) != 0
		|| (f->found && row->id != f->q->saved_id))
		return OK;
	if (question_parse(row->settings, &asks) == OK && question_same(&asks, f->question)) {
		f->found = true;
		str_clear(f->settings);
		str_adds(f->settings, row->settings);
	}
	question_free(&asks);
	err_clear();
	return OK;
}

/* As the row has them that is to be replaced: what was imported is found by more than what a question says. */
static enum err
settings_of(struct inquiry *q, const struct question *question, struct str *settings)
{
	struct search f = { .q = q, .question = question, .settings = settings };
	question_json(question, settings);
	return q->source->ops->each_query(q->source, search_row, &f);
}

enum err
query_save(struct app *app, struct inquiry *q)
{
	TRY(export_ready(q));
	struct str settings = {0}, result = {0};
	json_t *o = json_object();
	export_ranking(o, q->standing, false);
	json_print(&result, o, 0);
	json_decref(o);
	char method[64];
	snprintf(method, sizeof(method), "%s", q->wish.method->name);
	const struct question question = {
		.sample = q->sample, .target = q->target, .method = method,
		.from = q->span_whole ? 0 : q->wish.from, .to = q->span_whole ? 0 : q->wish.to,
	};
	enum err err = settings_of(q, &question, &settings);
	if (err == OK)
		err = app->source->ops->save(app->source, q->prompt, settings.s, q->query->output.s, result.s,
			&q->saved_id);
	if (err == OK)
		app_say(app, INK_ACCENT, "saved as query %lld", (long long)q->saved_id);
	str_free(&settings);
	str_free(&result);
	return err;
}

/* ---- command line ---- */

static void
shell_quote(struct str *out, const char *s)
{
	str_addc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			str_adds(out, "'\\''");
		else
			str_addc(out, *s);
	}
	str_addc(out, '\'');
}

void
query_link(const struct app *app, const struct inquiry *q, struct str *out)
{
	str_adds(out, q->saved_id > 0 || !q->prompt ? "byline " : "byline ask ");
	shell_quote(out, app->source->info.folder);
	str_adds(out, " --run ");
	shell_quote(out, app->source->info.run);
	if (q->saved_id > 0) {
		str_addf(out, " --query %lld", (long long)q->saved_id);
		return;
	}
	if (!q->prompt)
		return;
	str_adds(out, " --prompt ");
	shell_quote(out, q->prompt);
	if (q->target) {
		str_adds(out, " --target ");
		shell_quote(out, q->target);
	}
	str_addf(out, " --seed %llu --temperature %.9g --top-k %d --top-p %.9g --tokens %d",
		(unsigned long long)q->sample.seed,
		q->sample.temperature, q->sample.top_k, q->sample.top_p, q->sample.max_tokens);
	if (!q->span_whole)
		str_addf(out, " --span %d:%d", q->wish.from, q->wish.to);
	str_addf(out, " --method %s --exact %zu", q->wish.method->name, q->wish.exact);
}
