/* bergson_import: see bergson.h. */
#include "byline/bergson.h"

#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "bergson_files.h"
#include "bergson_index.h"
#include "taking.h"

struct import {
	struct store *store;
	struct taking taking;
	const struct bergson_import *o;
	struct job *job;
	struct bergson_report *report;
	struct model model;
	struct tokenizer *tokenizer;
	struct bergson_info info;
	struct run run;
	bool made;			/* the run, by this import */
	struct bergson_record record;
	int64_t *work;			/* by record of the examples, 0: none */
	uint64_t n;			/* records seen */
};

/* ---- before anything is written --------------------------------------------------------------------------------- */

static enum err
check_model(struct import *k)
{
	struct bergson_plan plan;
	TRY(checkpoint_map(k->o->checkpoint, &k->model));
	TRY(checkpoint_tokenizer(k->o->checkpoint, &k->model, &k->tokenizer));
	TRY(checkpoint_hash(k->o->checkpoint, k->record.checkpoint));
	enum err err = bergson_plan_make(&plan, &k->model, &k->info, false);
	if (err != OK)
		return err_prefix(err, "%s", k->o->dir);
	bergson_plan_free(&plan);
	return OK;
}

static enum err
check_records(struct import *k)
{
	uint64_t records;
	TRY(import_count(k->o->examples, &records));
	if (records != k->info.n_items)
		return err_set(ERR_MISMATCH, "%s has %llu records, and the index has %llu examples: give the data it "
			"was built from, in its order", k->o->examples, (unsigned long long)records,
			(unsigned long long)k->info.n_items);
	return OK;
}

static enum err
check_offsets(const struct import *k)
{
	uint64_t *offset = NULL;
	if (!k->info.tokens)
		return OK;
	enum err err = bergson_offsets_read(k->o->dir, &k->info, &offset);
	free(offset);
	return err;
}

static enum err
check_run(struct import *k)
{
	char hex[HASH_HEX];
	enum err err = store_find_run(k->store, k->o->run, &k->run);
	if (err == ERR_MISSING) {
		err_clear();
		return OK;
	}
	TRY(err);
	if (!k->run.trained && file_in_dir(k->run.dir, "journal.jsonl"))
		return err_set(ERR_MISMATCH, "run %s is being trained: name another with --run", k->o->run);
	char *dir = path_join(k->run.dir, "checkpoint");
	err = file_is_dir(dir) ? checkpoint_hash(dir, hex) : OK;
	if (err == OK && file_is_dir(dir) && strcmp(hex, k->record.checkpoint) != 0)
		err = err_set(ERR_MISMATCH, "run %s is there, and has other weights than %s: name another with --run",
			k->o->run, k->o->checkpoint);
	free(dir);
	return err;
}

/* ---- examples --------------------------------------------------------------------------------------------------- */

static void
record_taken(void *arg, int64_t work)
{
	struct import *k = arg;
	if (k->n < k->info.n_items)
		k->work[k->n++] = work;
}

static void
record_skipped(void *arg, const char *file, int64_t line, const char *reason)
{
	struct import *k = arg;
	record_taken(k, 0);
	if (k->o->import.skipped)
		k->o->import.skipped(k->o->import.arg, file, line, reason);
}

static enum err
take_examples(struct import *k)
{
	struct import_options o = k->o->import;
	struct import_report report = {0};
	o.format = "jsonl";
	o.strict = false;
	o.taken = record_taken;
	o.skipped = record_skipped;
	o.arg = k;
	TRY(mem_array(&k->work, k->info.n_items, sizeof(*k->work), "examples of an index"));
	enum err err = import_path(k->store, k->o->examples, &o, k->job, &report);
	k->report->added = (uint64_t)report.added;
	import_report_free(&report);
	if (err == OK && k->n != k->info.n_items)
		err = err_set(ERR_MISMATCH, "%s changed while it was read", k->o->examples);
	return err;
}

static enum err
make_run(struct import *k)
{
	if (k->run.id)
		return OK;
	const char *const sources[] = { k->o->dir, k->o->checkpoint, k->o->examples, NULL };
	int64_t id;
	int32_t bos;
	TRY(store_clear_run(k->store, k->o->run, sources));
	TRY(checkpoint_begin(k->o->checkpoint, &k->model, k->tokenizer, &bos));
	const struct run_spec spec = { .name = k->o->run, .tokenizer = k->tokenizer, .bos = bos,
		.max_tokens = k->model.config.n_ctx, .recipe = "{}" };
	TRY(store_create_run(k->store, &spec, k->job, &id));
	k->made = true;
	return store_run(k->store, id, &k->run);
}

/* ---- whose rows are whose --------------------------------------------------------------------------------------- */

struct first { int64_t work; uint64_t example; uint32_t n; bool used; };

static int
first_cmp(const void *a, const void *b)
{
	int64_t x = ((const struct first *)a)->work, y = ((const struct first *)b)->work;
	return (x > y) - (x < y);
}

/* Of each work its first example; those of a work stand together, and works in order of their ids. */
static size_t
firsts_make(const struct example *e, size_t n, struct first *to)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (count > 0 && to[count - 1].work == e[i].work)
			to[count - 1].n++;
		else
			to[count++] = (struct first){ e[i].work, i, 1, false };
	}
	qsort(to, count, sizeof(*to), first_cmp);
	return count;
}

static void
match(struct import *k, struct first *first, size_t n)
{
	for (uint64_t i = 0; i < k->info.n_items; i++) {
		const struct first key = { .work = k->work[i] };
		struct first *f = n ? bsearch(&key, first, n, sizeof(key), first_cmp) : NULL;
		k->record.example[i] = f ? (int64_t)f->example : -1;
		k->report->none += f ? 0 : 1;
		k->report->cut += f && f->n > 1 ? 1 : 0;
		k->report->again += f && f->used ? 1 : 0;
		if (f)
			f->used = true;
	}
}

static enum err
match_examples(struct import *k)
{
	struct dataset data = {0};
	struct example *e = NULL;
	k->record.n = k->info.n_items;
	memcpy(k->record.dataset, k->run.dataset, HASH_HEX);
	TRY(mem_array(&k->record.example, k->record.n, sizeof(*k->record.example), "examples of an index"));
	enum err err = store_run_dataset(k->store, k->run.id, &data, &e);
	if (err == OK) {
		struct first *first = xcalloc(data.n + 1, sizeof(*first));
		match(k, first, firsts_make(e, data.n, first));
		free(first);
	}
	if (err == OK && k->report->none == k->info.n_items)
		err = err_set(ERR_MISMATCH, "none of the %llu examples is one of run %s: name another with --run",
			(unsigned long long)k->info.n_items, k->run.name);
	dataset_free(&data);
	free(e);
	return err;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static bool
same_folder(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	bool same = x && y && strcmp(x, y) == 0;
	free(x);
	free(y);
	return same;
}

static enum err
make_folder(struct import *k, const char *link)
{
	struct undo *u = &k->taking.files;
	if (k->made || !file_exists(k->run.dir))
		TRY(undo_add(u, k->run.dir));
	TRY(file_mkdirs(k->run.dir));
	if (file_is_dir(link))
		return OK;
	TRY(undo_add(u, link));
	return bergson_link(k->o->checkpoint, link);
}

/* The index may be given as what the run has of it already: its copy, or that of an import that was killed. */
static bool
stands_in(const struct import *k, const char *folder, const char *now)
{
	char *path = path_join(k->run.dir, folder);
	bool in = same_folder(k->o->dir, path) && (!file_is_link(path) || (folder == now && !k->o->copy));
	free(path);
	return in;
}

/* Another name than that of the index that is there, which goes on answering. */
static const char *
choose_folder(const struct import *k, bool *stands)
{
	const char *now = bergson_record_folder(k->run.dir), *other = bergson_folders[now == bergson_folders[0]];
	*stands = true;
	for (int i = 0; i < BERGSON_FOLDERS; i++)
		if (stands_in(k, bergson_folders[i], now))
			return bergson_folders[i];
	*stands = false;
	return other;
}

static enum err
bring_index(struct import *k)
{
	bool stands;
	enum err err;
	k->record.folder = choose_folder(k, &stands);
	char *folder = path_join(k->run.dir, k->record.folder);
	TRY_OUT(bergson_real(k->o->dir, &k->record.source));
	if (!stands) {
		TRY_OUT(file_remove_any(folder));
		TRY_OUT(undo_add(&k->taking.files, folder));
		TRY_OUT(k->o->copy ? bergson_copy(k->o->dir, folder, k->job) : bergson_link(k->o->dir, folder));
	}
	TRY_OUT(bergson_check_rows(folder, &k->info, k->job, &k->report->broken, k->record.gradients));
	if (k->report->broken == k->info.n_rows)
		err = err_set(ERR_FORMAT, "%s: not one of its %llu rows of gradients is finite: build it again",
			k->o->dir, (unsigned long long)k->info.n_rows);
out:
	free(folder);
	return err;
}

/* Until bergson.json is replaced the old index answers, and the new one from then on. */
static enum err
take_files(struct import *k)
{
	char *link = path_join(k->run.dir, "checkpoint"), *record = path_join(k->run.dir, BERGSON_FILE);
	enum err err;
	TRY_OUT(make_folder(k, link));
	TRY_OUT(bring_index(k));
	TRY_OUT(undo_add(&k->taking.files, record));
	TRY_OUT(bergson_record_write(k->run.dir, &k->record));
	TRY_OUT(store_set_run_state(k->store, k->run.id, true, k->run.indexed));
	for (int i = 0; err == OK && i < BERGSON_FOLDERS; i++)
		if (bergson_folders[i] != k->record.folder)
			err = store_forget_files(k->store, k->run.id, bergson_folders[i]);
out:
	free(link);
	free(record);
	return err;
}

/* Everything that can be refused before anything is stored. */
static enum err
check(struct import *k)
{
	TRY(bergson_info_read(k->o->dir, &k->info));
	TRY(check_offsets(k));
	TRY(check_model(k));
	TRY(check_records(k));
	return check_run(k);
}

static enum err
take(struct import *k)
{
	TRY(take_examples(k));
	TRY(make_run(k));
	TRY(match_examples(k));
	k->report->examples = k->info.n_items;
	k->report->rows = k->info.n_rows;
	k->report->width = k->info.width;
	return take_files(k);
}

enum err
bergson_import(struct store *s, const struct bergson_import *o, struct job *job, struct bergson_report *r)
{
	struct import k = { .store = s, .o = o, .job = job, .report = r };
	*r = (struct bergson_report){0};
	enum err err = check(&k);
	if (err == OK)
		err = taking_begin(&k.taking, s);
	if (err == OK)
		err = taking_end(&k.taking, take(&k), job);
	if (err == OK)
		bergson_tidy(k.run.dir);
	free(k.work);
	bergson_record_free(&k.record);
	bergson_info_free(&k.info);
	run_free(&k.run);
	tokenizer_free(k.tokenizer);
	model_free(&k.model);
	return err;
}
