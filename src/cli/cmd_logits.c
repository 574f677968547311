/* logits: what a checkpoint thinks comes next, after each of the given tokens. */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/generate.h"
#include "byline/layers.h"
#include "byline/mem.h"
#include "byline/stats.h"
#include "byline/utf8.h"

struct logits_args {
	const char *ids;
	int top, threads;
	bool json;
};

#define FIELD(f) offsetof(struct logits_args, f)
static const struct option logits_table[] = {
	{"ids", OPTION_TEXT, FIELD(ids), "LIST", NULL,
		.help = "token ids, separated by commas or white space; - reads them from standard input"},
	{"top", OPTION_INT, FIELD(top), "N", "3", 1, 1000, .help = "tokens listed after each position"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object, with every logit"},
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "worker threads, for large models; 0 takes what the machine has"},
};

enum { IDS_MAX = 64 << 20 };

struct ids { int32_t *id; size_t n, cap; };

/* ---- the ids ---- */

static enum err
ids_read(const char *text, struct ids *ids)
{
	static const char between[] = ", \t\r\n";
	for (const char *p = text + strspn(text, between); *p; p += strspn(p, between)) {
		char *end;
		errno = 0;
		long long v = strtoll(p, &end, 10);
		if (end == p || errno || (*end && !strchr(between, *end)) || v < INT32_MIN || v > INT32_MAX)
			return err_set(ERR_USAGE, "--ids: %.*s is no token id; give whole numbers, as 1,2,3",
				(int)(strcspn(p, between) > 40 ? 40 : strcspn(p, between)), p);
		mem_grow(&ids->id, &ids->cap, ids->n + 1, sizeof(*ids->id));
		ids->id[ids->n++] = (int32_t)v;
		p = end;
	}
	return ids->n ? OK : err_set(ERR_USAGE, "--ids: there is no token id in it");
}

static enum err
ids_get(const char *given, struct ids *ids)
{
	struct str text = {0};
	enum err err = OK;
	if (!given)
		return err_set(ERR_USAGE, "--ids is needed; --ids - reads them from standard input");
	if (strcmp(given, "-") == 0)
		err = file_read("-", IDS_MAX, &text);
	else
		str_adds(&text, given);
	if (err == OK && text.len != strlen(text.s ? text.s : ""))
		err = err_set(ERR_USAGE, "--ids: standard input is not text");
	if (err == OK)
		err = ids_read(text.s ? text.s : "", ids);
	str_free(&text);
	return err;
}

static enum err
ids_check(const struct ids *ids, const struct model_config *c)
{
	if (ids->n > (size_t)c->n_ctx)
		return err_set(ERR_LIMIT, "--ids: %zu tokens, more than the %d of the model's context", ids->n,
			c->n_ctx);
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] < 0 || ids->id[i] >= c->vocab)
			return err_set(ERR_USAGE, "--ids: %" PRId32 " is not in the model's vocabulary, 0 to %d",
				ids->id[i], c->vocab - 1);
	return OK;
}

/* ---- printing ---- */

/* Nine digits give the same float back; what overflowed is null, since JSON has no word for it. */
static void
print_row_json(const float *logits, int vocab)
{
	for (int v = 0; v < vocab; v++) {
		putchar(v ? ',' : '[');
		if (isfinite(logits[v]))
			printf("%.9g", (double)logits[v]);
		else
			printf("null");
	}
	putchar(']');
}

static void
add_token(struct str *out, const struct tokenizer *t, int32_t id)
{
	size_t n;
	const char *bytes = t ? tokenizer_bytes(t, id, &n) : NULL;
	str_addf(out, "%" PRId32, id);
	if (!bytes)
		return;
	str_adds(out, " \"");
	text_escape(out, bytes, n, ESCAPE_NEWLINE | ESCAPE_TAB);
	str_addc(out, '"');
}

static void
print_position(const float *logits, int vocab, size_t at, int32_t id, const struct tokenizer *t, int top)
{
	struct str line = {0};
	float *logprob = xcalloc((size_t)vocab, sizeof(*logprob));
	uint32_t *best = xcalloc((size_t)(top < vocab ? top : vocab), sizeof(*best));
	log_softmax(logprob, logits, vocab);
	size_t n = stats_top(logits, (size_t)vocab, (size_t)top, 1, best);
	str_addf(&line, "%5zu  after ", at);
	add_token(&line, t, id);
	str_addc(&line, '\n');
	for (size_t i = 0; i < n; i++) {
		str_addf(&line, "       %10.4f  %5.1f%%  ", (double)logits[best[i]],
			100 * exp((double)logprob[best[i]]));
		add_token(&line, t, (int32_t)best[i]);
		str_addc(&line, '\n');
	}
	say("%s", line.s);
	free(logprob);
	free(best);
	str_free(&line);
}

/* ---- the command ---- */

struct showing {
	const struct ids *ids;
	const struct tokenizer *tokenizer;
	int vocab, top;
};

static void
show_json(void *arg, int i, const float *logits)
{
	const struct showing *w = arg;
	printf(i ? "," : "{\"logits\":[");
	print_row_json(logits, w->vocab);
}

static void
show_text(void *arg, int i, const float *logits)
{
	const struct showing *w = arg;
	print_position(logits, w->vocab, (size_t)i, w->ids->id[i], w->tokenizer, w->top);
}

static enum err
logits_show(const char *dir, const struct model *m, const struct ids *ids, const struct logits_args *a)
{
	struct tokenizer *t = NULL;
	/* A table of numbers is of use without their words, too. */
	if (!a->json && checkpoint_tokenizer(dir, m, &t) != OK)
		t = NULL;
	struct showing w = { .ids = ids, .tokenizer = t, .vocab = m->config.vocab, .top = a->top };
	enum err err = model_logits(m, ids->id, (int)ids->n, a->json ? show_json : show_text, &w);
	if (err == OK && a->json)
		printf("]}\n");
	tokenizer_free(t);
	return err;
}

static int
logits_run(const void *options, char **args, int n_args)
{
	const struct logits_args *a = options;
	struct ids ids = {0};
	struct model m = {0};
	(void)n_args;
	enum err err = ids_get(a->ids, &ids);
	if (err == OK)
		err = checkpoint_run(args[0], &m);
	if (err == OK)
		err = ids_check(&ids, &m.config);
	m.threads = a->threads;
	if (err == OK)
		err = logits_show(args[0], &m, &ids, a);
	model_free(&m);
	free(ids.id);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_logits = {
	.name = "logits", .group = "Look", .args = "CHECKPOINT",
	.summary = "Print what a model thinks comes next, after each of the given tokens",
	.min_args = 1, .max_args = 1, .run = logits_run, OPTIONS(logits_table, struct logits_args),
};
