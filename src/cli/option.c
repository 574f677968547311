/* option: command lines into structs, from the option tables. */
#include "command.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct option *
option_find(const struct command *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (strlen(c->options[i].name) == n && memcmp(c->options[i].name, name, n) == 0)
			return &c->options[i];
	return NULL;
}

static enum err
option_bad(const struct option *o, const char *value, const char *want)
{
	return err_set(ERR_USAGE, "--%s %s: %s", o->name, value, want);
}

static enum err
parse_number(const struct option *o, const char *value, double *out)
{
	char *end;
	errno = 0;
	*out = strtod(value, &end);
	if (end == value || *end || errno || !isfinite(*out))
		return option_bad(o, value, "not a number");
	if (*out < o->min || *out > o->max)
		return err_set(ERR_USAGE, "--%s %s: must be from %.15g to %.15g", o->name, value, o->min, o->max);
	return OK;
}

static enum err
parse_whole(const struct option *o, const char *value, int64_t *out)
{
	double d;
	TRY(parse_number(o, value, &d));
	char *end;
	*out = strtoll(value, &end, 10);
	return *end ? option_bad(o, value, "not a whole number") : OK;
}

static enum err
parse_int(const struct option *o, const char *value, void *field)
{
	int64_t n;
	TRY(parse_whole(o, value, &n));
	*(int *)field = (int)n;
	return OK;
}

static enum err
parse_long(const struct option *o, const char *value, void *field)
{
	return parse_whole(o, value, field);
}

static enum err
parse_seed(const struct option *o, const char *value, void *field)
{
	char *end;
	errno = 0;
	*(uint64_t *)field = strtoull(value, &end, 10);
	if (end == value || *end || errno || !strchr("0123456789", value[0]))
		return option_bad(o, value, "must be a whole number from 0 to 18446744073709551615");
	return OK;
}

static enum err
parse_real(const struct option *o, const char *value, void *field)
{
	return parse_number(o, value, field);
}

static enum err
parse_text(const struct option *o, const char *value, void *field)
{
	(void)o;
	*(const char **)field = value;
	return OK;
}

static enum err
parse_choice(const struct option *o, const char *value, void *field)
{
	size_t n = strlen(value);
	int index = 0;
	for (const char *p = o->choices; *p; index++) {
		size_t len = strcspn(p, " ");
		if (len == n && memcmp(p, value, n) == 0) {
			*(int *)field = index;
			return OK;
		}
		p += len;
		p += strspn(p, " ");
	}
	return err_set(ERR_USAGE, "--%s %s: one of: %s", o->name, value, o->choices);
}

static enum err
parse_span(const struct option *o, const char *value, void *field)
{
	struct span *s = field;
	char *end;
	errno = 0;
	long from = strtol(value, &end, 10);
	if (end == value || *end != ':')
		return option_bad(o, value, "give two token positions as A:B, counting from 0, B not included");
	const char *second = end + 1;
	long to = strtol(second, &end, 10);
	if (end == second || *end || errno || from < 0 || to <= from || to > 1000000)
		return option_bad(o, value, "A must be at least 0 and B larger than A");
	*s = (struct span){(int)from, (int)to, true};
	return OK;
}

static enum err
parse_flag(const struct option *o, const char *value, void *field)
{
	(void)o;
	(void)value;
	*(bool *)field = true;
	return OK;
}

static enum err (*const parsers[])(const struct option *o, const char *value, void *field) = {
	[OPTION_FLAG] = parse_flag,
	[OPTION_INT] = parse_int,
	[OPTION_LONG] = parse_long,
	[OPTION_SEED] = parse_seed,
	[OPTION_REAL] = parse_real,
	[OPTION_TEXT] = parse_text,
	[OPTION_CHOICE] = parse_choice,
	[OPTION_SPAN] = parse_span,
};

static enum err
option_set(const struct option *o, const char *value, void *options)
{
	return parsers[o->type](o, value, (char *)options + o->offset);
}

static bool
text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
option_same(const struct option *o, const void *a, const void *b)
{
	static const size_t size[] = { [OPTION_FLAG] = sizeof(bool), [OPTION_INT] = sizeof(int),
		[OPTION_LONG] = sizeof(int64_t), [OPTION_SEED] = sizeof(uint64_t), [OPTION_REAL] = sizeof(double),
		[OPTION_CHOICE] = sizeof(int), [OPTION_SPAN] = sizeof(struct span) };
	const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
	if (o->type == OPTION_TEXT)
		return text_same(*(const char *const *)(const void *)x, *(const char *const *)(const void *)y);
	return memcmp(x, y, size[o->type]) == 0;
}

static void
option_note(const struct command *c, const struct option *o, void *options)
{
	size_t i = (size_t)(o - c->options);
	assert(!c->given || c->n_options <= 64);
	if (c->given)
		*(uint64_t *)(void *)((char *)options + c->given) |= UINT64_C(1) << i;
}

/* One "--name", "--name=value" or "--name value" at argv[*i]. */
static enum err
option_take(const struct command *c, int argc, char **argv, int *i, void *options)
{
	const char *name = argv[*i] + 2;
	size_t n = strcspn(name, "=");
	const struct option *o = option_find(c, name, n);
	if (!o)
		return err_set(ERR_USAGE, "%s has no option --%.*s; see byline %s --help", c->name, (int)n, name,
			c->name);
	option_note(c, o, options);
	if (o->type == OPTION_FLAG)
		return name[n] ? err_set(ERR_USAGE, "--%s takes no value", o->name) : option_set(o, NULL, options);
	if (name[n])
		return option_set(o, name + n + 1, options);
	if (*i + 1 >= argc)
		return err_set(ERR_USAGE, "--%s needs a value: %s", o->name, o->arg);
	return option_set(o, argv[++*i], options);
}

static enum err
option_initial(const struct command *c, void *options)
{
	memset(options, 0, c->size);
	for (size_t i = 0; i < c->n_options; i++)
		if (c->options[i].initial)
			TRY(option_set(&c->options[i], c->options[i].initial, options));
	return OK;
}

static enum err
option_parse_all(const struct command *c, int argc, char **argv, void *options, char **args, int *n_args)
{
	bool only_args = false;
	*n_args = 0;
	TRY(option_initial(c, options));
	for (int i = 0; i < argc; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0)
			only_args = true;
		else if (!only_args && strncmp(argv[i], "--", 2) == 0)
			TRY(option_take(c, argc, argv, &i, options));
		else if (!only_args && argv[i][0] == '-' && argv[i][1])
			return err_set(ERR_USAGE, "%s: options are written out, as in --help", argv[i]);
		else
			args[(*n_args)++] = argv[i];
	}
	if (*n_args < c->min_args)
		return err_set(ERR_USAGE, "%s needs %s; see byline %s --help", c->name, c->args, c->name);
	if (*n_args > c->max_args)
		return err_set(ERR_USAGE, "%s: one argument too many: %s", c->name, args[c->max_args]);
	return OK;
}

int
option_parse(const struct command *c, int argc, char **argv, void *options, char **args, int *n_args)
{
	enum err err = option_parse_all(c, argc, argv, options, args, n_args);
	return err == OK ? EXIT_DONE : fail(err);
}
