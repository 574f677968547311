/* tokenizer.json's normalizer and pre_tokenizer: what we do, and what we refuse by name. */
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "tok.h"
#include "tok_component.h"

/* ---- normalizer ---- */

static enum err read_normalizer(const struct reading *r, const json_t *value);

/* Takes over what the step holds. */
static enum err
add_normalizer(const struct reading *r, struct normal_step step)
{
	struct normal *normal = &r->t->normal;
	if (normal->n < TOK_MAX_STEPS) {
		normal->steps[normal->n++] = step;
		return OK;
	}
	struct normal one = { .steps = { step }, .n = 1 };
	normal_free(&one);
	return err_set(ERR_LIMIT, "%s: more than %d normalizers", r->name, TOK_MAX_STEPS);
}

static enum err
normalizer_form(const struct reading *r, const json_t *value, int row)
{
	(void)value;
	return add_normalizer(r, (struct normal_step){ .form = (enum normal_form)row });
}

static enum err
normalizer_prepend(const struct reading *r, const json_t *value, int row)
{
	const char *s;
	TRY(json_want_str(value, r->name, "prepend", &s));
	return add_normalizer(r, (struct normal_step){ .form = (enum normal_form)row, .with = xstrdup(s),
		.n_with = strlen(s) });
}

static enum err
normalizer_replace(const struct reading *r, const json_t *value, int row)
{
	const char *with;
	struct pattern pattern;
	struct normal_step step = { .form = (enum normal_form)row };
	TRY(read_pattern(r, value, &pattern));
	TRY(json_want_str(value, r->name, "content", &with));
	if (pattern.regex) {
		TRY(tok_regex(&step.re, pattern.s, pattern.n, false, r->name));
		if (tok_regex_empty(step.re)) {
			pcre2_code_free(step.re);
			return err_set(ERR_UNSUPPORTED, "%s: a normalizer \"Replace\" of what may be nothing "
				"(\"%.*s\") is not supported", r->name, (int)(pattern.n < 100 ? pattern.n : 100),
				pattern.s);
		}
	} else {
		step.what = xstrndup(pattern.s, pattern.n);
		step.n_what = strlen(step.what);
	}
	step.with = xstrdup(with);
	step.n_with = strlen(with);
	return add_normalizer(r, step);
}

static enum err
normalizer_strip(const struct reading *r, const json_t *value, int row)
{
	struct normal_step step = { .form = (enum normal_form)row };
	TRY(json_opt_bool(value, r->name, "strip_left", true, &step.left));
	TRY(json_opt_bool(value, r->name, "strip_right", true, &step.right));
	return add_normalizer(r, step);
}

static enum err
normalizer_sequence(const struct reading *r, const json_t *value, int row)
{
	(void)row;
	return read_list(r, value, "normalizers", read_normalizer);
}

static enum err
read_normalizer(const struct reading *r, const json_t *value)
{
	static const struct component table[] = {	/* rows as in enum normal_form */
		{ "NFC", normalizer_form }, { "NFD", normalizer_form }, { "NFKC", normalizer_form },
		{ "NFKD", normalizer_form }, { "Lowercase", normalizer_form }, { "Prepend", normalizer_prepend },
		{ "Replace", normalizer_replace }, { "Strip", normalizer_strip }, { "Sequence", normalizer_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

/* ---- pre_tokenizer ---- */

static enum err read_pre_tokenizer(const struct reading *r, const json_t *value);

static enum err
add_step(const struct reading *r, struct split_step step)
{
	if (r->t->n_steps == TOK_MAX_STEPS) {
		pcre2_code_free(step.re);
		return err_set(ERR_LIMIT, "%s: more than %d pre-tokenizers", r->name, TOK_MAX_STEPS);
	}
	r->t->steps[r->t->n_steps++] = step;
	return OK;
}

/* After ByteLevel the text is in the byte alphabet, and patterns would match that. */
static enum err
must_precede_bytes(const struct reading *r, const char *type)
{
	if (!r->t->byte_level)
		return OK;
	return err_set(ERR_UNSUPPORTED, "%s: pre-tokenizer \"%s\" after \"ByteLevel\" is not supported", r->name, type);
}

static enum err
pre_byte_level(const struct reading *r, const json_t *value, int row)
{
	bool prefix, regex;
	struct split_step step = { .only = -1 };
	(void)row;
	TRY(must_precede_bytes(r, "ByteLevel"));
	TRY(json_opt_bool(value, r->name, "add_prefix_space", true, &prefix));
	TRY(json_opt_bool(value, r->name, "use_regex", true, &regex));
	if (regex)
		TRY(split_gpt2(&step));
	step.prefix = prefix ? PREFIX_ALWAYS : PREFIX_NEVER;
	step.mark[0] = ' ';
	r->t->byte_level = true;
	return add_step(r, step);
}

static enum err
pre_digits(const struct reading *r, const json_t *value, int row)
{
	bool each;
	struct split_step step = { .only = -1 };
	(void)row;
	TRY(must_precede_bytes(r, "Digits"));
	TRY(json_opt_bool(value, r->name, "individual_digits", false, &each));
	step.behavior = each ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
	TRY(tok_regex(&step.re, "\\p{N}", 5, false, "Digits"));
	return add_step(r, step);
}

static enum err
read_behavior(const struct reading *r, const json_t *value, enum split_behavior *out)
{
	static const char *const names[] = {
		[SPLIT_ISOLATED] = "Isolated", [SPLIT_REMOVED] = "Removed", [SPLIT_PREVIOUS] = "MergedWithPrevious",
		[SPLIT_NEXT] = "MergedWithNext", [SPLIT_CONTIGUOUS] = "Contiguous",
	};
	const char *s;
	TRY(json_want_str(value, r->name, "behavior", &s));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(s, names[i]) == 0) {
			*out = (enum split_behavior)i;
			return OK;
		}
	return err_set(ERR_UNSUPPORTED, "%s: split behavior \"%s\" is not supported", r->name, s);
}

static enum err
pre_split(const struct reading *r, const json_t *value, int row)
{
	struct split_step step = { .only = -1 };
	struct pattern pattern;
	int32_t cp;
	(void)row;
	TRY(must_precede_bytes(r, "Split"));
	TRY(read_pattern(r, value, &pattern));
	TRY(read_behavior(r, value, &step.behavior));
	TRY(json_opt_bool(value, r->name, "invert", false, &step.invert));
	TRY(tok_regex(&step.re, pattern.s, pattern.n, !pattern.regex, r->name));
	if (!pattern.regex && utf8_decode(pattern.s, pattern.n, &cp) == pattern.n)
		step.only = cp;
	return add_step(r, step);
}

/* Older files say add_prefix_space where newer ones say prepend_scheme. */
static enum err
read_prepend_scheme(const struct reading *r, const json_t *value, enum split_prefix *out)
{
	static const char *const names[] = {
		[PREFIX_NEVER] = "never", [PREFIX_FIRST] = "first", [PREFIX_ALWAYS] = "always",
	};
	const char *s;
	bool old;
	TRY(json_opt_bool(value, r->name, "add_prefix_space", true, &old));
	TRY(json_opt_str(value, r->name, "prepend_scheme", old ? "always" : "never", &s));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(s, names[i]) == 0) {
			*out = (enum split_prefix)i;
			return OK;
		}
	return err_set(ERR_UNSUPPORTED, "%s: prepend_scheme \"%s\" is not supported", r->name, s);
}

static enum err
pre_metaspace(const struct reading *r, const json_t *value, int row)
{
	struct split_step step = { .behavior = SPLIT_NEXT, .replace = true };
	bool split;
	(void)row;
	TRY(must_precede_bytes(r, "Metaspace"));
	TRY(read_mark(r, value, step.mark));
	utf8_decode(step.mark, strlen(step.mark), &step.only);
	TRY(read_prepend_scheme(r, value, &step.prefix));
	TRY(json_opt_bool(value, r->name, "split", true, &split));
	if (split)
		TRY(tok_regex(&step.re, step.mark, strlen(step.mark), true, r->name));
	return add_step(r, step);
}

static enum err
pre_sequence(const struct reading *r, const json_t *value, int row)
{
	(void)row;
	return read_list(r, value, "pretokenizers", read_pre_tokenizer);
}

static enum err
read_pre_tokenizer(const struct reading *r, const json_t *value)
{
	static const struct component table[] = {
		{ "ByteLevel", pre_byte_level }, { "Digits", pre_digits }, { "Split", pre_split },
		{ "Metaspace", pre_metaspace }, { "Sequence", pre_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

/* With "first" the mark goes before what the text begins with. `tokenizers` takes what replaces several characters for
 * the last of them, so that such a text has no beginning, and what comes of one and is taken apart again for as many
 * beginnings: nobody means that. */
static enum err
check_first(const struct reading *r)
{
	const struct tokenizer *t = r->t;
	bool first = false, replaces = false;
	int32_t cp, forms = 0;
	for (int i = 0; i < t->n_steps; i++)
		first = first || t->steps[i].prefix == PREFIX_FIRST;
	for (int i = 0; i < t->normal.n; i++) {
		const struct normal_step *step = &t->normal.steps[i];
		replaces = replaces || (step->form == NORMAL_REPLACE &&
			(step->re || utf8_decode(step->what, step->n_what, &cp) < step->n_what));
		forms += step->form <= NORMAL_NFKD;
	}
	if (!first || (!replaces && forms < 2))
		return OK;
	return err_set(ERR_UNSUPPORTED,
		"%s: pre-tokenizer \"Metaspace\" with prepend_scheme \"first\" after %s is not supported", r->name,
		replaces ? "a normalizer \"Replace\" of more than one character" : "several normal forms");
}

enum err
tokenizer_parse_steps(struct tokenizer *t, const json_t *root, const char *name)
{
	struct reading r = { .t = t, .name = name, .kind = "normalizer" };
	TRY(read_normalizer(&r, json_object_get(root, "normalizer")));
	r.kind = "pre-tokenizer";
	TRY(read_pre_tokenizer(&r, json_object_get(root, "pre_tokenizer")));
	return check_first(&r);
}
