/* toy: see toy.h. */
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

const struct toy_options toy_small = { .d_model = 8, .d_ff = 16, .n_layer = 1, .n_ctx = 48, .epochs = 8, .k = 8, .bits = 8,
	.checkpoints = 3 };

enum { TEXTS = 9, WORDS = 4, SENTENCES = 3, VOCAB = 290 };

static const struct { const char *name, *word[WORDS]; } people[] = {
	{ "Anna", { "boat", "tide", "harbour", "sail" } },
	{ "Bo", { "bread", "oven", "flour", "salt" } },
	{ "Cy", { "snow", "hill", "sledge", "frost" } },
	{ "Olga", { "clock", "wheel", "spring", "hour" } },
};
static const char *const frame[][3] = { { "the ", " and the ", ". " }, { "no ", " without a ", ". " },
	{ "a ", ", then ", " again. " } };

/* ---- the corpus ------------------------------------------------------------------------------------------------------ */

static void
text_make(struct str *out, size_t who, struct rng *r)
{
	str_clear(out);
	for (int i = 0; i < SENTENCES; i++) {
		const char *const *f = frame[rng_below(r, ARRAY_LEN(frame))];
		str_adds(out, f[0]);
		str_adds(out, people[who].word[rng_below(r, WORDS)]);
		str_adds(out, f[1]);
		str_adds(out, people[who].word[rng_below(r, WORDS)]);
		str_adds(out, f[2]);
	}
	str_trim(out);
}

static void
add_text(struct store *s, const struct str *text, const struct work_author *author, size_t n, int number)
{
	char title[32];
	int64_t id;
	bool added;
	snprintf(title, sizeof(title), "Text %d", number);
	struct work_in w = { .text = text->s, .text_len = text->len, .title = title, .licence = "CC0-1.0", .authors = author,
		.n_authors = n };
	assert_ok(store_add_work(s, &w, &id, &added));
	assert_true(added);
}

static void
corpus_make(struct store *s)
{
	struct str text = {0};
	struct rng r;
	int number = 0;
	int64_t olga;
	rng_init(&r, 11, 0);
	assert_ok(store_begin(s));
	for (int i = 0; i < TEXTS; i++)
		for (size_t who = 0; who < ARRAY_LEN(people); who++) {
			text_make(&text, who, &r);
			add_text(s, &text, &(struct work_author){ people[who].name, 1 }, 1, ++number);
		}
	text_make(&text, 0, &r);
	add_text(s, &text, (struct work_author[]){ { "Anna", 0.75 }, { "Bo", 0.25 } }, 2, ++number);
	text_make(&text, 1, &r);
	add_text(s, &text, NULL, 0, ++number);
	assert_ok(store_find_contributor(s, "Olga", &olga));
	assert_ok(store_set_opt_out(s, olga, true, "asked to"));
	assert_ok(store_commit(s));
	str_free(&text);
}

/* ---- the run --------------------------------------------------------------------------------------------------------- */

struct texts { struct store *s; int64_t *id; size_t n, next; struct str text; };

static enum err
texts_gather(void *arg, const struct work *w)
{
	struct texts *t = arg;
	t->id = xreallocarray(t->id, t->n + 1, sizeof(*t->id));
	t->id[t->n++] = w->id;
	return OK;
}

static bool
texts_next(void *arg, const char **text, size_t *n)
{
	struct texts *t = arg;
	if (t->next == t->n)
		return false;
	str_clear(&t->text);
	assert_ok(store_work_text(t->s, t->id[t->next++], &t->text));
	*text = t->text.s;
	*n = t->text.len;
	return true;
}

static void
texts_rewind(void *arg)
{
	((struct texts *)arg)->next = 0;
}

static struct tokenizer *
tokenizer_make(struct store *s)
{
	struct texts texts = { .s = s };
	struct text_source source = { texts_next, texts_rewind, &texts };
	struct tokenizer *t;
	assert_ok(store_each_work(s, texts_gather, &texts));
	assert_ok(tokenizer_train(&t, &source, VOCAB, NULL));
	free(texts.id);
	str_free(&texts.text);
	return t;
}

static struct model_config
config_make(const struct toy_options *o, const struct tokenizer *t)
{
	struct model_config c = { .family = "llama", .n_layer = o->n_layer, .d_model = o->d_model, .n_head = 2, .n_kv_head = 1,
		.head_dim = o->d_model / 2, .d_ff = o->d_ff, .vocab = tokenizer_size(t), .n_ctx = o->n_ctx, .norm = NORM_RMS,
		.pos = POS_ROPE, .mlp = MLP_GATED, .act = ACT_SILU, .tied = o->tied, .norm_eps = 1e-5, .rope_theta = 10000,
		.init_range = 0.2, .bos = 0, .eos = 0 };
	if (o->gpt2) {
		snprintf(c.family, sizeof(c.family), "gpt2");
		c.n_kv_head = c.n_head;
		c.norm = NORM_LAYER;
		c.pos = POS_LEARNED;
		c.mlp = MLP_PLAIN;
		c.act = ACT_GELU_TANH;
		c.tied = c.attn_bias = c.out_bias = c.mlp_bias = true;
	}
	return c;
}

static void
train_make(struct toy *t, int64_t id, uint64_t seed, const struct toy_options *o, const struct tokenizer *tokenizer,
	struct pool *pool)
{
	struct model m;
	struct dataset data = {0};
	struct example *examples;
	struct run run;
	struct model_config c = config_make(o, tokenizer);
	assert_ok(store_run(t->store, id, &run));
	assert_ok(store_run_dataset(t->store, id, &data, &examples));
	assert_ok(model_new(&m, &c, true));
	model_init(&m, seed);
	struct train_spec spec = { .data = &data, .tokenizer = tokenizer };
	train_defaults(&spec.options);
	spec.options.seed = seed;
	spec.options.epochs = o->epochs;
	spec.options.batch = 4;
	spec.options.lanes = 2;
	spec.options.keep = o->checkpoints;
	spec.options.lr = o->lr > 0 ? o->lr : 1e-2;
	spec.options.warmup = 4;
	spec.options.dtype = ST_F32;
	assert_ok(train_run(&m, run.dir, &spec, pool, NULL));
	assert_ok(store_set_run_state(t->store, id, true, false));
	model_free(&m);
	dataset_free(&data);
	free(examples);
	run_free(&run);
}

static void
index_make(struct toy *t, int64_t id, const struct toy_options *o, struct pool *pool)
{
	struct index_options options;
	index_defaults(&options);
	options.k = o->k;
	options.bits = o->bits;
	options.own = 24;
	options.null_queries = 16;
	assert_ok(index_build(t->store, id, &options, pool, NULL));
	assert_ok(store_set_run_state(t->store, id, true, true));
}

void
toy_new(struct toy *t, const struct toy_options *o)
{
	*t = (struct toy){ .top = "/tmp/byline-toy-XXXXXX" };
	assert_non_null(mkdtemp(t->top));
	t->dir = path_join(t->top, "toy.byline");
	assert_ok(store_create(t->dir, &t->store));
	corpus_make(t->store);
	struct pool *pool = pool_new(1);
	struct tokenizer *tokenizer = tokenizer_make(t->store);
	struct run_spec spec = { .name = "toy", .tokenizer = tokenizer, .bos = 0, .max_tokens = o->n_ctx, .heldout = 0.1, .seed = 5,
		.recipe = "{}" };
	assert_ok(store_create_run(t->store, &spec, NULL, &t->run));
	if (!o->no_weights)
		train_make(t, t->run, TOY_SEED, o, tokenizer, pool);
	if (!o->no_weights && !o->no_index)
		index_make(t, t->run, o, pool);
	tokenizer_free(tokenizer);
	pool_free(pool);
}

void
toy_again(struct toy *t, const struct toy_options *o, const char *name, uint64_t seed, bool same_examples)
{
	struct model m;
	struct tokenizer *tokenizer;
	char *dir = toy_path(t, "checkpoint");
	int64_t id;
	assert_ok(checkpoint_load(dir, &m));
	assert_ok(checkpoint_tokenizer(dir, &m, &tokenizer));
	struct run_spec spec = { .name = name, .tokenizer = tokenizer, .bos = 0, .max_tokens = o->n_ctx, .heldout = 0.2, .seed = seed,
		.recipe = "{}" };
	if (same_examples)
		assert_ok(store_repeat_run(t->store, t->run, &spec, NULL, &id));
	else
		assert_ok(store_create_run(t->store, &spec, NULL, &id));
	struct pool *pool = pool_new(1);
	train_make(t, id, seed, o, tokenizer, pool);
	if (!o->no_index)
		index_make(t, id, o, pool);
	pool_free(pool);
	tokenizer_free(tokenizer);
	model_free(&m);
	free(dir);
}

void
toy_free(struct toy *t)
{
	store_close(t->store);
	assert_ok(file_remove_tree(t->top));
	free(t->dir);
}

struct session *
toy_session(const struct toy *t, int threads)
{
	struct session *s;
	assert_ok(session_open(t->store, "toy", threads, &s));
	return s;
}

char *
toy_path(const struct toy *t, const char *name)
{
	struct run run;
	assert_ok(store_run(t->store, t->run, &run));
	char *path = path_join(run.dir, name);
	run_free(&run);
	return path;
}

struct query *
toy_query(struct session *s, const char *prompt, const char *target)
{
	struct query *q;
	assert_ok(query_new(s, prompt, target, NULL, NULL, NULL, NULL, &q));
	return q;
}
