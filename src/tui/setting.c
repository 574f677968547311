/* setting: one table of the sampling settings. */
#include "setting.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"

enum { SETTING_TOKENS_MAX = 65536 };

static const struct setting { const char *name; double min, max; bool whole; const char *allowed; } settings[] = {
	{ "seed", 0, 18446744073709551615.0, true, "a whole number from 0" },
	{ "temperature", 0, 100, false, "a number from 0 to 100" },
	{ "top-k", 0, 1 << 20, true, "a whole number from 0 (all) to 1048576" },
	{ "top-p", 0.0001, 1, false, "a number from 0.0001 to 1 (all)" },
	{ "tokens", 1, SETTING_TOKENS_MAX, true, "a whole number from 1 to 65536" },
};

static enum err
setting_bad(const struct setting *s, const char *value)
{
	return err_set(ERR_USAGE, "%s is %s, not '%.40s'", s->name, s->allowed, value);
}

static enum err
setting_seed(const char *value, uint64_t *seed)
{
	char *end;
	errno = 0;
	unsigned long long v = strtoull(value, &end, 10);
	if (errno || end == value || *end || *value == '-')
		return setting_bad(&settings[0], value);
	*seed = v;
	return OK;
}

enum err
setting_set(struct sample_options *o, const char *name, const char *value)
{
	if (strcmp(name, "seed") == 0)
		return setting_seed(value, &o->seed);
	for (size_t i = 1; i < ARRAY_LEN(settings); i++) {
		const struct setting *s = &settings[i];
		char *end;
		if (strcmp(s->name, name) != 0)
			continue;
		double v = strtod(value, &end);
		if (end == value || *end || !(v >= s->min && v <= s->max) || (s->whole && v != floor(v)))
			return setting_bad(s, value);
		if (i == 1)
			o->temperature = v;
		else if (i == 2)
			o->top_k = (int)v;
		else if (i == 3)
			o->top_p = v;
		else
			o->max_tokens = (int)v;
		return OK;
	}
	return err_set(ERR_USAGE, "there is no setting '%s'", name);
}

enum err
setting_int(const char *name, const char *value, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	errno = 0;
	long long v = strtoll(value, &end, 10);
	if (errno || end == value || *end || v < min || v > max)
		return err_set(ERR_USAGE, "%s is a whole number from %lld, not '%.40s'", name, (long long)min, value);
	*out = v;
	return OK;
}

void
setting_show(const struct sample_options *o, const struct glyphs *g, struct str *out)
{
	str_addf(out, "seed %llu %s temperature %g", (unsigned long long)o->seed, g->dot, o->temperature);
	if (o->top_k > 0)
		str_addf(out, " %s top-k %d", g->dot, o->top_k);
	if (o->top_p < 1)
		str_addf(out, " %s top-p %g", g->dot, o->top_p);
	str_addf(out, " %s up to %d tokens", g->dot, o->max_tokens);
}

void
question_json(const struct question *q, struct str *out)
{
	char seed[24];
	const struct sample_options *o = &q->sample;
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)o->seed);	/* may not fit a JSON integer */
	json_t *root = json_pack("{s:s, s:f, s:i, s:f, s:i}", "seed", seed, "temperature", o->temperature, "top_k",
		o->top_k, "top_p", o->top_p, "tokens", o->max_tokens);
	if (q->target)
		json_object_set_new(root, "target", json_text(q->target, strlen(q->target)));
	if (q->method)
		json_object_set_new(root, "method", json_text(q->method, strlen(q->method)));
	if (q->to > 0)
		json_object_set_new(root, "span", json_pack("[i, i]", q->from, q->to));
	json_print(out, root, 0);
	json_decref(root);
}

static bool
same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : !a && !b;
}

bool
question_same(const struct question *a, const struct question *b)
{
	const struct sample_options *x = &a->sample, *y = &b->sample;
	if (!same_text(a->target, b->target) || !same_text(a->method, b->method) || a->from != b->from
		|| a->to != b->to)
		return false;
	return a->target || (x->seed == y->seed && x->temperature == y->temperature && x->top_k == y->top_k
		&& x->top_p == y->top_p && x->max_tokens == y->max_tokens);
}

void
question_free(struct question *q)
{
	free(q->target);
	free(q->method);
	*q = (struct question){0};
}

static enum err
parse_seed(const json_t *root, const char *name, uint64_t *seed)
{
	const json_t *v = json_object_get(root, "seed");
	const char *text = NULL;
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*seed = (uint64_t)json_integer_value(v);
		return OK;
	}
	TRY(json_opt_str(root, name, "seed", NULL, &text));
	return text ? setting_seed(text, seed) : OK;
}

static enum err
parse_numbers(const json_t *root, const char *name, struct sample_options *o)
{
	int64_t top_k, tokens;
	TRY(parse_seed(root, name, &o->seed));
	TRY(json_opt_real(root, name, "temperature", settings[1].min, settings[1].max, o->temperature,
		&o->temperature));
	TRY(json_opt_int(root, name, "top_k", 0, 1 << 20, o->top_k, &top_k));
	TRY(json_opt_real(root, name, "top_p", settings[3].min, settings[3].max, o->top_p, &o->top_p));
	TRY(json_opt_int(root, name, "tokens", 1, SETTING_TOKENS_MAX, o->max_tokens, &tokens));
	o->top_k = (int)top_k;
	o->max_tokens = (int)tokens;
	return OK;
}

static enum err
parse_span(const json_t *root, const char *name, struct question *q)
{
	const json_t *span = json_object_get(root, "span");
	json_int_t from = json_integer_value(json_array_get(span, 0)), to = json_integer_value(json_array_get(span, 1));
	if (!span)
		return OK;
	if (from < 0 || to <= from || to > SETTING_TOKENS_MAX)
		return err_set(ERR_FORMAT, "%s: \"span\" is not [from, to]", name);
	q->from = (int)from;
	q->to = (int)to;
	return OK;
}

enum err
question_parse(const char *json, struct question *q)
{
	static const char name[] = "settings of a saved query";
	json_t *root;
	const char *target = NULL, *method = NULL;
	enum err err;
	TRY(json_parse(json, strlen(json), name, &root));
	TRY_OUT(parse_numbers(root, name, &q->sample));
	TRY_OUT(parse_span(root, name, q));
	TRY_OUT(json_opt_str(root, name, "target", NULL, &target));
	TRY_OUT(json_opt_str(root, name, "method", NULL, &method));
	q->target = target ? xstrdup(target) : NULL;
	q->method = method ? xstrdup(method) : NULL;
out:
	json_decref(root);
	return err;
}
