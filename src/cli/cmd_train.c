/* train: tokenizer, examples, model, run. What a run is made of is fixed when it begins; the same command resumes
 * it. */
#include "commands.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/store.h"
#include "byline/train.h"

struct train_args {
	const char *run, *tokenizer;
	int family, vocab, context, layers, width, heads, kv_heads, ff;
	bool untied;
	int epochs, batch, lanes, keep, warmup, dtype, threads;
	double lr, weight_decay, clip, heldout;
	uint64_t seed;
	bool quiet;
};

#define FIELD(f) offsetof(struct train_args, f)
static const struct option train_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", "base",
		.help = "name of the run; an unfinished one of this name is resumed"},
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
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "worker threads; the result does not depend on it"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

static const enum st_dtype dtypes[] = {ST_F32, ST_F16, ST_BF16};
static const char *const families[] = {"llama", "gpt2"};

/* ---- tokenizer ---- */

struct corpus_texts { struct store *store; int64_t *ids; size_t n, cap, at; struct str text; };

static enum err
corpus_collect(void *arg, const struct work *w)
{
	struct corpus_texts *c = arg;
	if (w->opted_out)
		return OK;
	mem_grow(&c->ids, &c->cap, c->n + 1, sizeof(*c->ids));
	c->ids[c->n++] = w->id;
	return OK;
}

static bool
corpus_next(void *arg, const char **text, size_t *n)
{
	struct corpus_texts *c = arg;
	if (c->at >= c->n)
		return false;
	str_clear(&c->text);
	if (store_work_text(c->store, c->ids[c->at++], &c->text) != OK)
		return false;
	*text = c->text.s ? c->text.s : "";
	*n = c->text.len;
	return true;
}

static void
corpus_rewind(void *arg)
{
	((struct corpus_texts *)arg)->at = 0;
}

static enum err
tokenizer_of_corpus(struct store *s, int vocab, struct job *job, struct tokenizer **t)
{
	struct corpus_texts c = {.store = s};
	enum err err = store_each_work(s, corpus_collect, &c);
	if (err == OK && c.n == 0)
		err = err_set(ERR_MISSING, "%s holds no works to train on; byline import puts some in", store_dir(s));
	const struct text_source src = {corpus_next, corpus_rewind, &c};
	if (err == OK)
		err = tokenizer_train(t, &src, vocab, job);
	free(c.ids);
	str_free(&c.text);
	return err;
}

/* The run's own tokenizer: the file in its folder once the run has begun, so that resuming never trains another. */
static enum err
tokenizer_of_run(struct store *s, const struct train_args *a, const char *path, struct job *job, struct tokenizer **t)
{
	if (file_exists(path))
		return tokenizer_load(t, path);
	if (a->tokenizer)
		TRY(tokenizer_load(t, a->tokenizer));
	else
		TRY(tokenizer_of_corpus(s, a->vocab, job, t));
	return tokenizer_save(*t, path);
}

/* ---- run ---- */

static int32_t
begin_token(const struct tokenizer *t)
{
	static const char *const names[] = {"<|endoftext|>", "<|begin_of_text|>", "<s>", "<bos>"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int32_t id = tokenizer_special(t, names[i]);
		if (id >= 0)
			return id;
	}
	return -1;
}

static void
config_of_args(const struct train_args *a, const struct tokenizer *t, struct model_config *c)
{
	bool llama = a->family == 0;
	*c = (struct model_config){
		.n_layer = a->layers, .d_model = a->width, .n_head = a->heads,
		.n_kv_head = a->kv_heads ? a->kv_heads : a->heads, .head_dim = a->width / a->heads,
		.vocab = tokenizer_size(t), .n_ctx = a->context,
		.norm = llama ? NORM_RMS : NORM_LAYER, .pos = llama ? POS_ROPE : POS_LEARNED,
		.mlp = llama ? MLP_GATED : MLP_PLAIN,
		.act = llama ? ACT_SILU : ACT_GELU_TANH, .tied = !a->untied, .attn_bias = !llama, .mlp_bias = !llama,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = begin_token(t), .eos = begin_token(t),
	};
	snprintf(c->family, sizeof(c->family), "%s", families[a->family]);
	c->d_ff = a->ff ? a->ff : llama ? (a->width * 8 / 3 + 15) / 16 * 16 : a->width * 4;
}

static char *
recipe_json(const struct train_args *a, const struct model_config *c)
{
	json_t *r = json_pack("{s:o, s:i, s:i, s:f}", "config", model_config_json(c), "epochs", a->epochs, "batch",
		a->batch, "heldout", a->heldout);
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
	enum err err = store_create_run(s, &spec, job, &id);
	free(recipe);
	return err == OK ? store_run(s, id, run) : err;
}

static void
options_of_args(const struct train_args *a, size_t n_train, struct train_options *o)
{
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

struct train_watch { struct job *job; struct train_status last; };

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

static enum err
train_in(struct store *s, struct run *run, const struct train_args *a, const struct tokenizer *t,
	const struct model_config *c, struct train_watch *w)
{
	struct dataset data = {0};
	struct example *examples = NULL;
	struct model m = {0};
	struct pool *pool = pool_new(a->threads);
	enum err err;
	TRY_OUT(store_run_dataset(s, run->id, &data, &examples));
	TRY_OUT(model_new(&m, c, true));
	model_init(&m, a->seed);
	struct train_spec spec = {.data = &data, .tokenizer = t, .status = train_note, .arg = w};
	options_of_args(a, (size_t)run->n_train, &spec.options);
	TRY_OUT(train_run(&m, run->dir, &spec, pool, w->job));
	err = store_set_run_state(s, run->id, true, run->indexed);
out:
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
	TRY_OUT(tokenizer_of_run(s, a, path, w->job, &t));
	config_of_args(a, t, &c);
	TRY_OUT(model_config_check(&c, "the options"));
	if (!known)
		TRY_OUT(run_begin(s, a, t, &c, w->job, run));
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
	say("next: byline index %s --run %s\n", dir, run->name);
}

static int
train_run_command(const void *options, char **args, int n_args)
{
	const struct train_args *a = options;
	struct store *s;
	struct run run = {0};
	(void)n_args;
	enum err err = check_run_name(a->run);
	if (err == OK)
		err = store_open(args[0], false, &s);
	if (err != OK)
		return fail(err);
	struct train_watch w = {.job = watch_begin(a->quiet)};
	err = train_store(s, a, &w, &run);
	watch_end(w.job);
	if (err == OK)
		train_print(&run, args[0], &w);
	run_free(&run);
	store_close(s);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_train = {
	.name = "train", .group = "Build", .args = "STORE", .summary = "Train a model on the store's works, or resume",
	.min_args = 1, .max_args = 1, .run = train_run_command, OPTIONS(train_table, struct train_args),
};
