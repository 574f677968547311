/* scores_import: another library's scores into a store: works, a run without a model, its queries and their scores. */
#include "scores_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/import.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "taking.h"

/* Text is cut into tokens for the store's sake alone: what a megabyte teaches is enough. */
enum { VOCABULARY = 4096, TAUGHT_BYTES = 1 << 20, EXAMPLE_MOST = 1 << 24 };

struct importing {
	struct store *store;
	struct taking taking;
	const struct scores_options *o;
	struct job *job;
	struct score_matrix matrix;
	struct scored_queries queries;
	bool by_output;			/* the third dimension is of the output's tokens */
	int64_t *work;			/* by column */
	size_t n_works, cap;
	uint32_t *example;		/* by column; UINT32_MAX: who made it opted out */
	struct run run;
	struct dataset data;
	struct example *examples;
	struct tokenizer *tokenizer;
};

/* ---- works ---- */

static void
work_taken(void *arg, int64_t work)
{
	struct importing *im = arg;
	mem_grow(&im->work, &im->cap, im->n_works + 1, sizeof(*im->work));
	im->work[im->n_works++] = work;
}

static int
id_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int64_t
count_distinct(const struct importing *im)
{
	int64_t *sorted = xcalloc(im->n_works + 1, sizeof(*sorted)), n = 0;
	memcpy(sorted, im->work, im->n_works * sizeof(*sorted));
	if (im->n_works > 0)
		qsort(sorted, im->n_works, sizeof(*sorted), id_cmp);
	for (size_t i = 0; i < im->n_works; i++)
		n += i == 0 || sorted[i] != sorted[i - 1];
	free(sorted);
	return n;
}

static enum err
import_works(struct importing *im)
{
	const struct import_options o = { .format = "jsonl", .strict = true, .taken = work_taken, .arg = im,
		.max_bytes = EXAMPLE_MOST - 8 };
	struct import_report report = {0};
	enum err err = import_path(im->store, im->o->examples, &o, im->job, &report);
	import_report_free(&report);
	TRY(err);
	if (im->n_works != im->matrix.examples)
		return err_set(ERR_MISMATCH, "%s has %zu examples, and %s scores of %" PRIu64, im->o->examples,
			im->n_works, im->o->scores, im->matrix.examples);
	return OK;
}

/* ---- the run ---- */

struct texts { struct importing *im; size_t at, taught; struct str text; };

static bool
texts_next(void *arg, const char **text, size_t *n)
{
	struct texts *t = arg;
	if (t->at >= t->im->n_works || t->taught >= TAUGHT_BYTES)
		return false;
	str_clear(&t->text);
	if (store_work_text(t->im->store, t->im->work[t->at++], &t->text) != OK)
		return false;
	*text = t->text.s ? t->text.s : "";
	*n = t->text.len < TAUGHT_BYTES ? t->text.len : TAUGHT_BYTES;
	t->taught += *n;
	return true;
}

static void
texts_rewind(void *arg)
{
	struct texts *t = arg;
	t->at = t->taught = 0;
}

static enum err
teach_tokenizer(struct importing *im)
{
	struct texts t = { .im = im };
	const struct text_source source = { texts_next, texts_rewind, &t };
	enum err err = tokenizer_train(&im->tokenizer, &source, VOCABULARY, im->job);
	str_free(&t.text);
	return err;
}

static enum err
longest(void *arg, const struct work *w)
{
	int64_t *most = arg;
	*most = w->bytes > *most ? w->bytes : *most;
	return OK;
}

static char *
recipe(const struct importing *im)
{
	struct str text = {0};
	json_t *o = json_pack("{s:{s:o, s:o, s:b}}", "imported", "source", json_text(im->o->source,
		strlen(im->o->source)), "file", json_text(path_base(im->o->scores), strlen(path_base(im->o->scores))),
		"per_token", im->by_output);
	json_print(&text, o, 0);
	json_decref(o);
	return str_take(&text);
}

/* Every work of the store is an example of its own, none of them cut. */
static enum err
make_run(struct importing *im)
{
	int64_t most = 64, id;
	const char *const sources[] = { im->o->scores, im->o->examples, im->o->queries, NULL };
	char *path = NULL, *text = NULL;
	enum err err;
	TRY_OUT(store_each_work(im->store, longest, &most));
	if (most > EXAMPLE_MOST - 8)
		TRY_OUT(err_set(ERR_LIMIT, "%s holds a text of %" PRId64 " bytes, too long for one example",
			store_dir(im->store), most));
	TRY_OUT(teach_tokenizer(im));
	text = recipe(im);
	const struct run_spec spec = { .name = im->o->run, .tokenizer = im->tokenizer, .bos = 0, .recipe = text,
		.max_tokens = (int)most + 8 };
	TRY_OUT(store_clear_run(im->store, im->o->run, sources));
	TRY_OUT(store_create_run(im->store, &spec, im->job, &id));
	TRY_OUT(store_run(im->store, id, &im->run));
	TRY_OUT(undo_add(&im->taking.files, im->run.dir));
	TRY_OUT(file_mkdirs(im->run.dir));
	path = path_join(im->run.dir, "tokenizer.json");
	TRY_OUT(tokenizer_save(im->tokenizer, path));
	err = store_run_dataset(im->store, id, &im->data, &im->examples);
out:
	free(path);
	free(text);
	return err;
}

/* Examples are in order of works. */
static void
find_examples(struct importing *im)
{
	im->example = xcalloc(im->n_works + 1, sizeof(*im->example));
	for (size_t i = 0; i < im->n_works; i++) {
		size_t low = 0, high = im->data.n;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (im->examples[middle].work < im->work[i])
				low = middle + 1;
			else
				high = middle;
		}
		bool found = low < im->data.n && im->examples[low].work == im->work[i];
		im->example[i] = found ? (uint32_t)low : UINT32_MAX;
	}
}

/* ---- scores ---- */

static int
rows_of(const struct importing *im, const struct scored_query *q)
{
	return im->by_output ? q->n_out : 1;
}

/* The scores of one query, (n_out, examples of the run): what two records of one work have is added up. */
static void
spread(const struct importing *im, const struct scored_query *q, const double *in, float *out)
{
	size_t n = im->data.n, tokens = im->matrix.tokens ? (size_t)im->matrix.tokens : 1;
	int rows = rows_of(im, q);
	for (size_t i = 0; i < n * (size_t)rows; i++)
		out[i] = NAN;
	for (size_t c = 0; c < im->n_works; c++) {
		if (im->example[c] == UINT32_MAX)
			continue;
		for (int r = 0; r < rows; r++) {
			double sum = 0;
			float *to = out + (size_t)r * n + im->example[c];
			for (size_t t = (size_t)r; t < (im->by_output ? (size_t)r + 1 : tokens); t++)
				sum += in[c * tokens + t];
			sum = im->o->negate ? -sum : sum;
			*to = (float)(isnan(*to) ? sum : *to + sum);
		}
	}
}

/* What was added up may be too large, where no score by itself was. */
static enum err
check_sums(const struct importing *im, size_t query, const float *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isinf(out[i]))
			return err_set(ERR_FORMAT, "%s: the scores of query %zu (counting from 0), added up for an "
				"example, are too large for single precision: scale them down", im->o->scores, query);
	return OK;
}

static void
declare(const struct importing *im, struct st_writer *w)
{
	st_writer_meta(w, "format", SCORES_FORMAT);
	st_writer_meta(w, "source", im->o->source);
	for (size_t i = 0; i < im->queries.n; i++) {
		char name[32];
		uint64_t shape[2] = { (uint64_t)rows_of(im, &im->queries.v[i]), im->data.n };
		scores_tensor_name(i, name);
		st_writer_declare(w, name, ST_F32, 2, shape);
	}
}

static enum err
write_scores(struct importing *im)
{
	enum err err;
	struct st_writer w = {0};
	char *path = path_join(im->run.dir, SCORES_FILE);
	size_t tokens = im->matrix.tokens ? (size_t)im->matrix.tokens : 1, most = 1;
	double *in = NULL;
	float *out = NULL;
	for (size_t i = 0; i < im->queries.n; i++)
		most = (size_t)im->queries.v[i].n_out > most ? (size_t)im->queries.v[i].n_out : most;
	TRY_OUT(mem_array(&in, im->n_works * tokens, sizeof(*in), "scores of a query"));
	TRY_OUT(mem_array(&out, im->data.n * most, sizeof(*out), "scores of a query"));
	TRY_OUT(st_writer_open(&w, path));
	declare(im, &w);
	TRY_OUT(st_writer_begin(&w));
	job_phase(im->job, "scores", im->queries.n);
	for (size_t i = 0; i < im->queries.n; i++) {
		const struct scored_query *q = &im->queries.v[i];
		TRY_OUT(job_check(im->job));
		TRY_OUT(score_matrix_read(&im->matrix, i, in));
		spread(im, q, in, out);
		TRY_OUT(check_sums(im, i, out, (size_t)rows_of(im, q) * im->data.n));
		TRY_OUT(st_writer_f32(&w, ST_F32, out, (uint64_t)rows_of(im, q) * im->data.n));
		job_step(im->job, i + 1);
	}
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	free(path);
	free(in);
	free(out);
	return err;
}

static enum err
save_queries(struct importing *im)
{
	/* The list of saved queries has the newest first. */
	for (size_t i = im->queries.n; i-- > 0;) {
		int64_t id;
		char *settings = scored_query_settings(&im->queries.v[i], i, im->by_output);
		struct saved_query q = { .run = im->run.id, .prompt = im->queries.v[i].prompt, .settings = settings,
			.output = im->queries.v[i].output };
		enum err err = store_save_query(im->store, &q, &id);
		free(settings);
		TRY(err);
	}
	return OK;
}

/* ---- the whole ---- */

/* Everything that can be refused before anything is stored. */
static enum err
import_check(struct importing *im)
{
	const struct scores_options *o = im->o;
	bool kronfluence;
	TRY(score_matrix_open(o->scores, &im->matrix));
	kronfluence = im->matrix.module != NULL;
	im->by_output = im->matrix.tokens > 0
		&& (o->tokens == SCORE_TOKENS_OUTPUT || (o->tokens == SCORE_TOKENS_AUTO && !kronfluence));
	TRY(scored_queries_read(o->queries, im->by_output ? im->matrix.tokens : 0, &im->queries));
	if (im->queries.n != im->matrix.queries)
		return err_set(ERR_MISMATCH, "%s has %zu queries, and %s scores of %" PRIu64, o->queries, im->queries.n,
			o->scores, im->matrix.queries);
	if (im->matrix.examples > UINT32_MAX - 1)
		return err_set(ERR_LIMIT, "%s: more examples than can be counted", o->scores);
	return OK;
}

static enum err
import_all(struct importing *im, struct scores_report *out)
{
	TRY(import_works(im));
	TRY(make_run(im));
	find_examples(im);
	TRY(write_scores(im));
	TRY(save_queries(im));
	TRY(store_set_run_state(im->store, im->run.id, true, true));
	if (im->o->settle)
		TRY(im->o->settle(im->store, im->o->run, im->job));
	out->queries = (int64_t)im->queries.n;
	out->examples = (int64_t)im->n_works;
	out->works = count_distinct(im);
	out->shared = out->examples - out->works;
	out->per_token = im->by_output;
	return OK;
}

enum err
scores_import(struct store *s, const struct scores_options *o, struct job *job, struct scores_report *out)
{
	struct importing im = { .store = s, .o = o, .job = job };
	*out = (struct scores_report){0};
	enum err err = import_check(&im);
	if (err == OK)
		err = taking_begin(&im.taking, s);
	if (err == OK)
		err = taking_end(&im.taking, import_all(&im, out), job);
	score_matrix_close(&im.matrix);
	scored_queries_free(&im.queries);
	free(im.work);
	free(im.example);
	free(im.examples);
	dataset_free(&im.data);
	tokenizer_free(im.tokenizer);
	run_free(&im.run);
	return err;
}
