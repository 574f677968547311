/* fake_whatif: removals whose outcome is a formula of what was predicted. */
#include "fake_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "byline/mem.h"

enum err
fake_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds)
{
	(void)job;
	if (!fake_world(s)->measured)
		return err_set(ERR_MISSING, "run base was not trained here, so it cannot be trained again: only "
			"runs made by 'byline train' can be verified");
	*seconds = 62.0 * (2 + o->controls);
	return OK;
}

static bool
is_removed(struct source *s, const struct whatif_options *o, uint32_t i)
{
	const struct work *w = s->ops->work(s, s->ops->example(s, i)->work);
	if (o->contributor == 0)
		return i == o->example;
	for (size_t a = 0; a < w->n_authors; a++)
		if (w->authors[a].contributor == o->contributor)
			return true;
	return false;
}

/* The best k examples are those of the lowest numbers: so it is in this world. */
static void
removed_fill(struct source *s, const struct whatif_options *o, struct whatif *w)
{
	w->removed = xcalloc(s->info.n_examples + 1, sizeof(*w->removed));
	for (uint32_t i = 0; i < s->info.n_examples; i++)
		if (o->top > 0 ? w->n_removed < (size_t)o->top : is_removed(s, o, i))
			w->removed[w->n_removed++] = i;
	for (size_t i = 0; i < w->n_removed; i++) {
		w->tokens_removed += s->ops->example(s, w->removed[i])->n_tokens;
		for (int t = w->from; t < w->to; t++)
			w->predicted += fake_score(w->removed[i], t);
	}
}

static struct whatif *
whatif_new(struct source *s, const struct method *m, int from, int to, const struct whatif_options *o)
{
	struct whatif *w = xcalloc(1, sizeof(*w));
	*w = (struct whatif){ .options = *o, .from = from, .to = to, .bit_exact = o->contributor != 2, .seconds = 297 };
	snprintf(w->method, sizeof(w->method), "%s", m->name);
	removed_fill(s, o, w);
	w->calibrated = 0.62 * w->predicted;
	w->token = xcalloc((size_t)(to - from) + 1, sizeof(*w->token));
	for (int t = 0; t < to - from; t++) {
		w->token[t] = 0.7 * w->predicted / (to - from) + 0.006 * fake_noise(5, (uint32_t)t);
		w->observed += w->token[t];
	}
	w->control = xcalloc((size_t)o->controls + 1, sizeof(*w->control));
	for (int i = 0; i < o->controls; i++)
		w->control[i] = 0.03 * fake_noise(9, (uint32_t)i);
	return w;
}

enum err
fake_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out)
{
	struct fake *f = fake_world(s);
	job_phase(job, "training without 3", 600);
	job_step(job, 210);
	job_note(job, "epoch 4 of 10");
	if (strncmp(ask->prompt, "long", 4) == 0)
		TRY(fake_wait(job, false));
	/* Long enough for the key after the one that began it, on a busy machine too. */
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	*out = whatif_new(s, ask->method, ask->from, ask->to, &ask->options);
	pthread_mutex_lock(&f->lock);
	f->verified = *ask;
	f->has_verified = true;
	pthread_mutex_unlock(&f->lock);
	return OK;
}

enum err
fake_whatif_find(struct source *s, const struct query *q, const struct ranking *r, const struct whatif_options *o,
	struct whatif **out)
{
	struct fake *f = fake_world(s);
	(void)q;
	pthread_mutex_lock(&f->lock);
	const struct trial_ask *a = &f->verified;
	bool found = f->has_verified && a->from == r->from && a->to == r->to && a->options.top == o->top
		&& a->options.contributor == o->contributor && a->options.example == o->example;
	pthread_mutex_unlock(&f->lock);
	if (!found)
		return err_set(ERR_MISSING, "not verified yet");
	*out = whatif_new(s, r->method, r->from, r->to, o);
	return OK;
}

void
fake_free_whatif(struct whatif *w)
{
	if (!w)
		return;
	free(w->removed);
	free(w->control);
	free(w->token);
	free(w);
}
