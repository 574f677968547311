/* The index captured while a run is trained: what is in it, and that nothing on the way can spoil it. */
#include "config.h"

#include "byline/capture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"
#include "toy.h"
#include "unit.h"

#include "../../src/attrib/capture_internal.h"
#include "../../src/attrib/features_internal.h"
#include "../../src/attrib/index_info.h"

/*
 * A store whose run was trained without a capture and indexed afterwards, the tokenizer and the model it was made with,
 * and what an uninterrupted captured training of the same run leaves. All others begin with a copy of the store, its
 * run's folder emptied.
 */
static struct fixture {
	struct toy toy;
	struct toy_options options;
	struct tokenizer *tokenizer;
	struct model_config config;
	char weights[HASH_HEX];
	char *whole;
} fix;

/* A copy of the store, and how its run is trained. */
struct place {
	char *dir, *run_dir;
	struct store *store;
	struct dataset data;
	struct example *examples;
	struct train_spec spec;
	struct index_options index;
	bool plain;			/* no capture */
	char *refusal;			/* of the last training */
};

/* ---- places ---- */

static void
empty_run(const char *run_dir)
{
	assert_ok(file_remove_tree(run_dir));
	assert_ok(file_mkdirs(run_dir));
}

static void
place_new(struct place *p, const char *name)
{
	struct run run;
	*p = (struct place){ .dir = path_join(fix.toy.top, name) };
	char *copy = xasprintf("rm -rf '%s'; cp -R '%s' '%s'", p->dir, fix.toy.dir, p->dir);
	assert_int_equal(system(copy), 0);
	free(copy);
	assert_ok(store_open(p->dir, false, &p->store));
	assert_ok(store_run(p->store, fix.toy.run, &run));
	p->run_dir = xstrdup(run.dir);
	run_free(&run);
	empty_run(p->run_dir);
	assert_ok(store_set_run_state(p->store, fix.toy.run, false, false));
	assert_ok(store_run_dataset(p->store, fix.toy.run, &p->data, &p->examples));
	p->spec = (struct train_spec){ .data = &p->data, .tokenizer = fix.tokenizer };
	train_defaults(&p->spec.options);
	p->spec.options.seed = 3;
	p->spec.options.epochs = fix.options.epochs;
	p->spec.options.batch = 4;
	p->spec.options.lanes = 2;
	p->spec.options.keep = fix.options.checkpoints;
	p->spec.options.lr = 1e-2;
	p->spec.options.warmup = 4;
	p->spec.options.save_every = 3600;
	index_defaults(&p->index);
	p->index.k = fix.options.k;
	p->index.bits = fix.options.bits;
	p->index.own = 24;
	p->index.null_queries = 8;
	p->index.curvature_tokens = 300;
}

static void
place_free(struct place *p)
{
	if (p->store)
		store_close(p->store);
	dataset_free(&p->data);
	free(p->examples);
	free(p->run_dir);
	free(p->refusal);
	assert_ok(file_remove_tree(p->dir));
	free(p->dir);
}

static char *
place_path(const struct place *p, const char *name)
{
	return path_join(p->run_dir, name);
}

/* As byline train does. */
static enum err
train(struct place *p, int threads, struct job *job)
{
	struct pool *pool = pool_new(threads);
	struct capture *c = NULL;
	struct model m = {0};
	enum err err;
	free(p->refusal);
	p->refusal = NULL;
	TRY_OUT(model_new(&m, &fix.config, true));
	if (!p->plain)
		TRY_OUT(capture_open(&c, p->store, fix.toy.run, &m, &p->spec, &p->index, pool, job));
	p->spec.capture = c ? capture_hooks(c) : NULL;
	TRY_OUT(train_run(&m, p->run_dir, &p->spec, pool, job));
	if (c)
		TRY_OUT(capture_finish(c));
	if (c && capture_refusal(c))
		p->refusal = xstrdup(capture_refusal(c));
out:
	capture_close(c);
	model_free(&m);
	pool_free(pool);
	return err;
}

static enum err
picture_visit(void *arg, const char *rel)
{
	struct { const char *dir; struct str *out; } *a = arg;
	char hex[HASH_HEX], *path = path_join(a->dir, rel);
	enum err err = hash_file(path, hex);
	free(path);
	str_addf(a->out, "%s %s\n", rel, hex);
	return err;
}

/* Names and hashes of all files of the run's folder. */
static char *
picture(const struct place *p)
{
	struct str s = {0};
	struct { const char *dir; struct str *out; } a = { p->run_dir, &s };
	assert_ok(file_walk(p->run_dir, picture_visit, &a));
	return str_take(&s);
}

static void
assert_whole(const struct place *p)
{
	char *got = picture(p);
	size_t same = 0, line = 0;
	while (got[same] && got[same] == fix.whole[same])
		line = got[same++] == '\n' ? same : line;
	/* The line that differs, not both lists. */
	if (got[same] || fix.whole[same])
		fail_msg("%.110s... instead of %.110s...", got + line, fix.whole + line);
	free(got);
}

static void
assert_weights(const struct place *p)
{
	char hex[HASH_HEX], *path = place_path(p, "checkpoint");
	assert_ok(checkpoint_hash(path, hex));
	assert_string_equal(hex, fix.weights);
	free(path);
}

static int
setup(void **state)
{
	struct model m;
	struct place p;
	(void)state;
	setenv("BYLINE_NOW", "1000000000", 1);
	fix.options = toy_small;
	fix.options.epochs = 10;
	fix.options.checkpoints = 4;
	toy_new(&fix.toy, &fix.options);
	char *path = toy_path(&fix.toy, "checkpoint");
	assert_ok(checkpoint_load(path, &m));
	assert_ok(checkpoint_tokenizer(path, &m, &fix.tokenizer));
	assert_ok(checkpoint_hash(path, fix.weights));
	fix.config = m.config;
	model_free(&m);
	free(path);
	place_new(&p, "whole");
	assert_ok(train(&p, 1, NULL));
	fix.whole = picture(&p);
	place_free(&p);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tokenizer_free(fix.tokenizer);
	free(fix.whole);
	toy_free(&fix.toy);
	return 0;
}

/* ---- what a captured run leaves ---- */

static void
test_whole(void **state)
{
	struct place p;
	struct run run;
	struct index_info info;
	(void)state;
	place_new(&p, "again");
	assert_ok(train(&p, 3, NULL));
	assert_whole(&p);
	assert_weights(&p);
	assert_null(strstr(fix.whole, CAPTURE_FILES));
	assert_null(strstr(fix.whole, "resume"));
	assert_ok(store_run(p.store, fix.toy.run, &run));
	assert_true(run.trained && run.indexed);
	run_free(&run);
	assert_ok(index_info_read(p.run_dir, &info));
	assert_int_equal(info.n_checkpoints, 4);
	assert_int_equal(info.options.curvature_tokens, 300);
	/* 7 steps an epoch of 10, the first checkpoint at 18: epochs 3, 5, 7 and 9, counted from 0. */
	assert_int_equal(info.captured.from, 21);
	assert_int_equal(info.captured.every, 2);
	assert_int_equal(info.captured.visits, 4);
	assert_int_equal(info.finished, 1000000000);
	index_info_free(&info);
	assert_ok(train(&p, 1, NULL));
	assert_whole(&p);
	place_free(&p);
}

/* Sessions, and who would index it again. */
static void
test_like_any_other(void **state)
{
	struct place p;
	struct session *s;
	struct pool *pool = pool_new(1);
	(void)state;
	place_new(&p, "other");
	assert_ok(train(&p, 1, NULL));
	assert_ok(session_open(p.store, "toy", 1, &s));
	assert_int_equal(session_checkpoints(s), 4);
	assert_true(session_null_floor(s, 4) > 0);
	session_close(s);
	assert_err(index_build(p.store, fix.toy.run, &p.index, pool, NULL), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "captured while it was trained; index with --force"));
	assert_whole(&p);
	p.index.force = true;
	assert_ok(index_build(p.store, fix.toy.run, &p.index, pool, NULL));
	struct index_info info;
	assert_ok(index_info_read(p.run_dir, &info));
	assert_int_equal(info.captured.visits, 0);
	index_info_free(&info);
	pool_free(pool);
	place_free(&p);
}

/* Opened by hand, as a stranger would read it. */
struct opened {
	struct index_info info;
	struct model m;			/* of the checkpoint the features were taken at */
	struct curvature c;
	struct feature_layout l;
	struct features *f;
	struct st_file hidden;
};

static void
open_first(struct opened *o, const struct place *p)
{
	struct st_file f;
	struct pool *pool = pool_new(1);
	char *path;
	assert_ok(index_info_read(p->run_dir, &o->info));
	path = place_path(p, o->info.checkpoint[0].path);
	assert_ok(checkpoint_load(path, &o->m));
	free(path);
	path = place_path(p, CURVATURE_FILE);
	assert_ok(st_open(&f, path));
	assert_ok(curvature_load(&f, o->info.checkpoint[0].name, &o->m, pool, &o->c));
	st_close(&f);
	free(path);
	feature_layout_plan(&o->l, &o->m, o->info.options.k, o->info.options.own, o->info.options.bits);
	const struct index_file *curvature = index_info_file(&o->info, CURVATURE_FILE);
	assert_ok(features_open(p->run_dir, &o->l, curvature->sha256, p->data.n, &o->f));
	path = place_path(p, HIDDEN_FILE);
	assert_ok(st_open(&o->hidden, path));
	free(path);
	pool_free(pool);
}

static void
close_first(struct opened *o)
{
	st_close(&o->hidden);
	features_close(o->f);
	feature_layout_free(&o->l);
	curvature_free(&o->c);
	model_free(&o->m);
	index_info_free(&o->info);
}

static void
check_row(const struct opened *o, size_t row, const float *want)
{
	const struct shard *s = o->f->shard;
	float *got = xcalloc(o->l.width, sizeof(*got));
	features_dequantise(&o->l, s->codes + row * o->l.code_bytes, s->scales + row * (size_t)o->l.n_blocks, got);
	for (int b = 0; b < o->l.n_blocks; b++) {
		size_t from = o->l.block[b].at, to = from + block_values(&o->l.block[b]);
		float most = 0;
		for (size_t j = from; j < to; j++)
			most = fabsf(want[j]) > most ? fabsf(want[j]) : most;
		assert_true(most > 0);
		for (size_t j = from; j < to; j++)
			assert_true(fabsf(want[j] - got[j]) <= most / 127 * 0.51f);
	}
	free(got);
}

/* One step an epoch and one visit, in full dimension: the weights of that step are those of the checkpoint before, so a
 * row is what projecting there says, and the hidden state what a forward pass says. */
static void
test_lossless(void **state)
{
	struct place p;
	struct opened o;
	struct ragged r = {0};
	(void)state;
	place_new(&p, "lossless");
	p.spec.options.epochs = 2;
	p.spec.options.batch = 64;
	p.spec.options.keep = 2;
	p.index.k = 256;
	p.index.bits = 8;
	assert_ok(train(&p, 2, NULL));
	open_first(&o, &p);
	assert_int_equal(o.info.captured.visits, 1);
	assert_int_equal(o.l.block[0].ka, 16);
	assert_int_equal(o.l.block[0].ks, 8);
	struct projector *projector = projector_new(&o.m, &o.l);
	struct acts *acts = acts_new(&o.m);
	float *want = xcalloc(o.l.width, sizeof(*want));
	uint32_t tokens[24], *count = xcalloc((size_t)o.l.vocab, sizeof(*count));
	feature_tokens_count(&p.data, o.l.vocab, count);
	for (size_t row = 0; row < features_rows(o.f); row++) {
		uint32_t example = features_example(o.f, row);
		const struct st_tensor *t = st_find(&o.hidden, "hidden");
		float got[8], mean[8] = {0};
		ragged_fill(&r, &p.data, &example, 1);
		memset(want, 0, o.l.width * sizeof(*want));
		feature_tokens(&p.data, example, count, 24, tokens);
		assert_ok(projector_rows(projector, o.m.params, &o.c, &r.batch, tokens, 1, want));
		check_row(&o, row, want);
		assert_ok(model_forward(&o.m, o.m.params, acts, &r.batch));
		for (int i = 0; i < r.batch.rows * 8; i++)
			mean[i % 8] += acts_hidden(acts)[i] / (float)r.batch.rows;
		assert_ok(st_read_f32(&o.hidden, t, row * 8, 8, got));
		for (int i = 0; i < 8; i++)
			assert_true(fabsf(got[i] - mean[i]) < 2e-3f * (1 + fabsf(mean[i])));
	}
	assert_true(features_rows(o.f) > 20);
	free(want);
	free(count);
	acts_free(acts);
	projector_free(projector);
	ragged_free(&r);
	close_first(&o);
	place_free(&p);
}

/* Scores of the trained examples under a query, by the store's features. */
static size_t
feature_scores(struct session *s, const char *target, double *scores)
{
	struct query *q = toy_query(s, "the ", target);
	float *all = xcalloc(s->data.n, sizeof(*all));
	size_t n = 0;
	assert_ok(query_scores(q, NULL));
	assert_ok(query_span_scores(q, 0, q->n_out, all, NULL));
	for (size_t i = 0; i < s->data.n; i++)
		if (session_trained_on(s, i))
			scores[n++] = (double)all[i];
	free(all);
	query_free(q);
	return n;
}

/* Measured here: 0.988 to 0.994. */
static void
test_ranks_like_an_index(void **state)
{
	static const char *const targets[] = { "boat and the tide. ", "bread and the oven. ", "snow and the hill. " };
	struct place p;
	struct session *captured, *after;
	(void)state;
	place_new(&p, "ranks");
	p.index.curvature_tokens = 0;
	assert_ok(train(&p, 2, NULL));
	assert_ok(session_open(p.store, "toy", 1, &captured));
	after = toy_session(&fix.toy, 1);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		double *x = xcalloc(captured->data.n, sizeof(*x)), *y = xcalloc(captured->data.n, sizeof(*y));
		size_t n = feature_scores(captured, targets[i], x);
		assert_int_equal(feature_scores(after, targets[i], y), n);
		double rho = stats_spearman(x, y, n);
		if (!(rho > 0.9))
			fail_msg("\"%s\": Spearman %.3f over %zu examples", targets[i], rho, n);
		print_message("Spearman %.3f\n", rho);
		free(x);
		free(y);
	}
	session_close(captured);
	session_close(after);
	place_free(&p);
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

static void
stop_init(struct stop *s, int left, bool kill)
{
	*s = (struct stop){ .left = left, .kill = kill };
	job_init(&s->job);
	s->job.notify = stop_notify;
	s->job.notify_arg = s;
}

static int
reports(void)
{
	struct place p;
	struct stop s;
	place_new(&p, "reports");
	stop_init(&s, 1 << 30, false);
	assert_ok(train(&p, 1, &s.job));
	job_done(&s.job);
	place_free(&p);
	return (1 << 30) - s.left;
}

static void
test_cancel(void **state)
{
	enum { TIMES = 14 };
	int n = reports();
	(void)state;
	for (int i = 1; i < TIMES; i++) {
		struct place p;
		struct stop s;
		struct run run;
		place_new(&p, "cancelled");
		/* The end of a run is full of reports: most stops fall into the training, others into the index. */
		stop_init(&s, i < TIMES - 3 ? 5 * i : n - 3 * (TIMES - i), false);
		assert_err(train(&p, 1 + i % 3, &s.job), ERR_CANCELLED);
		job_done(&s.job);
		assert_ok(store_run(p.store, fix.toy.run, &run));
		assert_false(run.indexed);
		run_free(&run);
		assert_ok(train(&p, 1 + (i + 1) % 3, NULL));
		assert_whole(&p);
		place_free(&p);
	}
}

/* In a child, while nobody here has the store. */
static pid_t
train_in_child(struct place *p, int reports_left)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct stop s;
		stop_init(&s, reports_left, true);
		if (store_open(p->dir, false, &p->store) == OK && train(p, 2, &s.job) == OK)
			_exit(0);
		fprintf(stderr, "%s\n", err_message());
		_exit(1);
	}
	return child;
}

static void
place_leave(struct place *p)
{
	store_close(p->store);
	p->store = NULL;
}

/* Dies at its n-th report, again and again, each time a little later. */
static void
test_die(void **state)
{
	int n = reports(), status, at = 3;
	struct place p;
	(void)state;
	place_new(&p, "died");
	place_leave(&p);
	/* A resume point after every step: the sums of half an epoch are behind it. */
	p.spec.options.save_every = 0;
	for (;; at += 7) {
		assert_true(at < n + 7);
		pid_t child = train_in_child(&p, at);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), 7);
	}
	assert_whole(&p);
	place_free(&p);
}

static void
test_kill(void **state)
{
	struct place p;
	struct rng r;
	int killed = 0, status;
	(void)state;
	place_new(&p, "killed");
	place_leave(&p);
	rng_init(&r, (uint64_t)time(NULL), 0);
	for (long patience = 20000;; patience += 10000) {
		long nap = (long)rng_below(&r, (uint64_t)patience);
		const struct timespec t = { .tv_sec = nap / 1000000, .tv_nsec = nap % 1000000 * 1000 };
		p.spec.options.save_every = (int)rng_below(&r, 2) * 3600;
		pid_t child = train_in_child(&p, 1 << 30);
		nanosleep(&t, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		killed++;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	if (killed == 0)
		print_message("no child was killed\n");
	assert_whole(&p);
	place_free(&p);
}

static void
test_full_disk(void **state)
{
	struct place p;
	struct rlimit old, tight;
	(void)state;
	place_new(&p, "full");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	tight = (struct rlimit){ 60000, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	enum err err = train(&p, 2, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, ERR_IO);
	assert_non_null(strstr(err_message(), "no room for the"));
	assert_ok(train(&p, 2, NULL));
	assert_whole(&p);
	place_free(&p);
}

/* ---- what is damaged, or of something else ---- */

static void
stop_in_training(void *arg)
{
	struct stop *s = arg;
	if (strcmp(s->job.phase, "training") == 0 && atomic_load(&s->job.done) >= (uint64_t)s->left)
		job_cancel(&s->job);
}

/* Trains until the middle of the second visit, and leaves a resume point there. */
static void
train_some(struct place *p, bool plain)
{
	struct stop s;
	stop_init(&s, 38, false);
	s.job.notify = stop_in_training;
	p->plain = plain;
	assert_err(train(p, 1, &s.job), ERR_CANCELLED);
	assert_int_equal(atomic_load(&s.job.done), 38);
	p->plain = false;
	job_done(&s.job);
}

static void
assert_refused(struct place *p, enum err code, const char *word)
{
	assert_err(train(p, 1, NULL), code);
	if (!strstr(err_message(), word))
		fail_msg("\"%s\" does not say \"%s\"", err_message(), word);
}

static void
test_damaged(void **state)
{
	struct place p;
	struct str good = {0}, bad = {0};
	(void)state;
	place_new(&p, "damaged");
	train_some(&p, false);
	char *path = place_path(&p, CAPTURE_ROWS_FILE);
	assert_ok(file_read(path, 1 << 26, &good));
	/* Its head, its length, and every slot there is. */
	static const size_t heads[] = { 0, 30, 100, 112, 120 };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		str_clear(&bad);
		str_add(&bad, good.s, good.len);
		bad.s[heads[i]] ^= 4;
		assert_ok(file_replace(path, bad.s, bad.len));
		assert_refused(&p, ERR_FORMAT, "damaged");
	}
	for (size_t n = 0; n < good.len; n += good.len / 5) {
		assert_ok(file_replace(path, good.s, n));
		assert_refused(&p, ERR_FORMAT, "damaged");
	}
	for (size_t at = 4096 + 70; at < good.len; at += 512)
		bad.s[at] ^= 1;
	assert_ok(file_replace(path, bad.s, bad.len));
	bad.s[heads[ARRAY_LEN(heads) - 1]] ^= 4;
	assert_ok(file_replace(path, bad.s, bad.len));
	assert_refused(&p, ERR_FORMAT, "not whole");
	assert_non_null(strstr(err_message(), "--no-capture"));
	assert_ok(file_replace(path, good.s, good.len));
	assert_ok(train(&p, 2, NULL));
	assert_whole(&p);
	free(path);
	str_free(&good);
	str_free(&bad);
	place_free(&p);
}

static void
test_other_options(void **state)
{
	struct place p;
	(void)state;
	place_new(&p, "options");
	train_some(&p, false);
	p.index.k = 5;
	assert_refused(&p, ERR_MISMATCH, "another --k");
	p.index.k = fix.options.k;
	p.index.curvature_tokens = 301;
	assert_refused(&p, ERR_MISMATCH, "--curvature-tokens");
	p.index.curvature_tokens = 300;
	p.index.k = 3;
	assert_refused(&p, ERR_USAGE, "k is 3");
	p.index.k = fix.options.k;
	/* A lost part is measured again from the checkpoint it belongs to. */
	char *part = place_path(&p, "capture-step-00000018.part");
	char *second = place_path(&p, "capture-step-00000035.part");
	assert_int_equal(unlink(part), 0);
	assert_int_equal(truncate(second, 100), 0);
	assert_ok(train(&p, 1, NULL));
	assert_whole(&p);
	free(part);
	free(second);
	place_free(&p);
}

/* A part of the run went by unseen: the run is trained all the same, and indexed afterwards. */
static void
test_missed(void **state)
{
	struct place p;
	struct run run;
	struct pool *pool = pool_new(1);
	(void)state;
	place_new(&p, "missed");
	train_some(&p, true);
	assert_ok(train(&p, 1, NULL));
	assert_non_null(p.refusal);
	assert_string_equal(p.refusal, "a part of it was trained without");
	assert_weights(&p);
	assert_ok(store_run(p.store, fix.toy.run, &run));
	assert_false(run.indexed);
	run_free(&run);
	assert_ok(index_build(p.store, fix.toy.run, &p.index, pool, NULL));
	/* And a run that had ended. */
	empty_run(p.run_dir);
	p.plain = true;
	assert_ok(train(&p, 1, NULL));
	p.plain = false;
	assert_ok(train(&p, 1, NULL));
	assert_string_equal(p.refusal, "it was trained without");
	pool_free(pool);
	place_free(&p);
}

static void
test_refusals(void **state)
{
	static const struct { int epochs, keep; const char *why; } cases[] = {
		{ 10, 1, "it keeps only its last checkpoint" },
		{ 1, 4, "no whole epoch follows its first kept checkpoint" },
		{ 2, 2, NULL },
	};
	struct place p;
	(void)state;
	place_new(&p, "refusals");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		empty_run(p.run_dir);
		p.spec.options.epochs = cases[i].epochs;
		p.spec.options.keep = cases[i].keep;
		assert_ok(train(&p, 1, NULL));
		assert_int_equal(p.refusal == NULL, cases[i].why == NULL);
		if (p.refusal)
			assert_string_equal(p.refusal, cases[i].why);
	}
	empty_run(p.run_dir);
	uint8_t *drop = xcalloc(p.data.n, 1);
	p.spec.drop = drop;
	assert_ok(train(&p, 1, NULL));
	assert_string_equal(p.refusal, "examples are left out of it");
	free(drop);
	place_free(&p);
}

static void
test_hostile(void **state)
{
	static const char *const harm[] = { "\"captured\": 3,", "\"captured\": {},",
		"\"captured\": { \"from_step\": 0, \"every_epochs\": 2, \"visits\": 4 },",
		"\"captured\": { \"from_step\": 21, \"every_epochs\": 0, \"visits\": 4 },",
		"\"captured\": { \"from_step\": 21, \"every_epochs\": 2, \"visits\": -4 },",
		"\"captured\": { \"from_step\": 21, \"every_epochs\": 2, \"visits\": 1e9 }," };
	struct place p;
	struct index_info info;
	struct str good = {0};
	(void)state;
	place_new(&p, "hostile");
	assert_ok(train(&p, 1, NULL));
	char *path = place_path(&p, INDEX_FILE);
	assert_ok(file_read(path, 1 << 20, &good));
	char *at = strstr(good.s, "\"captured\": {"), *end = strstr(at, "},");
	for (size_t i = 0; i < ARRAY_LEN(harm); i++) {
		struct str bad = {0};
		str_add(&bad, good.s, (size_t)(at - good.s));
		str_adds(&bad, harm[i]);
		str_adds(&bad, end + 2);
		assert_ok(file_replace(path, bad.s, bad.len));
		assert_err(index_info_read(p.run_dir, &info), ERR_FORMAT);
		str_free(&bad);
	}
	str_free(&good);
	free(path);
	place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_like_any_other),
		cmocka_unit_test(test_lossless),
		cmocka_unit_test(test_ranks_like_an_index),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_die),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_other_options),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
