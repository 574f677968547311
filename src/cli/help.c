/* help: what --help, the manual and shell completion say, from the tables. */
#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "byline/attrib.h"

static const char *const groups[] = {"Look", "Build", "Keep"};

static int
name_width(void)
{
	const struct command *c;
	size_t most = 0;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++)
		if (!c->hidden && strlen(c->name) > most)
			most = strlen(c->name);
	return (int)most;
}

void
help_overview(void)
{
	int width = name_width();
	printf("usage: byline STORE                 open the explorer\n"
	       "       byline COMMAND [ARGUMENTS]\n");
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		printf("\n%s\n", groups[g]);
		const struct command *c;
		for (size_t i = 0; (c = command_at(i)) != NULL; i++)
			if (!c->hidden && strcmp(c->group, groups[g]) == 0)
				printf("  %-*s  %s\n", width, c->name, c->summary);
	}
	printf("\nbyline COMMAND --help lists a command's options; man byline-COMMAND has examples.\n");
}

/* "f32, f16 or bf16" */
static void
print_choices(const char *choices)
{
	for (const char *p = choices; *p; p++) {
		const char *next = strchr(p + 1, ' ');
		if (*p != ' ')
			putchar(*p);
		else
			fputs(next ? ", " : " or ", stdout);
	}
}

static void
help_option(const struct option *o)
{
	char left[64];
	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	printf("  %-24s %s", left, o->help);
	if (o->choices) {
		printf(": ");
		print_choices(o->choices);
	}
	if (o->initial && *o->initial)
		printf(" (default %s)", o->initial);
	putchar('\n');
}

void
help_command(const struct command *c)
{
	printf("usage: byline %s %s%s\n\n%s\n", c->name, c->args, c->n_options ? " [OPTIONS]" : "", c->summary);
	if (c->n_options)
		printf("\nOptions\n");
	for (size_t i = 0; i < c->n_options; i++)
		help_option(&c->options[i]);
}

/* roff wants its minus signs and leading dots said specially. */
static void
roff_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
	}
}

static void
roff_option(const struct option *o)
{
	printf(".TP\n.B \\-\\-");
	roff_text(o->name);
	if (o->arg) {
		printf(" \\fI");
		roff_text(o->arg);
		printf("\\fR");
	}
	printf("\n%c", toupper((unsigned char)o->help[0]));
	roff_text(o->help + 1);
	if (o->choices) {
		printf(": ");
		print_choices(o->choices);
	}
	printf(".\n");
	if (o->initial && *o->initial) {
		printf("Default: ");
		roff_text(o->initial);
		printf(".\n");
	}
}

void
help_roff(const struct command *c)
{
	printf(".SH SYNOPSIS\n.B byline ");
	roff_text(c->name);
	putchar('\n');
	if (*c->args) {
		printf(".I ");
		roff_text(c->args);
		putchar('\n');
	}
	if (c->n_options)
		printf(".RI [ OPTIONS ]\n");
	printf(".SH OPTIONS\n");
	for (size_t i = 0; i < c->n_options; i++)
		roff_option(&c->options[i]);
	printf(".TP\n.B \\-\\-help\nPrint the options and leave.\n");
}

static void
roff_command(const struct command *c)
{
	printf(".TP\n.BR byline\\-");
	roff_text(c->name);
	printf(" (1)\n");
	roff_text(c->summary);
	printf(".\n");
}

void
help_roff_overview(void)
{
	printf(".SH COMMANDS\n");
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		printf(".SS %s\n", groups[g]);
		const struct command *c;
		for (size_t i = 0; (c = command_at(i)) != NULL; i++)
			if (!c->hidden && strcmp(c->group, groups[g]) == 0)
				roff_command(c);
	}
}

void
help_completion(void)
{
	const struct command *c;
	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		printf("%s", c->name);
		for (size_t o = 0; o < c->n_options; o++)
			printf(" --%s", c->options[o].name);
		putchar('\n');
	}
}

void
help_methods(void)
{
	for (int i = 0; i < n_methods; i++)
		printf("%-12s %s\n", methods[i].name, methods[i].plain);
	printf("%-12s %s\n", "imported", method_find("imported")->plain);
}

static void
method_roff(const struct method *m)
{
	printf(".TP\n.B ");
	roff_text(m->name);
	printf("\nEvidence: %s.\n%c", m->evidence, toupper((unsigned char)m->plain[0]));
	roff_text(m->plain + 1);
	printf(".\n");
	if (!m->needs_index && !m->ready)
		printf("Needs no index.\n");
	printf("Unit: ");
	roff_text(m->unit);
	printf(".\n");
	printf("Source: ");
	roff_text(m->cite);
	printf(".\n");
}

void
help_roff_methods(void)
{
	printf(".SH METHODS\nThe methods of this version, as\n.B \\-\\-method\ntakes them.\n"
		"The first is the default; the last is that of runs made by\n.BR byline\\-import\\-scores (1).\n"
		"Of a run that has an index made by bergson and none of byline's own, bergson is the default.\n");
	for (int i = 0; i < n_methods; i++)
		method_roff(&methods[i]);
	method_roff(method_find("imported"));
}
