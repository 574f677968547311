/* tokenizer.json's normalizer, pre_tokenizer, post_processor and decoder: what we do, and what we refuse by name. */
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tok.h"

/* Where we are in the file; `kind` is what messages call a component. */
struct reading { struct tokenizer *t; const char *name, *kind; };
struct component { const char *type; enum err (*read)(const struct reading *r, const json_t *value, int row); };

static enum err
refuse(const struct reading *r, const char *type)
{
	return err_set(ERR_UNSUPPORTED, "%s: %s \"%s\" is not supported", r->name, r->kind, type);
}

/* Finds the component's row by its type and lets it read the rest. null is no component. */
static enum err
read_component(const struct reading *r, const json_t *value, const struct component *table, size_t n)
{
	const char *type;
	if (!value || json_is_null(value))
		return OK;
	if (!json_is_object(value))
		return err_set(ERR_FORMAT, "%s: a %s is not an object", r->name, r->kind);
	TRY(json_want_str(value, r->name, "type", &type));
	for (size_t i = 0; i < n; i++)
		if (strcmp(type, table[i].type) == 0)
			return table[i].read ? table[i].read(r, value, (int)i) : OK;
	return refuse(r, type);
}

static enum err
read_list(const struct reading *r, const json_t *value, const char *key,
	enum err (*read)(const struct reading *, const json_t *))
{
	const json_t *list = json_object_get(value, key);
	if (!json_is_array(list))
		return err_set(ERR_FORMAT, "%s: the %s Sequence has no list \"%s\"", r->name, r->kind, key);
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(read(r, json_array_get(list, i)));
	return OK;
}

/* ---- normalizer ---- */

static enum err read_normalizer(const struct reading *r, const json_t *value);

static enum err
normalizer_form(const struct reading *r, const json_t *value, int row)
{
	struct normal *normal = &r->t->normal;
	(void)value;
	if (normal->n == TOK_MAX_STEPS)
		return err_set(ERR_LIMIT, "%s: more than %d normalizers", r->name, TOK_MAX_STEPS);
	normal->steps[normal->n++] = (enum normal_form)row;
	return OK;
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
		{ "NFKD", normalizer_form }, { "Lowercase", normalizer_form }, { "Sequence", normalizer_sequence },
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
	struct split_step step = {0};
	(void)row;
	TRY(must_precede_bytes(r, "ByteLevel"));
	TRY(json_opt_bool(value, r->name, "add_prefix_space", true, &prefix));
	TRY(json_opt_bool(value, r->name, "use_regex", true, &regex));
	if (regex)
		TRY(split_gpt2(&step));
	step.prefix = prefix;
	r->t->byte_level = true;
	return add_step(r, step);
}

static enum err
pre_digits(const struct reading *r, const json_t *value, int row)
{
	bool each;
	struct split_step step = {0};
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
	struct split_step step = {0};
	const json_t *pattern = json_object_get(value, "pattern");
	const json_t *regex = json_object_get(pattern, "Regex"), *text = json_object_get(pattern, "String");
	const json_t *given = regex ? regex : text;
	(void)row;
	TRY(must_precede_bytes(r, "Split"));
	if (!json_is_string(given))
		return err_set(ERR_FORMAT,
			"%s: pre-tokenizer Split has no pattern {\"Regex\": ...} or {\"String\": ...}", r->name);
	TRY(read_behavior(r, value, &step.behavior));
	TRY(json_opt_bool(value, r->name, "invert", false, &step.invert));
	TRY(tok_regex(&step.re, json_string_value(given), json_string_length(given), !regex, r->name));
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
		{ "Sequence", pre_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

/* ---- what we need not do, but must know ---- */

static enum err read_post_processor(const struct reading *r, const json_t *value);
static enum err read_decoder(const struct reading *r, const json_t *value);

static enum err
post_sequence(const struct reading *r, const json_t *value, int row)
{
	(void)row;
	return read_list(r, value, "processors", read_post_processor);
}

/* They add tokens around a text or trim offsets; the caller of tokenizer_encode decides about the first. */
static enum err
read_post_processor(const struct reading *r, const json_t *value)
{
	static const struct component table[] = {
		{ "ByteLevel", NULL }, { "TemplateProcessing", NULL }, { "BertProcessing", NULL },
		{ "RobertaProcessing", NULL }, { "Sequence", post_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
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
		{ "ByteLevel", NULL }, { "Fuse", NULL }, { "Sequence", decoder_sequence },
	};
	return read_component(r, value, table, ARRAY_LEN(table));
}

enum err
tokenizer_parse_steps(struct tokenizer *t, const json_t *root, const char *name)
{
	static const struct {
		const char *key, *kind;
		enum err (*read)(const struct reading *r, const json_t *value);
	} parts[] = {
		{ "normalizer", "normalizer", read_normalizer },
		{ "pre_tokenizer", "pre-tokenizer", read_pre_tokenizer },
		{ "post_processor", "post-processor", read_post_processor }, { "decoder", "decoder", read_decoder },
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct reading r = { .t = t, .name = name, .kind = parts[i].kind };
		TRY(parts[i].read(&r, json_object_get(root, parts[i].key)));
	}
	if (!t->byte_level)
		return err_set(ERR_UNSUPPORTED, "%s: has no ByteLevel pre-tokenizer; only byte-level BPE is supported",
			name);
	return OK;
}
