/* view_verify: a ranking put to the test: how long it will take, how far it is, what came of it. */
#include "view_verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"

static struct verify_view *
self(struct view *v)
{
	return (struct verify_view *)v;
}

/* The passage as it was asked for: the output and its tokens travel with the question. */
static void
verify_passage(struct verify_view *k)
{
	const struct trial_ask *a = &k->ask;
	const uint32_t *at = a->byte_of + a->from;
	free(k->byte_of);
	k->n = a->to - a->from;
	k->byte_of = xcalloc((size_t)k->n + 1, sizeof(*k->byte_of));
	for (int i = 0; i <= k->n; i++)
		k->byte_of[i] = at[i] - at[0];
	str_clear(&k->passage);
	str_add(&k->passage, a->output + at[0], at[k->n] - at[0]);
}

/* What is known of this very removal, if the trial is about it. */
static enum trial_state
verify_state(const struct verify_view *k)
{
	const struct trial *t = &k->v.app->trial;
	return k->found ? TRIAL_DONE : trial_is(t, &k->ask) ? t->state : TRIAL_NONE;
}

/* Another one is running. */
static void
page_other(struct page *p, const struct trial *t)
{
	p->row++;
	page_say(p, INK_WARN, "Another removal is being verified: %s.", t->ask.removed);
	page_say(p, INK_TEXT, "One at a time. Enter shows that one; this one can be asked for when it has ended.");
}

static void
verify_page(struct verify_view *k, enum trial_state state)
{
	struct trial *t = &k->v.app->trial;
	struct page *p = &k->page;
	verify_page_ask(k);
	switch (state) {
	case TRIAL_NONE:
		page_other(p, t);
		break;
	case TRIAL_ESTIMATING:
		p->row++;
		page_say(p, INK_DIM, "How long it will take is being found out.");
		break;
	case TRIAL_READY:
		verify_page_offer(k, t->seconds);
		break;
	case TRIAL_RUNNING:
		verify_page_running(k, t);
		break;
	case TRIAL_DONE:
		verify_page_result(k, k->found ? k->found : t->result);
		break;
	case TRIAL_STOPPED:
		p->row++;
		page_say(p, INK_WARN, "It was stopped. Enter starts it again.");
		break;
	case TRIAL_FAILED:
		p->row++;
		page_words(p, INK_BAD, t->error, strlen(t->error));
	}
}

/* What it takes is found out, and said, before anything is begun. */
static void
verify_prepare(struct verify_view *k)
{
	struct trial *t = &k->v.app->trial;
	if (verify_state(k) == TRIAL_NONE && t->state != TRIAL_RUNNING)
		trial_estimate(t, k->v.app->source, &k->ask);
}

static void
verify_update(struct view *v)
{
	struct verify_view *k = self(v);
	verify_prepare(k);
	page_begin(&k->page, &v->app->canvas);
	verify_page(k, verify_state(k));
	page_end(&k->page);
}

static void
verify_draw(struct view *v, struct canvas *c, struct rect r)
{
	static const char *const titles[] = {
		[TRIAL_NONE] = "To be verified", [TRIAL_ESTIMATING] = "To be verified",
		[TRIAL_READY] = "To be verified", [TRIAL_RUNNING] = "Being verified",
		[TRIAL_DONE] = "Verified", [TRIAL_STOPPED] = "Stopped",
		[TRIAL_FAILED] = "Cannot be verified",
	};
	page_show(&self(v)->page, c, r, titles[verify_state(self(v))]);
}

static void
verify_take(struct verify_view *k, const struct trial_ask *ask)
{
	struct trial_ask copy;
	trial_ask_copy(&copy, ask);
	trial_ask_free(&k->ask);
	k->ask = copy;
	verify_passage(k);
}

static void
verify_enter(struct verify_view *k)
{
	struct app *app = k->v.app;
	switch (verify_state(k)) {
	case TRIAL_NONE:
		verify_take(k, &app->trial.ask);
		break;
	case TRIAL_READY:
	case TRIAL_STOPPED:
		trial_start(&app->trial);
		break;
	default:
		break;
	}
}

static bool
verify_act(struct view *v, enum action a)
{
	struct verify_view *k = self(v);
	if (a == ACT_BACK) {
		if (verify_state(k) != TRIAL_RUNNING)
			return false;
		trial_stop(&v->app->trial);
		app_say(v->app, INK_WARN, "the verification was stopped");
		return true;
	}
	if (a == ACT_OPEN) {
		verify_enter(k);
		return true;
	}
	return a == ACT_VERIFY || page_act(&k->page, a);
}

static void
verify_free(struct view *v)
{
	struct verify_view *k = self(v);
	v->app->source->ops->free_whatif(k->found);
	trial_ask_free(&k->ask);
	page_free(&k->page);
	str_free(&k->passage);
	free(k->byte_of);
	free(k);
}

static const struct view_ops verify_ops = {
	.name = "verify", .place = V_VERIFY, .hints = { ACT_OPEN, ACT_BACK, ACT_CLOSE, ACT_DOWN },
	.free = verify_free, .update = verify_update, .draw = verify_draw, .act = verify_act,
};

static struct verify_view *
verify_make(struct app *app, struct inquiry *q)
{
	struct verify_view *k = xcalloc(1, sizeof(*k));
	k->v = (struct view){ .ops = &verify_ops, .app = app, .q = q };
	return k;
}

/* ---- opening ---- */

/* NULL and a message when there is nothing to test, or nothing yet. */
static const char *
verify_unready(const struct app *app, struct inquiry *q, const struct whatif_options *o)
{
	bool alone = o->top == 0 && o->contributor == 0;
	const struct example *e = alone ? app->source->ops->example(app->source, o->example) : NULL;
	if (!q->query || q->query->n_out == 0)
		return "nothing was asked yet, so there is nothing to verify";
	if (!inquiry_current(q))
		return "the ranking is not ready yet: a moment";
	if (e && (e->heldout || e->opted_out))
		return "this example was never trained on: there is nothing to leave out";
	return NULL;
}

static char *
verify_removed(struct app *app, const struct inquiry *q, const struct whatif_options *o)
{
	struct source *s = app->source;
	struct str out = {0};
	const struct shares *sh = &q->standing->shares;
	const struct example *e = s->ops->example(s, o->example);
	if (o->top > 0)
		str_addf(&out, "the best %d example%s of the ranking", o->top, o->top == 1 ? "" : "s");
	for (size_t i = 0; o->top == 0 && o->contributor != 0 && i < sh->n; i++)
		if (sh->c[i].contributor == o->contributor)
			str_addf(&out, "everything by %s", sh->c[i].name);
	if (o->top == 0 && o->contributor == 0) {
		describe_title(e ? s->ops->work(s, e->work) : NULL, &out);
		str_adds(&out, ", this example alone");
	}
	return str_take(&out);
}

void
verify_open(struct app *app, struct inquiry *q, const struct whatif_options *o)
{
	const char *unready = verify_unready(app, q, o);
	if (unready) {
		app_say(app, INK_WARN, "%s", unready);
		return;
	}
	struct verify_view *k = verify_make(app, q);
	char *removed = verify_removed(app, q, o);
	const struct trial_ask ask = {
		.prompt = q->prompt, .target = q->target, .output = q->query->output.s,
		.n_output = q->query->output.len, .byte_of = q->query->byte_of, .n_out = q->query->n_out,
		.sample = q->sample, .method = q->have.method, .from = q->have.from, .to = q->have.to,
		.exact = q->have.exact, .options = *o, .removed = removed,
	};
	trial_ask_copy(&k->ask, &ask);
	free(removed);
	verify_passage(k);
	if (app->source->ops->whatif_find(app->source, q->query, q->standing->ranking, o, &k->found) != OK)
		err_clear();
	verify_prepare(k);
	app_push(app, &k->v);
}

static const struct whatif_options usual = { .top = 10, .controls = 3 };

void
verify_top(struct app *app, struct inquiry *q)
{
	verify_open(app, q, &usual);
}

void
verify_example(struct app *app, struct inquiry *q, uint32_t example)
{
	const struct whatif_options o = { .controls = usual.controls, .example = example };
	verify_open(app, q, &o);
}

void
verify_contributor(struct app *app, struct inquiry *q, int64_t contributor)
{
	const struct whatif_options o = { .controls = usual.controls, .contributor = contributor };
	verify_open(app, q, &o);
}

void
verify_open_last(struct app *app)
{
	if (app->trial.state == TRIAL_NONE) {
		app_say(app, INK_WARN, "nothing was verified yet: V on a ranking, an example or a contributor");
		return;
	}
	struct verify_view *k = verify_make(app, app_top(app)->q);
	verify_take(k, &app->trial.ask);
	app_push(app, &k->v);
}
