/* train: tokenizer, examples, model, run. What a run is made of is fixed when it begins; the same command resumes
 * it. */
#include "commands.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/capture.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/store.h"
#include "byline/train.h"
#include "train_parts.h"

struct train_args {
	const char *run, *as, *tokenizer;
	int runs;
	int family, vocab, context, layers, width, heads, kv_heads, ff;
	bool untied;
	int epochs, batch, lanes, keep, warmup, dtype, threads;
	double lr, weight_decay, clip, heldout;
	uint64_t seed;
	int k, own, bits;
	int64_t curvature_tokens;
	bool no_capture, quiet;
	uint64_t given;			/* bit i: train_table[i] was on the command line */
	const struct likeness *like;	/* what --as takes over; NULL without it */
};

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
	{"vocab", OPTION_INT, FIELD(vocab), "N", "4096", 257, 1 << 20,
		.help = "vocabulary of a tokenizer trained here"},
	{"context", OPTION_INT, FIELD(context), "N", "256", 32, 1 << 16, .help = "longest example in tokens"},
	{"layers", OPTION_INT, FIELD(layers), "N", "4", 1, 512, .help = "transformer blocks"},
	{"width", OPTION_INT, FIELD(width), "N", "192", 8, 65536, .help = "width of the residual stream"},
	{"heads", OPTION_INT, FIELD(heads), "N", "4", 1, 1024, .help = "attention heads"},
	{"kv-heads", OPTION_INT, FIELD(kv_heads), "N", "0", 0, 1024,
		.help = "key and value heads; 0 means as many as heads"},
	{"ff", OPTION_INT, FIELD(ff), "N", "0", 0, 1 << 20,
		.help = "width of the MLP; 0 means 8/3 of the width (llama) or 4 times (gpt2)"},
	{"untied", OPTION_FLAG, FIELD(untied), .help = "an unembedding of its own instead of the embedding"},
	{"epochs", OPTION_INT, FIELD(epochs), "N", "10", 1, 100000, .help = "passes over the training examples"},
	{"batch", OPTION_INT, FIELD(batch), "N", "16", 1, 65536, .help = "examples a step"},
	{"lanes", OPTION_INT, FIELD(lanes), "N", "0", 0, 64,
		.help = "fixed pieces a step is cut into; part of the recipe, 0 means the default"},
	{"lr", OPTION_REAL, FIELD(lr), "X", "0.003", 1e-9, 10, .help = "peak learning rate"},
	{"warmup", OPTION_INT, FIELD(warmup), "N", "-1", -1, 1 << 30, .help = "warm-up steps; -1 means 8 in a hundred"},
	{"weight-decay", OPTION_REAL, FIELD(weight_decay), "X", "0.1", 0, 10, .help = "decay of the matrices"},
	{"clip", OPTION_REAL, FIELD(clip), "X", "1", 0, 1e9, .help = "largest gradient norm; 0 turns clipping off"},
	{"heldout", OPTION_REAL, FIELD(heldout), "X", "0.05", 0, 0.9,
		.help = "fraction of the works kept out of training, to measure with"},
	{"keep", OPTION_INT, FIELD(keep), "N", "6", 1, 1000,
		.help = "checkpoints kept along the run, the last included"},
	{"dtype", OPTION_CHOICE, FIELD(dtype), "TYPE", "f32",
		.choices = "f32 f16 bf16", .help = "number type of kept checkpoints"},
	{"seed", OPTION_SEED, FIELD(seed), "N", "1", .help = "of the weights, the order and the held-out works"},
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

static const enum st_dtype dtypes[] = {ST_F32, ST_F16, ST_BF16};
static const char *const families[] = {"llama", "gpt2"};

/* ---- run ---- */

static void
config_of_args(const struct train_args *a, const struct tokenizer *t, struct model_config *c)
{
	bool llama = a->family == 0;
	if (a->like) {
		*c = a->like->journal.config;
		return;
	}
	*c = (struct model_config){
		.n_layer = a->layers, .d_model = a->width, .n_head = a->heads,
		.n_kv_head = a->kv_heads ? a->kv_heads : a->heads, .head_dim = a->width / a->heads,
		.vocab = tokenizer_size(t), .n_ctx = a->context,
		.norm = llama ? NORM_RMS : NORM_LAYER, .pos = llama ? POS_ROPE : POS_LEARNED,
		.mlp = llama ? MLP_GATED : MLP_PLAIN,
		.act = llama ? ACT_SILU : ACT_GELU_TANH, .tied = !a->untied, .attn_bias = !llama, .mlp_bias = !llama,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = train_begin_token(t),
		.eos = train_begin_token(t),
	};
	snprintf(c->family, sizeof(c->family), "%s", families[a->family]);
	c->d_ff = a->ff ? a->ff : llama ? (a->width * 8 / 3 + 15) / 16 * 16 : a->width * 4;
}

static char *
recipe_json(const struct train_args *a, const struct model_config *c)
{
	json_t *r = json_pack("{s:o, s:i, s:i, s:f}", "config", model_config_json(c), "epochs", a->epochs, "batch",
		a->batch, "heldout", a->heldout);
	if (a->as)
		json_object_set_new(r, "as", json_cstr(a->as));
	struct str s = {0};
	json_print(&s, r, 0);
	json_decref(r);
	return str_take(&s);
}

static enum err
run_begin(struct store *s, const struct train_args *a, const struct tokenizer *t, const struct model_config *c,
	struct job *job, struct run *run)
{
	char *recipe = recipe_json(a, c);
	const struct run_spec spec = {
		.name = a->run, .tokenizer = t, .bos = c->bos, .max_tokens = a->context, .heldout = a->heldout,
		.seed = a->seed, .recipe = recipe,
	};
	int64_t id;
	enum err err = a->like ? store_repeat_run(s, a->like->run.id, &spec, job, &id)
		: store_create_run(s, &spec, job, &id);
	free(recipe);
	return err == OK ? store_run(s, id, run) : err;
}

static void
options_of_args(const struct train_args *a, size_t n_train, struct train_options *o)
{
	if (a->like) {
		*o = a->like->journal.options;
		o->seed = a->seed;
		return;
	}
	train_defaults(o);
	o->seed = a->seed;
	o->epochs = a->epochs;
	o->batch = a->batch;
	o->lanes = a->lanes ? a->lanes : o->lanes;
	o->keep = a->keep;
	o->lr = a->lr;
	o->weight_decay = a->weight_decay;
	o->clip = a->clip;
	o->dtype = dtypes[a->dtype];
	int64_t steps = ((int64_t)n_train + a->batch - 1) / a->batch * a->epochs;
	o->warmup = a->warmup >= 0 ? a->warmup : (int)((steps * 8 + 99) / 100);
}

struct train_watch {
	struct job *job;
	struct train_status last;
	bool captured;
	const char *refusal;		/* why it is not, though it was to be */
};

static void
train_duration(double seconds, char out[32])
{
	if (seconds < 90)
		snprintf(out, 32, "%.0f s", seconds);
	else
		snprintf(out, 32, "%.0f min", seconds / 60);
}

static void
train_note(void *arg, const struct train_status *s)
{
	struct train_watch *w = arg;
	char left[32];
	w->last = *s;
	train_duration(s->seconds_left, left);
	if (isnan(s->heldout))
		job_note(w->job, "loss %.3f  %.1fk tokens/s  %s left", s->loss, s->tokens_per_second / 1e3, left);
	else
		job_note(w->job, "loss %.3f  held-out %.3f  %.1fk tokens/s  %s left", s->loss, s->heldout,
			s->tokens_per_second / 1e3, left);
}

static void
index_options_of_args(const struct train_args *a, struct index_options *o)
{
	index_defaults(o);
	o->k = a->k;
	o->own = a->own;
	o->bits = a->bits;
	o->curvature_tokens = (uint64_t)a->curvature_tokens;
}

/* Trains, and captures unless c is NULL. */
static enum err
train_captured(struct store *s, const struct run *run, struct model *m, struct train_spec *spec, struct capture *c,
	struct pool *pool, struct train_watch *w)
{
	spec->capture = c ? capture_hooks(c) : NULL;
	TRY(train_run(m, run->dir, spec, pool, w->job));
	if (c) {
		TRY(capture_finish(c));
		w->refusal = capture_refusal(c);
	}
	w->captured = c && !w->refusal;
	if (w->captured)
		return OK;
	TRY(capture_discard(run->dir));
	return store_set_run_state(s, run->id, true, run->indexed);
}

static enum err
train_in(struct store *s, struct run *run, const struct train_args *a, const struct tokenizer *t,
	const struct model_config *c, struct train_watch *w)
{
	struct dataset data = {0};
	struct example *examples = NULL;
	struct model m = {0};
	struct pool *pool = pool_new(a->threads);
	struct train_spec spec = {.data = &data, .tokenizer = t, .status = train_note, .arg = w};
	struct index_options o;
	struct capture *capture = NULL;
	enum err err;
	TRY_OUT(store_run_dataset(s, run->id, &data, &examples));
	TRY_OUT(model_new(&m, c, true));
	model_init(&m, a->seed);
	options_of_args(a, (size_t)run->n_train, &spec.options);
	index_options_of_args(a, &o);
	if (!a->no_capture)
		TRY_OUT(capture_open(&capture, s, run->id, &m, &spec, &o, pool, w->job));
	err = train_captured(s, run, &m, &spec, capture, pool, w);
out:
	capture_close(capture);
	model_free(&m);
	dataset_free(&data);
	free(examples);
	pool_free(pool);
	return err;
}

static enum err
train_store(struct store *s, const struct train_args *a, struct train_watch *w, struct run *run)
{
	struct tokenizer *t = NULL;
	struct model_config c;
	char *runs = path_join(store_dir(s), "runs"), *dir = path_join(runs, a->run),
		*path = path_join(dir, "tokenizer.json");
	enum err err;
	bool known = store_find_run(s, a->run, run) == OK;
	if (known && run->trained)
		goto out_ok;
	TRY_OUT(file_mkdirs(dir));
	TRY_OUT(train_tokenizer(s, a->tokenizer, a->vocab, path, w->job, &t));
	config_of_args(a, t, &c);
	TRY_OUT(model_config_check(&c, "the options"));
	if (!known)
		TRY_OUT(run_begin(s, a, t, &c, w->job, run));
	else if (a->like && strcmp(run->dataset, a->like->run.dataset) != 0)
		TRY_OUT(err_set(ERR_MISMATCH, "run %s was begun with other examples than run %s has", a->run, a->as));
	TRY_OUT(train_in(s, run, a, t, &c, w));
out_ok:
	err = OK;
out:
	tokenizer_free(t);
	free(runs);
	free(dir);
	free(path);
	return err;
}

/* ---- as another run ---- */

/* What the command line would have to say to train that run. */
static void
args_of_like(const struct likeness *l, struct train_args *a)
{
	const struct model_config *c = &l->journal.config;
	const struct train_options *o = &l->journal.options;
	a->tokenizer = l->tokenizer;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		a->family = strcmp(families[i], c->family) == 0 ? (int)i : a->family;
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		a->dtype = dtypes[i] == o->dtype ? (int)i : a->dtype;
	a->vocab = c->vocab;
	a->context = c->n_ctx;
	a->layers = c->n_layer;
	a->width = c->d_model;
	a->heads = c->n_head;
	a->kv_heads = c->n_kv_head;
	a->ff = c->d_ff;
	a->untied = !c->tied;
	a->epochs = o->epochs;
	a->batch = o->batch;
	a->lanes = o->lanes;
	a->keep = o->keep;
	a->warmup = o->warmup;
	a->lr = o->lr;
	a->weight_decay = o->weight_decay;
	a->clip = o->clip;
	a->heldout = l->heldout;
}

static enum err
args_as(struct train_args *a, const struct likeness *l)
{
	struct train_args theirs = *a;
	args_of_like(l, &theirs);
	for (size_t i = 0; i < ARRAY_LEN(train_table); i++)
		if ((a->given >> i & 1) && !option_same(&train_table[i], a, &theirs))
			return err_set(ERR_USAGE, "--%s: run %s was trained with another; --as takes all but the seed "
				"from it", train_table[i].name, a->as);
	if (a->seed == l->journal.options.seed)
		return err_set(ERR_USAGE, "--seed %" PRIu64 " is that of run %s too; give another", a->seed, a->as);
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
	mine.seed = seed;
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
