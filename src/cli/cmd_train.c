/* train: the options, a run as another, several in a row. */
#include "commands.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/store.h"
#include "byline/train.h"
#include "train_parts.h"

#define FIELD(f) offsetof(struct train_args, f)
static const struct option train_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", "base",
		.help = "name of the run; an unfinished one of this name is resumed"},
	{"as", OPTION_TEXT, FIELD(as), "NAME", NULL,
		.help = "repeat this run: its examples, tokenizer and options, with another --seed"},
	{"runs", OPTION_INT, FIELD(runs), "N", "1", 1, 100,
		.help = "train N runs, the others as the first with the seeds after it, called NAME-2, NAME-3, ..."},
	{"family", OPTION_CHOICE, FIELD(family), "NAME", "llama", .choices = "llama gpt2", .help = "architecture"},
	{"tokenizer", OPTION_TEXT, FIELD(tokenizer), "FILE", NULL,
		.help = "a tokenizer.json to use; one is trained on the corpus when not given"},
	{"vocab", OPTION_INT, FIELD(config.vocab), "N", "4096", 257, 1 << 20,
		.help = "vocabulary of a tokenizer trained here"},
	{"context", OPTION_INT, FIELD(config.n_ctx), "N", "256", 32, 1 << 16, .help = "longest example in tokens"},
	{"layers", OPTION_INT, FIELD(config.n_layer), "N", "4", 1, 512, .help = "transformer blocks"},
	{"width", OPTION_INT, FIELD(config.d_model), "N", "192", 8, 65536, .help = "width of the residual stream"},
	{"heads", OPTION_INT, FIELD(config.n_head), "N", "4", 1, 1024, .help = "attention heads"},
	{"kv-heads", OPTION_INT, FIELD(config.n_kv_head), "N", "0", 0, 1024,
		.help = "key and value heads; 0 means as many as heads"},
	{"ff", OPTION_INT, FIELD(config.d_ff), "N", "0", 0, 1 << 20,
		.help = "width of the MLP; 0 means 8/3 of the width (llama) or 4 times (gpt2)"},
	{"untied", OPTION_FLAG, FIELD(untied), .help = "an unembedding of its own instead of the embedding"},
	{"epochs", OPTION_INT, FIELD(options.epochs), "N", "10", 1, 100000,
		.help = "passes over the training examples"},
	{"batch", OPTION_INT, FIELD(options.batch), "N", "16", 1, 65536, .help = "examples a step"},
	{"lanes", OPTION_INT, FIELD(options.lanes), "N", "0", 0, 64,
		.help = "fixed pieces a step is cut into; part of the recipe, 0 means the default"},
	{"lr", OPTION_REAL, FIELD(options.lr), "X", "0.003", 1e-9, 10, .help = "peak learning rate"},
	{"warmup", OPTION_INT, FIELD(options.warmup), "N", "-1", -1, 1 << 30,
		.help = "warm-up steps; -1 means 8 in a hundred"},
	{"weight-decay", OPTION_REAL, FIELD(options.weight_decay), "X", "0.1", 0, 10, .help = "decay of the matrices"},
	{"clip", OPTION_REAL, FIELD(options.clip), "X", "1", 0, 1e9,
		.help = "largest gradient norm; 0 turns clipping off"},
	{"heldout", OPTION_REAL, FIELD(heldout), "X", "0.05", 0, 0.9,
		.help = "fraction of the works kept out of training, to measure with"},
	{"keep", OPTION_INT, FIELD(options.keep), "N", "6", 1, 1000,
		.help = "checkpoints kept along the run, the last included"},
	{"dtype", OPTION_CHOICE, FIELD(dtype), "TYPE", "f32",
		.choices = "f32 f16 bf16", .help = "number type of kept checkpoints"},
	{"seed", OPTION_SEED, FIELD(options.seed), "N", "1",
		.help = "of the weights, the order and the held-out works"},
	{"k", OPTION_INT, FIELD(k), "N", "64", 4, 256,
		.help = "of the index: projection width a side; 32 is the small preset"},
	{"own", OPTION_INT, FIELD(own), "N", "96", 1, 4096,
		.help = "tokens of its own that an example keeps rows of the unembedding for"},
	{"bits", OPTION_INT, FIELD(bits), "N", "4", 4, 8, .help = "of the index: bits of a stored value, 4 or 8"},
	{"curvature-tokens", OPTION_LONG, FIELD(curvature_tokens), "N", "0", 0, 1LL << 40,
		.help = "of the index: tokens the curvature of a checkpoint is estimated from; 0 means as many as take "
		"about 4% of the training's time"},
	{"no-capture", OPTION_FLAG, FIELD(no_capture), .help = "train alone, and leave the index to byline index"},
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "worker threads; the result does not depend on it"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

/* ---- as another run ---- */

static enum err
args_as(struct train_args *a, const struct likeness *l)
{
	struct train_args theirs = *a;
	train_args_as(&theirs, l);
	for (size_t i = 0; i < ARRAY_LEN(train_table); i++)
		if ((a->given >> i & 1) && !option_same(&train_table[i], a, &theirs))
			return err_set(ERR_USAGE, "--%s: run %s was trained with another; --as takes all but the seed "
				"from it", train_table[i].name, a->as);
	if (a->options.seed == l->journal.options.seed)
		return err_set(ERR_USAGE, "--seed %" PRIu64 " is that of run %s too; give another",
			a->options.seed, a->as);
	*a = theirs;
	a->like = l;
	return OK;
}

static enum err
train_one(struct store *s, const struct train_args *a, struct train_watch *w, struct run *run)
{
	struct train_args mine = *a;
	struct likeness like = {0};
	if (!a->as)
		return train_store(s, a, w, run);
	enum err err = likeness_open(s, a->as, &like);
	if (err == OK)
		err = args_as(&mine, &like);
	if (err == OK)
		err = train_store(s, &mine, w, run);
	likeness_close(&like);
	return err;
}

static enum err
check_run_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	if (!*name || name[n] || name[0] == '.' || n > 64)
		return err_set(ERR_USAGE, "--run %s: letters, digits, '.', '_' and '-', not beginning with '.'", name);
	return OK;
}

static void
train_print(const struct run *run, const char *dir, const struct train_watch *w)
{
	if (w->last.steps == 0) {
		say("run %s is trained already; --run NAME begins another\n", run->name);
		return;
	}
	say("run %s: %" PRId64 " examples, %" PRId64 " steps, loss %.3f nats per token, ", run->name, run->n_train,
		w->last.steps, w->last.loss);
	if (isnan(w->last.heldout))
		say("nothing held out\n");
	else
		say("held-out %.3f\n", w->last.heldout);
	if (w->refusal)
		say("not indexed on the way: %s\n", w->refusal);
	say(w->captured ? "next: byline ask %s --run %s --prompt TEXT\n" : "next: byline index %s --run %s\n", dir,
		run->name);
}

/* The run of number 2, 3, ...: the first again, with a seed of its own. */
static enum err
train_again(struct store *s, const struct train_args *a, int number, uint64_t seed, struct train_watch *w,
	struct run *run)
{
	struct train_args mine = *a;
	char *name = xasprintf("%s-%d", a->run, number);
	mine.run = name;
	mine.as = a->run;
	mine.given = 0;
	mine.options.seed = seed;
	enum err err = check_run_name(name);
	if (err == OK)
		err = train_one(s, &mine, w, run);
	free(name);
	return err;
}

static enum err
train_runs(struct store *s, const char *dir, const struct train_args *a)
{
	enum err err = OK;
	uint64_t seed = 0;
	for (int i = 1; err == OK && i <= a->runs; i++, seed++) {
		struct run run = {0};
		struct train_watch w = {.job = watch_begin(a->quiet)};
		err = i == 1 ? train_one(s, a, &w, &run) : train_again(s, a, i, seed, &w, &run);
		watch_end(w.job);
		if (err == OK)
			train_print(&run, dir, &w);
		seed = i == 1 ? run.seed : seed;
		run_free(&run);
	}
	return err;
}

static int
train_run_command(const void *options, char **args, int n_args)
{
	const struct train_args *a = options;
	struct store *s = NULL;
	(void)n_args;
	enum err err = check_run_name(a->run);
	if (err == OK && a->as && a->runs > 1)
		err = err_set(ERR_USAGE, "--runs trains runs as the one of --run; --as %s is one too many", a->as);
	if (err == OK)
		err = store_open(args[0], false, &s);
	if (err == OK)
		err = train_runs(s, args[0], a);
	int code = err == OK ? EXIT_DONE : fail(err);
	store_close(s);
	return code;
}

const struct command cmd_train = {
	.name = "train", .group = "Build", .args = "STORE", .summary = "Train a model on the store's works, or resume",
	.min_args = 1, .max_args = 1, .run = train_run_command, OPTIONS(train_table, struct train_args),
	.given = FIELD(given),
};
