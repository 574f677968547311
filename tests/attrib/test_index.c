/* The index of a run: what is in it, that nothing on the way can spoil it, and that it knows what it was made of. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/store.h"
#include "unit.h"

#include "../../src/attrib/features_internal.h"
#include "../../src/attrib/index_null.h"

/*
 * One run for all tests: 440 small works by five people, one of whom has opted out and is in no example, and three checkpoints of random weights.
 * There are more examples than a shard holds.
 */
enum { WORKS = 440, PEOPLE = 5, STEPS = 3, VOCAB = 270 };

static char top[64], *store_path, *run_dir;
static int64_t run_id;

static const char *const words[] = { "tide", "boat", "salt", "bread", "snow", "hill", "clock", "wheel", "rope", "lamp" };

static void
text_make(struct str *out, struct rng *r)
{
	str_clear(out);
	for (uint64_t i = 0, n = 3 + rng_below(r, 5); i < n; i++)
		str_addf(out, "%s%s", i ? " " : "", words[rng_below(r, ARRAY_LEN(words))]);
}

static void
corpus_make(struct store *s)
{
	struct str text = {0};
	struct rng r;
	int64_t id;
	rng_init(&r, 7, 0);
	assert_ok(store_begin(s));
	for (int i = 0; i < WORKS; i++) {
		char name[16], title[16];
		bool added;
		snprintf(name, sizeof(name), "P%d", i % PEOPLE);
		snprintf(title, sizeof(title), "T%d", i);
		text_make(&text, &r);
		struct work_author author = { name, 1 };
		struct work_in w = { .text = text.s, .text_len = text.len, .title = title, .authors = &author, .n_authors = 1 };
		assert_ok(store_add_work(s, &w, &id, &added));
	}
	assert_ok(store_find_contributor(s, "P3", &id));
	assert_ok(store_set_opt_out(s, id, true, ""));
	assert_ok(store_commit(s));
	str_free(&text);
}

/* The words alone are enough to learn a few merges from. */
static bool
source_next(void *arg, const char **text, size_t *n)
{
	size_t *i = arg;
	if (*i == ARRAY_LEN(words))
		return false;
	*text = words[(*i)++];
	*n = strlen(*text);
	return true;
}

static void
source_rewind(void *arg)
{
	*(size_t *)arg = 0;
}

static void
weights_save(const char *name, uint64_t seed, const struct tokenizer *t)
{
	struct model_config c = { .family = "llama", .n_layer = 1, .d_model = 8, .n_head = 2, .n_kv_head = 1, .head_dim = 4,
		.d_ff = 12, .vocab = VOCAB, .n_ctx = 64, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED, .act = ACT_SILU,
		.tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.2, .bos = 0, .eos = 0 };
	struct model m;
	char *path = path_join(run_dir, name);
	assert_ok(model_new(&m, &c, true));
	model_init(&m, seed);
	assert_ok(file_mkdirs(path));
	assert_ok(checkpoint_save(path, &m, m.params, t, ST_F32));
	model_free(&m);
	free(path);
}

static int
make_run(void **state)
{
	size_t at = 0;
	struct store *s;
	struct tokenizer *t;
	struct text_source source = { source_next, source_rewind, &at };
	struct run run;
	(void)state;
	setenv("BYLINE_NOW", "1000000000", 1);
	strcpy(top, "/tmp/byline-index-XXXXXX");
	assert_non_null(mkdtemp(top));
	store_path = path_join(top, "t.byline");
	assert_ok(store_create(store_path, &s));
	corpus_make(s);
	assert_ok(tokenizer_train(&t, &source, VOCAB, NULL));
	struct run_spec spec = { .name = "r", .tokenizer = t, .bos = 0, .max_tokens = 64, .heldout = 0.1, .seed = 5, .recipe = "{}" };
	assert_ok(store_create_run(s, &spec, NULL, &run_id));
	assert_ok(store_run(s, run_id, &run));
	run_dir = xstrdup(run.dir);
	run_free(&run);
	for (int i = 1; i <= STEPS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "checkpoints/step-%08d", 100 * i);
		weights_save(name, (uint64_t)i, NULL);
	}
	weights_save("checkpoint", STEPS, t);
	assert_ok(store_set_run_state(s, run_id, true, false));
	store_close(s);
	tokenizer_free(t);
	return 0;
}

static int
drop_run(void **state)
{
	(void)state;
	assert_ok(file_remove_tree(top));
	free(store_path);
	free(run_dir);
	return 0;
}

static struct index_options
usual(void)
{
	struct index_options o;
	index_defaults(&o);
	o.k = 6;
	return o;
}

static enum err
build(const struct index_options *o, int threads, struct job *job)
{
	struct store *s;
	assert_ok(store_open(store_path, false, &s));
	struct pool *pool = pool_new(threads);
	enum err err = index_build(s, run_id, o, pool, job);
	pool_free(pool);
	store_close(s);
	return err;
}

static void
rebuild(const struct index_options *from, int threads)
{
	struct index_options o = *from;
	o.force = true;
	assert_ok(build(&o, threads, NULL));
}

/* ---- every byte of it ---- */

static enum err
picture_visit(void *arg, const char *rel)
{
	char hex[HASH_HEX];
	if (strncmp(rel, "checkpoint", 10) == 0)
		return OK;
	char *path = path_join(run_dir, rel);
	enum err err = hash_file(path, hex);
	free(path);
	str_addf(arg, "%s %s\n", rel, hex);
	return err;
}

/* Names and hashes of all files of the run's folder but the weights. */
static char *
picture(void)
{
	struct str s = {0};
	assert_ok(file_walk(run_dir, picture_visit, &s));
	return str_take(&s);
}

static void
assert_picture(const char *want)
{
	char *got = picture();
	assert_string_equal(got, want);
	free(got);
}

static void
test_files(void **state)
{
	static const char *const names[] = { "curvature.safetensors ", "features-00000.safetensors ", "features-00001.safetensors ",
		"hidden.safetensors ", "index.json ", "null.safetensors " };
	struct index_options o = usual();
	(void)state;
	rebuild(&o, 1);
	char *files = picture(), *line = files;
	for (size_t i = 0; i < ARRAY_LEN(names); i++, line = strchr(line, '\n') + 1)
		assert_memory_equal(line, names[i], strlen(names[i]));
	assert_int_equal(*line, '\0');
	free(files);
}

static void
test_threads(void **state)
{
	struct index_options o = usual();
	(void)state;
	rebuild(&o, 1);
	char *one = picture();
	rebuild(&o, 3);
	assert_picture(one);
	assert_ok(build(&o, 2, NULL));		/* nothing to do */
	assert_picture(one);
	free(one);
}

/* ---- what is in it ---- */

struct opened {
	struct store *s;
	struct index_info info;
	struct indexing x;		/* data, examples and options, for what chooses null queries */
	struct model m[STEPS];
	struct curvature c[STEPS];
	struct feature_layout l;
	struct features *f;
	struct pool *pool;
	struct projector *p;
};

static void
open_index(struct opened *o)
{
	struct st_file f;
	char *path = path_join(run_dir, CURVATURE_FILE);
	*o = (struct opened){ .pool = pool_new(1) };
	assert_ok(store_open(store_path, true, &o->s));
	assert_ok(index_info_read(run_dir, &o->info));
	assert_ok(store_run_dataset(o->s, run_id, &o->x.data, &o->x.examples));
	o->x.info.options = o->info.options;
	assert_ok(st_open(&f, path));
	for (int i = 0; i < STEPS; i++) {
		char *weights = path_join(run_dir, o->info.checkpoint[i].path);
		assert_ok(checkpoint_load(weights, &o->m[i]));
		assert_ok(curvature_load(&f, o->info.checkpoint[i].name, &o->m[i], o->pool, &o->c[i]));
		free(weights);
	}
	feature_layout_plan(&o->l, &o->m[0], o->info.options.k, o->info.options.own, o->info.options.bits);
	assert_ok(features_open(run_dir, &o->l, index_info_file(&o->info, CURVATURE_FILE)->sha256, o->x.data.n, &o->f));
	o->p = projector_new(&o->m[0], &o->l);
	st_close(&f);
	free(path);
}

static void
close_index(struct opened *o)
{
	for (int i = 0; i < STEPS; i++) {
		curvature_free(&o->c[i]);
		model_free(&o->m[i]);
	}
	projector_free(o->p);
	feature_layout_free(&o->l);
	features_close(o->f);
	index_info_free(&o->info);
	dataset_free(&o->x.data);
	free(o->x.examples);
	pool_free(o->pool);
	store_close(o->s);
}

/* The mean over the checkpoints; the caller's. */
static float *
mean_rows(const struct opened *o, const struct ragged *r)
{
	size_t own = (size_t)o->info.options.own;
	float *rows = xcalloc((size_t)r->batch.n_seq * o->l.width, sizeof(*rows));
	uint32_t *count = xcalloc((size_t)o->l.vocab, sizeof(*count));
	uint32_t *tokens = xcalloc((size_t)r->batch.n_seq * own, sizeof(*tokens));
	feature_tokens_count(&o->x.data, o->l.vocab, count);
	for (int i = 0; i < r->batch.n_seq; i++)
		feature_tokens(&o->x.data, r->example[i], count, (int)own, tokens + (size_t)i * own);
	for (int i = 0; i < STEPS; i++)
		assert_ok(projector_rows(o->p, o->m[i].params, &o->c[i], &r->batch, tokens, 1.0f / STEPS, rows));
	free(count);
	free(tokens);
	return rows;
}

static void
stored_row(const struct opened *o, size_t row, float *v)
{
	const struct shard *s = o->f->shard;
	for (; row >= s->n; s++)
		row -= s->n;
	features_dequantise(&o->l, s->codes + row * o->l.code_bytes, s->scales + row * (size_t)o->l.n_blocks, v);
}

static void
test_info(void **state)
{
	struct index_options want = usual();
	struct opened o;
	(void)state;
	rebuild(&want, 1);
	open_index(&o);
	assert_int_equal(o.info.n_checkpoints, STEPS);
	assert_string_equal(o.info.checkpoint[0].name, "step-00000100");
	assert_string_equal(o.info.checkpoint[2].path, "checkpoints/step-00000300");
	assert_int_equal(o.info.options.k, 6);
	assert_int_equal(o.info.options.seed, want.seed);
	assert_int_equal(o.info.options.curvature_tokens, 200000);
	assert_int_equal(o.info.n_examples, o.x.data.n);
	assert_int_equal(o.info.n_files, 5);
	assert_int_equal(o.info.n_null_lengths, 5);
	assert_int_equal(o.info.null_length[4], 16);
	assert_int_equal(o.info.finished, 1000000000);
	struct run run;
	assert_ok(store_run(o.s, run_id, &run));
	assert_true(run.indexed && run.trained);
	assert_string_equal(run.dataset, o.info.dataset);
	run_free(&run);
	close_index(&o);
}

/* Every trained example has a row, no other has; and a row is what projecting says, up to its quantisation. */
static void
test_rows(void **state)
{
	struct index_options want = usual();
	struct opened o;
	struct ragged r = {0};
	size_t row = 0;
	uint64_t targets = 0;
	(void)state;
	rebuild(&want, 1);
	open_index(&o);
	float *got = xcalloc(o.l.width, sizeof(*got));
	for (uint32_t i = 0; i < o.x.data.n; i++) {
		if (o.x.data.heldout[i] || o.x.examples[i].opted_out)
			continue;
		assert_int_equal(features_example(o.f, row), i);
		targets += o.x.data.start[i + 1] - o.x.data.start[i] - 1;
		ragged_fill(&r, &o.x.data, &i, 1);
		float *rows = mean_rows(&o, &r);
		stored_row(&o, row++, got);
		for (int b = 0; b < o.l.n_blocks; b++) {
			float most = 0;
			for (size_t j = o.l.block[b].at; j < o.l.block[b].at + block_values(&o.l.block[b]); j++)
				most = fabsf(rows[j]) > most ? fabsf(rows[j]) : most;
			for (size_t j = o.l.block[b].at; j < o.l.block[b].at + block_values(&o.l.block[b]); j++)
				assert_true(fabsf(rows[j] - got[j]) <= most / 7 * 0.501f);
		}
		free(rows);
	}
	assert_int_equal(features_rows(o.f), row);
	assert_int_equal(o.info.n_rows, row);
	assert_true(row > 256 && row < o.x.data.n);
	assert_float_equal(o.info.tokens_per_example, (double)targets / (double)row, 1e-9);
	free(got);
	ragged_free(&r);
	close_index(&o);
}

static void
test_hidden(void **state)
{
	struct index_options want = usual();
	struct opened o;
	struct st_file f;
	const struct st_tensor *t;
	struct ragged r = {0};
	(void)state;
	rebuild(&want, 1);
	open_index(&o);
	char *path = path_join(run_dir, HIDDEN_FILE);
	struct acts *acts = acts_new(&o.m[2]);
	assert_ok(st_open(&f, path));
	assert_ok(st_want(&f, "hidden", 2, (const uint64_t[]){ (uint64_t)o.info.n_rows, 8 }, &t));
	for (size_t row = 0; row < (size_t)o.info.n_rows; row += 50) {
		uint32_t example = features_example(o.f, row);
		float got[8];
		ragged_fill(&r, &o.x.data, &example, 1);
		assert_ok(model_forward(&o.m[2], o.m[2].params, acts, &r.batch));
		assert_ok(st_read_f32(&f, t, 8 * row, 8, got));
		for (int i = 0; i < 8; i++) {
			double mean = 0;
			for (int j = 0; j < r.batch.rows; j++)
				mean += acts_hidden(acts)[j * 8 + i] / r.batch.rows;
			assert_true(fabs(got[i] - mean) < 2e-3);
		}
	}
	acts_free(acts);
	ragged_free(&r);
	st_close(&f);
	free(path);
	close_index(&o);
}

/* Scores of all rows under one query of a length, in double. */
static double *
null_scores(const struct opened *o, const struct null_queries *q, int query, int length, float *row)
{
	struct null_batch b;
	double *scores = xcalloc(features_rows(o->f), sizeof(*scores));
	struct feature_query features;
	uint32_t *tokens = xcalloc((size_t)o->info.options.own, sizeof(*tokens));
	float all[NULL_LENGTHS];
	assert_ok(feature_query_new(&features, &o->l, NULL_LENGTHS, 16 * STEPS));
	null_batch_make(&b, q, &o->x.data, query);
	for (int i = 0; i < STEPS; i++)
		assert_ok(projector_query(o->p, o->m[i].params, &o->c[i], &b.batch, 1.0f / STEPS, &features, 0));
	for (size_t i = 0; i < features_rows(o->f); i++) {
		assert_true(features_read(o->f, features_example(o->f, i), row, tokens));
		features_row_scores(&features, row, tokens, all);
		scores[i] = all[length];
	}
	feature_query_free(&features);
	free(tokens);
	null_batch_free(&b);
	return scores;
}

static void
check_null(const struct opened *o, const struct null_queries *q, int length, const float *sd)
{
	double *scores[64];
	float *row = xcalloc(o->l.width, sizeof(*row));
	for (int i = 0; i < q->n; i++)
		scores[i] = null_scores(o, q, i, length, row);
	for (size_t r = 0; r < features_rows(o->f); r++) {
		double sum = 0, square = 0, most = 0;
		int n = 0;
		for (int i = 0; i < q->n; i++) {
			if (!null_has(q, i, length) || o->x.examples[q->example[i]].work == o->x.examples[features_example(o->f, r)].work)
				continue;
			sum += scores[i][r];
			square += scores[i][r] * scores[i][r];
			most = fabs(scores[i][r]) > most ? fabs(scores[i][r]) : most;
			n++;
		}
		double want = sqrt((square - sum * sum / n) / (n - 1));
		assert_true(fabs(sd[r] - want) < 1e-4 * most);
	}
	for (int i = 0; i < q->n; i++)
		free(scores[i]);
	free(row);
}

/* Enough held-out examples: queries are held out. More queries than there are: training examples fill in, never their own judge. */
static void
test_null(void **state)
{
	(void)state;
	for (int n = 12; n <= 48; n += 36) {
		struct index_options want = usual();
		struct opened o;
		struct st_file f;
		struct null_queries q;
		const struct st_tensor *t;
		int trained = 0;
		want.null_queries = n;
		rebuild(&want, 1);
		open_index(&o);
		size_t rows = features_rows(o.f);
		float *sd = xcalloc(rows, sizeof(*sd));
		char *path = path_join(run_dir, NULL_FILE);
		null_choose(&q, &o.x);
		assert_int_equal(q.n, n);
		for (int i = 0; i < q.n; i++) {
			trained += !o.x.data.heldout[q.example[i]];
			assert_false(o.x.examples[q.example[i]].opted_out);
		}
		assert_int_equal(trained > 0, n > 40);
		assert_ok(st_open(&f, path));
		assert_ok(st_want(&f, "sd", 2, (const uint64_t[]){ 5, rows }, &t));
		for (int length = 0; length < 5; length += 2) {
			assert_ok(st_read_f32(&f, t, (uint64_t)length * rows, rows, sd));
			check_null(&o, &q, length, sd);
		}
		null_free(&q);
		st_close(&f);
		free(path);
		free(sd);
		close_index(&o);
	}
}

/* ---- stopping and going on ---- */

struct stop { struct job job; int left; bool kill; };

static void
stop_notify(void *arg)
{
	struct stop *s = arg;
	if (--s->left > 0)
		return;
	if (s->kill)
		_exit(7);
	job_cancel(&s->job);
}

/* How many times a whole build reports. */
static int
reports(const struct index_options *o)
{
	struct stop s = { .left = 1 << 30 };
	struct index_options force = *o;
	force.force = true;
	job_init(&s.job);
	s.job.notify = stop_notify;
	s.job.notify_arg = &s;
	assert_ok(build(&force, 1, &s.job));
	job_done(&s.job);
	return (1 << 30) - s.left;
}

/* A child process that dies at its n-th report. */
static void
build_and_die(const struct index_options *o, int n)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct stop s = { .left = n, .kill = true };
		job_init(&s.job);
		s.job.notify = stop_notify;
		s.job.notify_arg = &s;
		_exit(build(o, 1, &s.job) == OK ? 0 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
test_kill(void **state)
{
	enum { TIMES = 9 };
	struct index_options o = usual(), force = usual();
	(void)state;
	int n = reports(&o);
	char *whole = picture();
	force.force = true;
	for (int i = 1; i < TIMES; i++) {
		build_and_die(&force, 1 + n * i / TIMES);
		assert_ok(build(&o, 2, NULL));
		assert_picture(whole);
	}
	/* Killed again and again, each time a little later: it gets there. */
	build_and_die(&force, n / 4);
	build_and_die(&o, n / 3);
	assert_ok(build(&o, 1, NULL));
	assert_picture(whole);
	free(whole);
}

static void
test_cancel(void **state)
{
	struct index_options o = usual(), force = usual();
	(void)state;
	int n = reports(&o);
	char *whole = picture();
	force.force = true;
	for (int i = 1; i < 5; i++) {
		struct stop s = { .left = n * i / 5 };
		job_init(&s.job);
		s.job.notify = stop_notify;
		s.job.notify_arg = &s;
		assert_err(build(&force, 1, &s.job), ERR_CANCELLED);
		job_done(&s.job);
		struct run run;
		struct store *store;
		assert_ok(store_open(store_path, true, &store));
		assert_ok(store_run(store, run_id, &run));
		assert_false(run.indexed);
		run_free(&run);
		store_close(store);
		assert_ok(build(&o, 1, NULL));
		assert_picture(whole);
	}
	free(whole);
}

/* What is lost or spoilt is made again, and what depends on it. */
static void
test_repair(void **state)
{
	static const char *const names[] = { CURVATURE_FILE, "features-00001.safetensors", HIDDEN_FILE, NULL_FILE };
	struct index_options o = usual();
	(void)state;
	rebuild(&o, 1);
	char *whole = picture();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = path_join(run_dir, names[i]);
		assert_int_equal(unlink(path), 0);
		assert_ok(build(&o, 1, NULL));
		assert_picture(whole);
		assert_int_equal(truncate(path, 200), 0);
		assert_ok(build(&o, 1, NULL));
		assert_picture(whole);
		free(path);
	}
	free(whole);
}

/* What a kill in the middle of a write leaves goes, and shards that are too many. */
static void
test_leftovers(void **state)
{
	static const char *const names[] = { "features-00001.safetensors.tmp.7", "curvature-x.part.tmp.1", "features-00002.safetensors",
		"index.json.tmp.33" };
	struct index_options o = usual();
	(void)state;
	rebuild(&o, 1);
	char *whole = picture();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = path_join(run_dir, names[i]);
		assert_ok(file_replace(path, "x", 1));
		free(path);
	}
	assert_ok(build(&o, 1, NULL));
	assert_picture(whole);
	free(whole);
}

/* ---- other options, other weights ---- */

static void
assert_refused(const struct index_options *o, enum err code, const char *word)
{
	assert_err(build(o, 1, NULL), code);
	if (!strstr(err_message(), word))
		fail_msg("\"%s\" does not say \"%s\"", err_message(), word);
}

static void
test_options(void **state)
{
	struct index_options o = usual(), other;
	(void)state;
	rebuild(&o, 1);
	char *whole = picture();
#define REFUSED(field, value, word) (other = o, other.field = value, assert_refused(&other, ERR_MISMATCH, word))
	REFUSED(k, 5, "k 6, not 5");
	REFUSED(bits, 8, "bits 4, not 8");
	REFUSED(seed, 99, "seed");
	REFUSED(checkpoints, 2, "checkpoints");
	REFUSED(curvature_tokens, 7, "curvature tokens");
	REFUSED(null_queries, 9, "null queries");
	REFUSED(curvature_dtype, ST_F32, "curvature in U8, not F32");
#undef REFUSED
	assert_picture(whole);
	other = o;
	other.k = 3;
	assert_refused(&other, ERR_USAGE, "k is 3");
	other = o;
	other.bits = 5;
	assert_refused(&other, ERR_USAGE, "bits");
	other = o;
	other.curvature_dtype = ST_F16;
	assert_refused(&other, ERR_USAGE, "F16");
	other = o;
	other.k = 5;
	other.bits = 8;
	other.checkpoints = 2;
	rebuild(&other, 1);
	struct index_info info;
	assert_ok(index_info_read(run_dir, &info));
	assert_int_equal(info.n_checkpoints, 2);
	assert_string_equal(info.checkpoint[0].name, "step-00000200");
	assert_string_equal(info.checkpoint[1].name, "step-00000300");
	index_info_free(&info);
	free(whole);
}

static void
test_weights(void **state)
{
	struct index_options o = usual();
	(void)state;
	rebuild(&o, 1);
	weights_save("checkpoints/step-00000200", 77, NULL);
	assert_refused(&o, ERR_MISMATCH, "checkpoints/step-00000200");
	weights_save("checkpoints/step-00000200", 2, NULL);
	assert_ok(build(&o, 1, NULL));
}

/* A checkpoint from elsewhere has no siblings. */
static void
test_foreign(void **state)
{
	struct index_options o = usual();
	struct index_info info;
	(void)state;
	char *kept = path_join(run_dir, "checkpoints"), *away = path_join(top, "away");
	assert_int_equal(rename(kept, away), 0);
	rebuild(&o, 1);
	assert_ok(index_info_read(run_dir, &info));
	assert_int_equal(info.n_checkpoints, 1);
	assert_string_equal(info.checkpoint[0].path, "checkpoint");
	index_info_free(&info);
	assert_int_equal(rename(away, kept), 0);
	assert_refused(&o, ERR_MISMATCH, "checkpoints");
	free(kept);
	free(away);
}

/* ---- hostile descriptions ---- */

static void
test_hostile(void **state)
{
	static const struct { const char *what, *with; } harm[] = {
		{ "\"version\": 1", "\"version\": 2" }, { "\"k\": 6", "\"k\": 100000" }, { "\"bits\": 4", "\"bits\": 5" },
		{ "\"rows\": ", "\"rows\": 99999" }, { "\"path\": \"checkpoints/", "\"path\": \"../checkpoints/" },
		{ "\"path\": \"checkpoints/", "\"path\": \"/checkpoints/" }, { "\"dataset\": \"", "\"dataset\": \"x" },
		{ "\"files\": [", "\"files\": 7, \"z\": [" }, { "\"checkpoints\": [", "\"checkpoints\": [ 3, " },
		{ "\"seed\": \"1\"", "\"seed\": \"one\"" }, { "{", "" }, { "\"null_lengths\": [", "\"null_lengths\": [ 64, " },
	};
	struct index_options o = usual();
	struct index_info info;
	struct str good = {0};
	(void)state;
	rebuild(&o, 1);
	char *path = path_join(run_dir, INDEX_FILE);
	assert_ok(file_read(path, 1 << 20, &good));
	for (size_t i = 0; i < ARRAY_LEN(harm); i++) {
		struct str bad = {0};
		const char *at = strstr(good.s, harm[i].what);
		assert_non_null(at);
		str_add(&bad, good.s, (size_t)(at - good.s));
		str_adds(&bad, harm[i].with);
		str_adds(&bad, at + strlen(harm[i].what));
		assert_ok(file_replace(path, bad.s, bad.len));
		enum err err = index_info_read(run_dir, &info);
		if (err != ERR_FORMAT && err != ERR_UNSUPPORTED)
			fail_msg("%s: taken, with code %d", harm[i].with, (int)err);
		assert_refused(&o, err, "--force");
		str_free(&bad);
	}
	assert_ok(file_replace(path, good.s, good.len));
	assert_ok(build(&o, 1, NULL));
	str_free(&good);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, make_run, drop_run);
}
