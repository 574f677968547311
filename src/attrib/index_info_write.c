/* index_info_write: index.json as it is written. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/clock.h"
#include "byline/file.h"
#include "byline/features.h"
#include "byline/json.h"

#include "index_info.h"

static void
set(json_t *to, const char *key, json_t *value)
{
	json_object_set_new(to, key, value);
}

static json_t *
options_json(const struct index_options *o)
{
	char seed[32];
	json_t *to = json_object();
	snprintf(seed, sizeof(seed), "%" PRIu64, o->seed);
	set(to, "k", json_integer(o->k));
	set(to, "bits", json_integer(o->bits));
	set(to, "own", json_integer(o->own));
	set(to, "checkpoints", json_integer(o->checkpoints));
	set(to, "curvature_tokens", json_integer((json_int_t)o->curvature_tokens));
	set(to, "curvature_dtype", json_string(st_dtype_name(o->curvature_dtype)));
	set(to, "null_queries", json_integer(o->null_queries));
	set(to, "seed", json_string(seed));
	return to;
}

static json_t *
captured_json(const struct index_captured *c)
{
	json_t *to = json_object();
	set(to, "from_step", json_integer(c->from));
	set(to, "every_epochs", json_integer(c->every));
	set(to, "visits", json_integer(c->visits));
	return to;
}

static json_t *
checkpoints_json(const struct index_info *info)
{
	json_t *to = json_array();
	for (int i = 0; i < info->n_checkpoints; i++) {
		json_t *c = json_object();
		set(c, "name", json_string(info->checkpoint[i].name));
		set(c, "path", json_string(info->checkpoint[i].path));
		set(c, "sha256", json_string(info->checkpoint[i].sha256));
		json_array_append_new(to, c);
	}
	return to;
}

static json_t *
layers_json(const struct model *m, const struct index_options *o)
{
	json_t *to = json_array();
	struct feature_layout layout;
	feature_layout_plan(&layout, m, o->k, o->own, o->bits);
	for (int i = 0; i < layout.n_blocks; i++) {
		const struct feature_block *b = &layout.block[i];
		const struct linear *l = &m->linears[b->linear];
		json_t *x = json_object();
		set(x, "linear", json_string(l->name));
		set(x, "in", json_integer(l->in));
		set(x, "out", json_integer(l->out));
		set(x, "ka", json_integer(b->ka));
		set(x, b->own ? "own" : "ks", json_integer(b->ks));
		json_array_append_new(to, x);
	}
	feature_layout_free(&layout);
	return to;
}

static json_t *
files_json(const struct index_info *info)
{
	json_t *to = json_array();
	for (int i = 0; i < info->n_files; i++) {
		json_t *f = json_object();
		set(f, "name", json_string(info->file[i].name));
		set(f, "bytes", json_integer(info->file[i].bytes));
		set(f, "sha256", json_string(info->file[i].sha256));
		json_array_append_new(to, f);
	}
	return to;
}

static void
set_times(json_t *to, const struct index_info *info)
{
	char iso[32];
	clock_iso(info->begun, iso);
	set(to, "begun", json_integer(info->begun));
	set(to, "begun_iso", json_string(iso));
	clock_iso(info->finished, iso);
	set(to, "finished", info->finished ? json_integer(info->finished) : json_null());
	set(to, "finished_iso", info->finished ? json_string(iso) : json_null());
	set(to, "seconds", json_real(info->seconds));
}

void
index_info_print(struct str *out, const struct model *m, const struct index_info *info)
{
	json_t *to = json_object(), *lengths = json_array();
	for (int i = 0; i < info->n_null_lengths; i++)
		json_array_append_new(lengths, json_integer(info->null_length[i]));
	set(to, "version", json_integer(1));
	set(to, "options", options_json(&info->options));
	if (info->captured.visits > 0)
		set(to, "captured", captured_json(&info->captured));
	set(to, "checkpoints", checkpoints_json(info));
	set(to, "layers", layers_json(m, &info->options));
	set(to, "dataset", json_string(info->dataset));
	set(to, "examples", json_integer(info->n_examples));
	set(to, "rows", json_integer(info->n_rows));
	set(to, "tokens_per_example", json_real(info->tokens_per_example));
	set(to, "null_lengths", lengths);
	set(to, "files", files_json(info));
	set_times(to, info);
	json_print(out, to, 2);
	str_addc(out, '\n');
	json_decref(to);
}

enum err
index_info_write(const char *run_dir, const struct model *m, const struct index_info *info)
{
	struct str text = {0};
	char *path = path_join(run_dir, INDEX_FILE);
	index_info_print(&text, m, info);
	enum err err = file_replace(path, text.s, text.len);
	free(path);
	str_free(&text);
	return err;
}
