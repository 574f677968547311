/*
 * trust_scores: bank/scores-METHOD.safetensors: "scores" F32 (queries, examples) of one method, with what they were
 * made from. Made some queries at a time and written after each, so that a kill costs one such piece.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/clock.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/safetensors.h"
#include "trust_private.h"

#define SCORES_FORMAT "byline scores 1"

/* Queries asked together: methods that read every example do so once a piece. */
enum { PIECE = 40 };

static void
queries_hash(const struct bank *b, char hex[HASH_HEX])
{
	struct hash_state h;
	hash_init(&h);
	for (int q = 0; q < b->n_queries; q++) {
		const struct bank_query *x = &b->query[q];
		int32_t shape[2] = { x->n_prompt, x->n_out };
		hash_add(&h, shape, sizeof(shape));
		hash_add(&h, x->token, (size_t)(x->n_prompt + x->n_out) * sizeof(*x->token));
	}
	hash_final(&h, hex);
}

enum err
scores_of(const struct bank *b, struct scores_of *of)
{
	char *path = path_join(b->session->run.dir, "index.json");
	enum err err = OK;
	of->index[0] = '\0';
	if (b->session->index)
		err = hash_file(path, of->index);
	queries_hash(b, of->queries);
	memcpy(of->checkpoint, b->session->checkpoint_sha256, HASH_HEX);
	free(path);
	return err;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

struct task {
	const struct bank *bank;
	const struct scores_of *of;
	const struct method *method;
	char *path;
	float *score;
	int done;			/* queries */
	double seconds;			/* that they took */
};

static bool
meta_is(const struct st_file *f, const char *key, const char *want)
{
	const char *got = st_meta(f, key);
	return got && strcmp(got, want) == 0;
}

static double
meta_number(const struct st_file *f, const char *key, double max)
{
	const char *text = st_meta(f, key);
	double v = text ? strtod(text, NULL) : 0;
	return v >= 0 && v <= max ? v : 0;
}

static bool
is_ours(const struct task *t, const struct st_file *f)
{
	return meta_is(f, "format", SCORES_FORMAT) && meta_is(f, "method", t->method->name)
		&& meta_is(f, "index", t->of->index) && meta_is(f, "queries", t->of->queries)
		&& meta_is(f, "checkpoint", t->of->checkpoint);
}

/* Whatever is wrong with the file: then the scores are made again. */
static void
task_take_up(struct task *t)
{
	struct st_file f = {0};
	const struct st_tensor *scores;
	size_t n = t->bank->session->data.n;
	uint64_t shape[2] = { (uint64_t)t->bank->n_queries, n };
	if (file_exists(t->path) && st_open(&f, t->path) == OK && is_ours(t, &f)
		&& st_want(&f, "scores", 2, shape, &scores) == OK && scores->dtype == ST_F32
		&& st_read_f32(&f, scores, 0, scores->count, t->score) == OK) {
		t->done = (int)meta_number(&f, "done", t->bank->n_queries);
		t->seconds = meta_number(&f, "seconds", 1e12);
	}
	st_close(&f);
	err_clear();
}

static void
meta_add(struct st_writer *w, const char *key, double value)
{
	char *text = xasprintf("%.9g", value);
	st_writer_meta(w, key, text);
	free(text);
}

static enum err
task_write(const struct task *t)
{
	struct st_writer w = {0};
	size_t n = t->bank->session->data.n;
	uint64_t shape[2] = { (uint64_t)t->bank->n_queries, n };
	enum err err;
	TRY_OUT(st_writer_open(&w, t->path));
	st_writer_meta(&w, "format", SCORES_FORMAT);
	st_writer_meta(&w, "method", t->method->name);
	st_writer_meta(&w, "index", t->of->index);
	st_writer_meta(&w, "queries", t->of->queries);
	st_writer_meta(&w, "checkpoint", t->of->checkpoint);
	meta_add(&w, "done", t->done);
	meta_add(&w, "seconds", t->seconds);
	st_writer_declare(&w, "scores", ST_F32, 2, shape);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, t->score, shape[0] * shape[1] * sizeof(float)));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	return err;
}

/* ---- asking ------------------------------------------------------------------------------------------------- */

/* The next few queries, with what each leaves behind given back before the following ones. */
static enum err
task_piece(struct task *t, struct job *job)
{
	const struct bank *b = t->bank;
	struct query *query[PIECE] = {0};
	int n = b->n_queries - t->done < PIECE ? b->n_queries - t->done : PIECE;
	double began = clock_monotonic();
	enum err err = OK;
	for (int i = 0; i < n; i++)
		TRY_OUT(bank_query_open(b, t->done + i, &query[i]));
	TRY_OUT(method_scores(t->method, query, (size_t)n, t->score + (size_t)t->done * b->session->data.n, job));
	t->done += n;
	t->seconds += clock_monotonic() - began;
out:
	for (int i = 0; i < n; i++)
		query_free(query[i]);
	return err;
}

static struct task
task_of(const struct bank *b, const struct scores_of *of, const struct method *m)
{
	return (struct task){ .bank = b, .of = of, .method = m,
		.path = xasprintf("%s/scores-%s.safetensors", b->dir, m->name) };
}

bool
scores_there(const struct bank *b, const struct scores_of *of, const struct method *m)
{
	struct task t = task_of(b, of, m);
	bool there = mem_array(&t.score, (size_t)b->n_queries * b->session->data.n, sizeof(*t.score), "scores") == OK;
	if (there)
		task_take_up(&t);
	err_clear();
	free(t.score);
	free(t.path);
	return there && t.done == b->n_queries;
}

enum err
scores_take(const struct bank *b, const struct scores_of *of, const struct method *m, struct job *job,
	struct scores *out)
{
	struct task t = task_of(b, of, m);
	enum err err;
	*out = (struct scores){0};
	TRY_OUT(mem_array(&t.score, (size_t)b->n_queries * b->session->data.n, sizeof(*t.score), "scores of the bank"));
	task_take_up(&t);
	while (t.done < b->n_queries) {
		TRY_OUT(job_check(job));
		job_note(job, "method %s, %d of %d queries", m->name, t.done, b->n_queries);
		TRY_OUT(task_piece(&t, job));
		TRY_OUT(task_write(&t));
	}
	*out = (struct scores){ t.score, b->n_queries > 0 ? t.seconds / b->n_queries : 0 };
	t.score = NULL;
out:
	free(t.score);
	free(t.path);
	return err == OK ? OK : err_prefix(err, "method %s", m->name);
}

void
scores_free(struct scores *s)
{
	free(s->score);
	*s = (struct scores){0};
}
