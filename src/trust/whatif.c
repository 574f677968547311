/* whatif: asked, found, measured. */
#include "whatif_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/clock.h"
#include "byline/mem.h"

void
whatif_defaults(struct whatif_options *o)
{
	*o = (struct whatif_options){ .top = 10, .controls = 3, .seed = 1 };
}

void
whatif_free(struct whatif *w)
{
	if (!w)
		return;
	free(w->removed);
	free(w->control);
	free(w->token);
	free(w);
}

static enum err
check(const struct ranking *r, const struct whatif_options *o)
{
	if (o->top < 0 || o->contributor < 0)
		return err_set(ERR_USAGE, "leave out the best examples, one contributor, or one example");
	if (o->controls < 0 || o->controls > WHATIF_CONTROLS_MAX)
		return err_set(ERR_USAGE, "controls are %d, must be from 0 to %d", o->controls, WHATIF_CONTROLS_MAX);
	return r->to > r->from ? OK : err_set(ERR_USAGE, "the span is empty");
}

/* A whatif with its choice made; the caller's. drop (data.n). */
static enum err
begin(const struct query *q, const struct ranking *r, const struct whatif_options *o, uint8_t *drop,
	struct whatif **out)
{
	struct whatif *w = xcalloc(1, sizeof(*w));
	enum err err;
	*w = (struct whatif){ .options = *o, .from = r->from, .to = r->to, .calibrated = NAN, .observed = NAN };
	snprintf(w->method, sizeof(w->method), "%s", r->method->name);
	TRY_OUT(check(r, o));
	TRY_OUT(whatif_choose(q->session, r, w, drop));
	*out = w;
	return OK;
out:
	whatif_free(w);
	return err;
}

enum err
whatif_find(const struct query *q, const struct ranking *r, const struct whatif_options *o, struct whatif **out)
{
	uint8_t *drop = xcalloc(q->session->data.n + 1, 1);
	struct whatif *w = NULL;
	*out = NULL;
	enum err err = begin(q, r, o, drop, &w);
	if (err == OK) {
		char *path = whatif_path(q, w);
		err = whatif_read(path, w);
		free(path);
	}
	free(drop);
	if (err == OK)
		*out = w;
	else
		whatif_free(w);
	return err;
}

static double
calibrated(const struct trust *t, const struct whatif *w)
{
	const struct method_trust *m = trust_method(t, w->method);
	return m && isfinite(m->slope) ? m->slope * w->predicted : (double)NAN;
}

static enum err
measure(struct query *q, struct whatif *w, const struct trust *t, const uint8_t *drop, struct job *job)
{
	struct retraining r = {0};
	double began = clock_monotonic();
	char *path = whatif_path(q, w);
	enum err err;
	TRY_OUT(retrain_open(&r, q->session->run.dir, &q->session->data));
	TRY_OUT(whatif_run(q, &r, w, drop, job));
	w->calibrated = calibrated(t, w);
	w->seconds = clock_monotonic() - began;
	err = whatif_write(path, w);
out:
	retrain_close(&r);
	free(path);
	return err;
}

enum err
whatif_measure(struct query *q, const struct ranking *r, const struct trust *t, const struct whatif_options *o,
	struct job *job, struct whatif **out)
{
	enum err err = whatif_find(q, r, o, out);
	struct whatif *w = NULL;
	if (err == OK || err == ERR_USAGE)
		return err;
	err_clear();
	uint8_t *drop = xcalloc(q->session->data.n + 1, 1);
	TRY_OUT(begin(q, r, o, drop, &w));
	TRY_OUT(measure(q, w, t, drop, job));
	*out = w;
	w = NULL;
out:
	whatif_free(w);
	free(drop);
	return err;
}

/* ---- how long ---- */

enum err
whatif_estimate(const struct session *s, const struct whatif_options *o, double *seconds)
{
	struct retraining r = {0};
	enum err err;
	TRY_OUT(retrain_open(&r, s->run.dir, &s->data));
	TRY_OUT(retrain_time(&r, seconds));
	int trainings = 2 + (o->controls > 0 ? o->controls : 0), threads = pool_threads(s->pool);
	*seconds *= (double)((trainings + threads - 1) / threads);
out:
	retrain_close(&r);
	return err;
}
