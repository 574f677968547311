/* tokenizer.json's decoder, which says what bytes a token is, and post_processor, which puts tokens around a text. */
#include "config.h"	/* _GNU_SOURCE, for memmem */

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tok.h"
#include "tok_component.h"

/* ---- decoder ---- */

static enum err read_decoder(const struct reading *r, const json_t *value);

/* Takes over what the step holds. */
static enum err
add_decode_step(const struct reading *r, struct decode_step step)
{
	struct decoder *d = &r->t->decoder;
	if (d->n < TOK_MAX_STEPS) {
		d->steps[d->n++] = step;
		return OK;
	}
	free(step.what);
	free(step.with);
	return err_set(ERR_LIMIT, "%s: more than %d decoders", r->name, TOK_MAX_STEPS);
}

static enum err
add_decode_replace(const struct reading *r, const char *what, const char *with)
{
	return add_decode_step(r, (struct decode_step){ .what = xstrdup(what), .with = xstrdup(with),
		.n_what = strlen(what), .n_with = strlen(with) });
}

static enum err
decoder_replace(const struct reading *r, const json_t *value, int row)
{
	struct pattern pattern;
	const char *with;
	(void)row;
	TRY(read_pattern(r, value, &pattern));
	TRY(json_want_str(value, r->name, "content", &with));
	if (pattern.regex || r->t->decoder.fused)
		return err_set(ERR_UNSUPPORTED, "%s: decoder \"Replace\" %s is not supported", r->name,
			pattern.regex ? "with a regular expression" : "after \"Fuse\"");
	return add_decode_replace(r, pattern.s, with);
}

static enum err
decoder_bytes(const struct reading *r, const json_t *value, int row)
{
	(void)value;
	(void)row;
	r->t->decoder.bytes = true;
	return OK;
}

static enum err
decoder_fuse(const struct reading *r, const json_t *value, int row)
{
	(void)value;
	(void)row;
	r->t->decoder.fused = true;
	return OK;
}

/* Before Fuse it is about every token, after it about the text; what ends a text there we have no use for. */
static enum err
decoder_strip(const struct reading *r, const json_t *value, int row)
{
	struct decoder *d = &r->t->decoder;
	const char *content;
	int64_t start, stop;
	(void)row;
	TRY(json_want_str(value, r->name, "content", &content));
	TRY(json_opt_int(value, r->name, "start", 0, 1 << 20, 0, &start));
	TRY(json_opt_int(value, r->name, "stop", 0, 1 << 20, 0, &stop));
	if (strlen(content) == 0 || strlen(content) > 4)
		return err_set(ERR_FORMAT, "%s: the \"content\" of a decoder \"Strip\" is not one character",
			r->name);
	if (!d->fused)
		return add_decode_step(r, (struct decode_step){ .strip = true, .what = xstrdup(content),
			.n_what = strlen(content), .start = (int)start, .stop = (int)stop });
	strcpy(d->lead, content);
	d->n_lead = (int)start;
	return OK;
}

static enum err
decoder_metaspace(const struct reading *r, const json_t *value, int row)
{
	char mark[8];
	const char *scheme;
	bool old;
	(void)row;
	TRY(read_mark(r, value, mark));
	TRY(json_opt_bool(value, r->name, "add_prefix_space", true, &old));
	TRY(json_opt_str(value, r->name, "prepend_scheme", old ? "always" : "never", &scheme));
	if (strcmp(scheme, "never") != 0) {
		strcpy(r->t->decoder.lead, " ");
		r->t->decoder.n_lead = 1;
	}
	return add_decode_replace(r, mark, " ");
}

static enum err
decoder_sequence(const struct reading *r, const json_t *value, int row)
{
	(void)row;
	return read_list(r, value, "decoders", read_decoder);
}

static enum err
read_decoder(const struct reading *r, const json_t *value)
{
	static const struct component table[] = {
		{ "ByteLevel", NULL }, { "Replace", decoder_replace }, { "ByteFallback", decoder_bytes },
		{ "Fuse", decoder_fuse }, { "Strip", decoder_strip }, { "Metaspace", decoder_metaspace },
		{ "Sequence", decoder_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

void
decoder_free(struct decoder *d)
{
	for (int i = 0; i < d->n; i++) {
		free(d->steps[i].what);
		free(d->steps[i].with);
	}
}

/* ---- the bytes of one token ---- */

static void
decode_replace(const struct decode_step *step, const struct str *in, struct str *out)
{
	const char *s = in->s, *end = in->s + in->len, *hit;
	while ((hit = memmem(s, (size_t)(end - s), step->what, step->n_what)) != NULL) {
		str_add(out, s, (size_t)(hit - s));
		str_add(out, step->with, step->n_with);
		s = hit + step->n_what;
	}
	str_add(out, s, (size_t)(end - s));
}

static void
decode_strip(const struct decode_step *step, const struct str *in, struct str *out)
{
	size_t from = 0, to = in->len, k = step->n_what;
	for (int i = 0; i < step->start && to - from >= k && memcmp(in->s + from, step->what, k) == 0; i++)
		from += k;
	for (int i = 0; i < step->stop && to - from >= k && memcmp(in->s + to - k, step->what, k) == 0; i++)
		to -= k;
	str_add(out, in->s + from, to - from);
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* <0x0A>; -1: it is not one of these. */
static int
fallback_byte(const char *s, size_t n)
{
	if (n != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>')
		return -1;
	int high = hex_digit(s[3]), low = hex_digit(s[4]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void
tokenizer_read_token(const struct tokenizer *t, const char *s, size_t n, struct str *out)
{
	const struct decoder *d = &t->decoder;
	int byte = t->byte_fallback || d->bytes ? fallback_byte(s, n) : -1;
	if (byte >= 0) {
		str_addc(out, (char)byte);
		return;
	}
	/* What is not written in the byte alphabet stands for itself. */
	if (t->byte_level && alphabet_read(out, s, n))
		return;
	struct str now = {0}, next = {0};
	str_add(&now, s, n);
	for (int i = 0; i < d->n; i++) {
		str_clear(&next);
		str_add(&next, "", 0);
		(d->steps[i].strip ? decode_strip : decode_replace)(&d->steps[i], &now, &next);
		struct str swap = now;
		now = next;
		next = swap;
	}
	str_add(out, now.s, now.len);
	str_free(&now);
	str_free(&next);
}

/* ---- post_processor ---- */

static enum err read_post_processor(const struct reading *r, const json_t *value);

static enum err
around_add(const struct reading *r, struct around *side, const json_t *id)
{
	int64_t v = json_is_integer(id) ? json_integer_value(id) : -1;
	if (v < 0 || v >= TOK_MAX_ID)
		return err_set(ERR_FORMAT, "%s: the id of a token of the %s is not a whole number from 0 to %d",
			r->name, r->kind, TOK_MAX_ID - 1);
	if (side->n == TOK_MAX_AROUND)
		return err_set(ERR_LIMIT, "%s: a %s puts more than %d tokens on one side of a text", r->name, r->kind,
			TOK_MAX_AROUND);
	side->v[side->n++] = (int32_t)v;
	return OK;
}

/* What a processor adds lies around what those before it did. */
static enum err
around_wrap(const struct reading *r, const struct around *before, const struct around *after)
{
	struct tokenizer *t = r->t;
	if (before->n + t->before.n > TOK_MAX_AROUND || after->n + t->after.n > TOK_MAX_AROUND)
		return err_set(ERR_LIMIT, "%s: a %s puts more than %d tokens on one side of a text", r->name, r->kind,
			TOK_MAX_AROUND);
	memmove(t->before.v + before->n, t->before.v, (size_t)t->before.n * sizeof(*t->before.v));
	memcpy(t->before.v, before->v, (size_t)before->n * sizeof(*before->v));
	memcpy(t->after.v + t->after.n, after->v, (size_t)after->n * sizeof(*after->v));
	t->before.n += before->n;
	t->after.n += after->n;
	return OK;
}

static enum err
template_special(const struct reading *r, const json_t *specials, const json_t *item, struct around *side)
{
	const char *name;
	TRY(json_want_str(item, r->name, "id", &name));
	const json_t *ids = json_object_get(json_object_get(specials, name), "ids");
	if (!json_is_array(ids))
		return err_set(ERR_FORMAT, "%s: the template's token \"%s\" has no ids", r->name, name);
	for (size_t i = 0; i < json_array_size(ids); i++)
		TRY(around_add(r, side, json_array_get(ids, i)));
	return OK;
}

static enum err
post_template(const struct reading *r, const json_t *value, int row)
{
	const json_t *single = json_object_get(value, "single"), *specials = json_object_get(value, "special_tokens");
	struct around before = {0}, after = {0};
	int texts = 0;
	(void)row;
	if (!json_is_array(single))
		return err_set(ERR_FORMAT, "%s: the template has no list \"single\"", r->name);
	for (size_t i = 0; i < json_array_size(single); i++) {
		const json_t *item = json_array_get(single, i), *special = json_object_get(item, "SpecialToken");
		if (special)
			TRY(template_special(r, specials, special, texts ? &after : &before));
		else
			texts += json_object_get(item, "Sequence") ? 1 : 2;
	}
	if (texts != 1)
		return err_set(ERR_UNSUPPORTED, "%s: a template that is not one text with tokens around it", r->name);
	return around_wrap(r, &before, &after);
}

/* ["<s>", 0] */
static enum err
post_pair(const struct reading *r, const json_t *value, int row)
{
	struct around before = {0}, after = {0};
	(void)row;
	TRY(around_add(r, &before, json_array_get(json_object_get(value, "cls"), 1)));
	TRY(around_add(r, &after, json_array_get(json_object_get(value, "sep"), 1)));
	return around_wrap(r, &before, &after);
}

static enum err
post_sequence(const struct reading *r, const json_t *value, int row)
{
	(void)row;
	return read_list(r, value, "processors", read_post_processor);
}

static enum err
read_post_processor(const struct reading *r, const json_t *value)
{
	static const struct component table[] = {
		{ "ByteLevel", NULL }, { "TemplateProcessing", post_template }, { "BertProcessing", post_pair },
		{ "RobertaProcessing", post_pair }, { "Sequence", post_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

enum err
tokenizer_parse_output(struct tokenizer *t, const json_t *root, const char *name)
{
	struct reading r = { .t = t, .name = name, .kind = "decoder" };
	TRY(read_decoder(&r, json_object_get(root, "decoder")));
	r.kind = "post-processor";
	return read_post_processor(&r, json_object_get(root, "post_processor"));
}
