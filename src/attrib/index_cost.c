/* index_cost: what an index would take, and the bytes of its files. */
#include "index_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "curvature_io.h"
#include "features_internal.h"

/* ---- the process ---- */

/* A line of /proc/self/status, in bytes. */
static size_t
status_bytes(const char *key)
{
	char line[256];
	size_t kilobytes = 0, n = strlen(key);
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, n) == 0)
			kilobytes = strtoull(line + n, NULL, 10);
	if (f)
		fclose(f);
	return kilobytes * 1024;
}

size_t
cost_resident(void)
{
	return status_bytes("VmRSS:");
}

size_t
cost_most_resident(void)
{
	return status_bytes("VmHWM:");
}

/* ---- files ---- */

static uint64_t
curvature_bytes(const struct cost *c)
{
	const struct indexing *x = c->x;
	int n = x->info.n_checkpoints;
	const char **name = xcalloc((size_t)n + 1, sizeof(*name));
	char **key = xcalloc((size_t)n + 1, sizeof(*key));
	struct curvature_meta *meta = xcalloc((size_t)n + 1, sizeof(*meta));
	meta[n] = (struct curvature_meta){ "index", x->identity };
	for (int i = 0; i < n; i++) {
		name[i] = x->info.checkpoint[i].name;
		key[i] = xasprintf("checkpoint.%s", name[i]);
		meta[i] = (struct curvature_meta){ key[i], x->info.checkpoint[i].sha256 };
	}
	uint64_t bytes = curvature_file_bytes(&x->model, &c->curvature, n, name, &c->options,
		x->info.options.curvature_dtype, meta, n + 1);
	for (int i = 0; i < n; i++)
		free(key[i]);
	free(key);
	free(meta);
	free(name);
	return bytes;
}

/* Of a file that one of the stages declares. */
static uint64_t
declared_bytes(const struct indexing *x, void (*declare)(const struct indexing *x, struct st_writer *w))
{
	struct st_writer w;
	st_writer_plan(&w);
	declare(x, &w);
	uint64_t bytes = st_writer_size(&w);
	st_writer_abort(&w);
	return bytes;
}

static void
declare_null(const struct indexing *x, struct st_writer *w)
{
	indexing_null_declare(x, w, x->info.n_null_lengths);
}

/* Notes it as the index will. */
static void
add_file(struct cost *c, const char *name, uint64_t bytes)
{
	struct index_info *info = &c->x->info;
	info->file = xreallocarray(info->file, (size_t)info->n_files + 1, sizeof(*info->file));
	struct index_file *f = &info->file[info->n_files++];
	*f = (struct index_file){ .name = xstrdup(name), .bytes = (int64_t)bytes };
	memset(f->sha256, '0', HASH_HEX - 1);
	c->out->disk += bytes;
}

static void
add_shards(struct cost *c)
{
	size_t rows = (size_t)c->x->info.n_rows;
	struct shard_spec spec = { &c->x->layout, c->x->curvature_sha256, 0, (rows + SHARD_ROWS - 1) / SHARD_ROWS };
	for (; spec.number < spec.shards; spec.number++) {
		size_t from = spec.number * SHARD_ROWS;
		char *path = shard_path("", spec.number);
		add_file(c, path, shard_bytes(&spec, rows - from < SHARD_ROWS ? rows - from : SHARD_ROWS));
		free(path);
	}
}

void
cost_disk(struct cost *c)
{
	struct indexing *x = c->x;
	struct str text = {0};
	memset(x->curvature_sha256, '0', HASH_HEX - 1);
	add_file(c, CURVATURE_FILE, curvature_bytes(c));
	add_shards(c);
	add_file(c, HIDDEN_FILE, declared_bytes(x, indexing_hidden_declare));
	add_file(c, NULL_FILE, declared_bytes(x, declare_null));
	x->info.finished = x->info.begun = 1;
	index_info_print(&text, &x->model, &x->info);
	c->out->disk += text.len;
	str_free(&text);
}

/* ---- all of it ---- */

static enum err
cost_open(struct cost *c)
{
	struct indexing *x = c->x;
	const struct index_options *o = &x->info.options;
	struct null_queries q;
	size_t before = cost_resident();
	TRY(indexing_open(x));
	feature_layout_plan(&x->layout, &x->model, o->k, o->own, o->bits);
	null_choose(&q, x);
	x->info.n_null_lengths = q.n_lengths;
	memcpy(x->info.null_length, null_lengths, sizeof(null_lengths));
	null_free(&q);
	c->options = indexing_curvature_options(x);
	c->resident = cost_resident();
	c->opening = cost_most_resident() - (before < c->resident ? before : c->resident);
	return OK;
}

static void
cost_sum(struct index_cost *out)
{
	for (int i = 0; i < INDEX_STAGES; i++)
		out->seconds += out->stage[i];
}

enum err
index_cost(struct store *s, int64_t run, const struct index_options *o, struct pool *pool, struct job *job,
	struct index_cost *out)
{
	enum err err;
	struct indexing x = { .store = s, .pool = pool, .job = job };
	struct cost c = { .x = &x, .out = out };
	*out = (struct index_cost){0};
	TRY(indexing_check(o));
	TRY_OUT(store_run(s, run, &x.run));
	x.info.options = *o;
	TRY_OUT(cost_open(&c));
	TRY_OUT(cost_time(&c));
	cost_disk(&c);
	cost_memory(&c);
	cost_sum(out);
out:
	fit_end(&c.fit);
	curvature_free(&c.curvature);
	model_free(&c.m);
	indexing_close(&x);
	return err;
}
