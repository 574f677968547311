/* journal: reading what strangers may have written. */
#include "journal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

#include "options.h"

enum { JOURNAL_MAX = 64 << 20, STEPS_MAX_BITS = 53 };
static const int64_t steps_max = (int64_t)1 << STEPS_MAX_BITS;

struct reader {
	struct train_journal *j;
	const char *name;		/* for messages */
	int64_t steps, step;		/* of the whole run; of the last line that has one */
	int epoch;
};

static enum err
read_recipe(struct reader *r, const json_t *line)
{
	int64_t version;
	TRY(json_want_int(line, r->name, "version", 1, INT64_MAX, &version));
	if (version != 1)
		return err_set(ERR_UNSUPPORTED, "%s: version %lld of the journal, this byline knows 1",
			r->name, (long long)version);
	if (r->steps > 0)
		return err_set(ERR_FORMAT, "%s: a second recipe", r->name);
	TRY(model_config_parse(&r->j->config, json_object_get(line, "model"), r->name));
	TRY(options_parse(&r->j->options, json_object_get(line, "options"), r->name));
	TRY(json_want_hash(json_object_get(line, "dataset"), r->name, "sha256", r->j->dataset));
	TRY(json_opt_hash(line, r->name, "tokenizer", r->j->tokenizer));
	return json_want_int(line, r->name, "steps", 1, steps_max, &r->steps);
}

/* Steps never go back; checkpoints are one a step. */
static enum err
read_step(struct reader *r, const json_t *line, int64_t least)
{
	return json_want_int(line, r->name, "step", least, r->steps, &r->step);
}

static enum err
read_epoch(struct reader *r, const json_t *line)
{
	int64_t epoch;
	TRY(json_want_int(line, r->name, "epoch", r->epoch + 1, r->j->options.epochs, &epoch));
	r->epoch = (int)epoch;
	return read_step(r, line, r->step > 0 ? r->step : 1);
}

static enum err
read_checkpoint(struct reader *r, const json_t *line)
{
	struct train_journal *j = r->j;
	int n = j->n_checkpoints;
	bool kept = n > 0 && j->checkpoints[n - 1].step == r->step;
	TRY(read_step(r, line, kept ? r->step + 1 : r->step > 0 ? r->step : 1));
	j->checkpoints = xreallocarray(j->checkpoints, (size_t)n + 1, sizeof(*j->checkpoints));
	j->checkpoints[n].step = r->step;
	TRY(json_opt_real(line, r->name, "lr", 0, 1e9, 0, &j->checkpoints[n].lr));
	TRY(json_opt_real(line, r->name, "loss", -1e9, 1e9, (double)NAN, &j->checkpoints[n].loss));
	TRY(json_opt_real(line, r->name, "heldout", -1e9, 1e9, (double)NAN, &j->checkpoints[n].heldout));
	TRY(json_want_hash(line, r->name, "sha256", j->checkpoints[n].sha256));
	j->n_checkpoints++;
	return OK;
}

static enum err
read_finished(struct reader *r, const json_t *line)
{
	char hex[HASH_HEX];
	TRY(read_step(r, line, r->steps));
	TRY(json_want_hash(line, r->name, "sha256", hex));
	r->j->finished = true;
	return OK;
}

static const struct {
	const char *kind;
	enum err (*read)(struct reader *r, const json_t *line);
} kinds[] = {
	{ "recipe", read_recipe },
	{ "epoch", read_epoch },
	{ "checkpoint", read_checkpoint },
	{ "finished", read_finished },
};

static enum err
read_kind(struct reader *r, const json_t *line)
{
	const char *kind;
	TRY(json_want_str(line, r->name, "kind", &kind));
	if (r->steps == 0 && strcmp(kind, "recipe") != 0)
		return err_set(ERR_FORMAT, "%s: the recipe must come first", r->name);
	if (r->j->finished)
		return err_set(ERR_FORMAT, "%s: a line after the end of the run", r->name);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return kinds[i].read(r, line);
	return err_set(ERR_FORMAT, "%s: unknown kind of line", r->name);
}

static enum err
read_line(struct reader *r, const char *name, size_t number, const char *text, size_t n)
{
	json_t *line = NULL;
	char *where = xasprintf("%s: line %zu", name, number);
	r->name = where;
	enum err err = json_parse(text, n, where, &line);
	if (err == OK)
		err = read_kind(r, line);
	json_decref(line);
	free(where);
	return err;
}

enum err
journal_parse(struct train_journal *j, const char *name, const char *text, size_t n)
{
	struct reader r = { .j = j };
	enum err err = OK;
	size_t number = 0;
	const char *from = text, *stop = text + n, *end;
	*j = (struct train_journal){0};
	for (; err == OK && (end = memchr(from, '\n', (size_t)(stop - from))); from = end + 1)
		err = read_line(&r, name, ++number, from, (size_t)(end - from));
	if (err == OK && r.steps == 0)
		err = err_set(ERR_FORMAT, "%s is not the journal of a run", name);
	if (err != OK)
		train_journal_free(j);
	return err;
}

enum err
train_journal_read(const char *dir, struct train_journal *j)
{
	struct str text = {0};
	char *path = journal_path(dir);
	*j = (struct train_journal){0};
	enum err err = file_read(path, JOURNAL_MAX, &text);
	if (err == OK)
		err = journal_parse(j, path, text.s, text.len);
	free(path);
	str_free(&text);
	return err;
}

void
train_journal_free(struct train_journal *j)
{
	free(j->checkpoints);
	*j = (struct train_journal){0};
}
