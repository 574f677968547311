/* index: curvature, features and the noise floor of a run, or of a checkpoint from elsewhere. */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/attrib.h"
#include "byline/checkpoint.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/scores.h"

struct index_args {
	const char *run, *checkpoint;
	int own, k, bits, checkpoints, null_queries, dtype, threads, context;
	int64_t curvature_tokens;
	uint64_t seed;
	bool estimate, json, force, quiet;
};

#define FIELD(f) offsetof(struct index_args, f)
static const struct option index_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", NULL,
		.help = "the run; the newest that waits for its index when not given"},
	{"checkpoint", OPTION_TEXT, FIELD(checkpoint), "PATH", NULL,
		.help = "index this Hugging Face directory or GGUF file as a new run, named by --run"},
	{"context", OPTION_INT, FIELD(context), "N", "256", 32, 1 << 16,
		.help = "longest example, in tokens, for --checkpoint"},
	{"k", OPTION_INT, FIELD(k), "N", "64", 4, 256, .help = "projection width a side; 32 is the small preset"},
	{"own", OPTION_INT, FIELD(own), "N", "96", 1, 4096,
		.help = "tokens of its own that an example keeps rows of the unembedding for"},
	{"bits", OPTION_INT, FIELD(bits), "N", "4", 4, 8, .help = "bits of a stored value: 4 or 8"},
	{"checkpoints", OPTION_INT, FIELD(checkpoints), "N", "0", 0, 1000,
		.help = "how many of the kept checkpoints to average over; 0 means all"},
	{"curvature-tokens", OPTION_LONG, FIELD(curvature_tokens), "N", "200000", 0, 1LL << 40,
		.help = "training tokens the curvature is estimated from; 0 means all"},
	{"curvature-dtype", OPTION_CHOICE, FIELD(dtype), "TYPE", "u8",
		.choices = "f32 u8", .help = "number type of the stored eigenvalues; u8 is logarithmic, within 5%"},
	{"null-queries", OPTION_INT, FIELD(null_queries), "N", "32", 2, 4096,
		.help = "unrelated queries behind the noise floor"},
	{"seed", OPTION_SEED, FIELD(seed), "N", "1", .help = "of projections and sampled labels"},
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "worker threads; the result does not depend on it"},
	{"estimate", OPTION_FLAG, FIELD(estimate),
		.help = "say what time, memory and disk it would take, from a sample of the work, and leave"},
	{"json", OPTION_FLAG, FIELD(json), .help = "with --estimate: print one JSON object"},
	{"force", OPTION_FLAG, FIELD(force), .help = "begin again instead of resuming or keeping"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

static const enum st_dtype dtypes[] = {ST_F32, ST_U8};

/* The foreign checkpoint stays where it is: the run's folder links to it, and its SHA-256 is kept in the index. */
static enum err
link_checkpoint(const struct run *run, const char *dir)
{
	char real[PATH_MAX];
	if (!realpath(dir, real))
		return err_set(ERR_MISSING, "%s: there is no such checkpoint", dir);
	TRY(file_mkdirs(run->dir));
	char *link = path_join(run->dir, "checkpoint");
	enum err err = symlink(real, link) == 0 ? OK : err_set(ERR_IO, "%s: cannot make the link: %s", link,
		strerror(errno));
	free(link);
	return err;
}

/* A run that is there is indexed again with the weights it has, or not at all. */
static enum err
same_checkpoint(const struct run *run, const char *checkpoint)
{
	char has[HASH_HEX], given[HASH_HEX], *dir = path_join(run->dir, "checkpoint");
	enum err err = checkpoint_hash(checkpoint, given);
	if (err == OK)
		err = checkpoint_hash(dir, has);
	if (err == OK && strcmp(has, given) != 0)
		err = err_set(ERR_MISMATCH, "run %s is there, and has other weights than %s: name another with --run",
			run->name, checkpoint);
	free(dir);
	return err;
}

static enum err
foreign_again(struct store *s, const struct index_args *a, const struct run *run)
{
	char *linked = store_linked_checkpoint(run);
	bool own = !linked;
	free(linked);
	if (scores_run(run))
		return err_set(ERR_UNSUPPORTED, "run %s holds imported scores and no model: there is nothing to index",
			run->name);
	if (own)
		return same_checkpoint(run, a->checkpoint);
	return a->estimate ? OK : index_relink(s, run, a->checkpoint);
}

static enum err
foreign_make(struct store *s, const struct index_args *a, struct job *job, struct run *run)
{
	const char *const sources[] = { a->checkpoint, NULL };
	struct model_config config;
	struct model m = {0};
	struct tokenizer *t = NULL;
	int64_t id;
	int32_t bos;
	enum err err;
	TRY_OUT(checkpoint_verify(a->checkpoint));
	TRY_OUT(checkpoint_config(a->checkpoint, &config));
	TRY_OUT(model_new(&m, &config, false));
	TRY_OUT(checkpoint_tokenizer(a->checkpoint, &m, &t));
	TRY_OUT(checkpoint_begin(a->checkpoint, &m, t, &bos));
	const struct run_spec spec = {
		.name = a->run, .tokenizer = t, .bos = bos, .seed = a->seed, .heldout = 0.05, .recipe = "{}",
		.max_tokens = a->context < m.config.n_ctx ? a->context : m.config.n_ctx,
	};
	TRY_OUT(store_clear_run(s, a->run, sources));
	TRY_OUT(store_create_run(s, &spec, job, &id));
	TRY_OUT(store_run(s, id, run));
	TRY_OUT(link_checkpoint(run, a->checkpoint));
	TRY_OUT(store_set_run_state(s, id, true, false));
	run->trained = true;
out:
	model_free(&m);
	tokenizer_free(t);
	return err;
}

/* One without a journal was never trained: this command was killed before it had linked the weights, or `byline train`
 * before its first step. */
static enum err
foreign_begin(struct store *s, const struct index_args *a, struct job *job, struct run *run)
{
	if (!a->run)
		return err_set(ERR_USAGE, "--checkpoint needs --run NAME, the name it gets in the store");
	if (store_find_run(s, a->run, run) != OK)
		return foreign_make(s, a, job, run);
	if (run->trained)
		return foreign_again(s, a, run);
	if (file_in_dir(run->dir, "journal.jsonl"))
		return OK;
	TRY(store_delete_run(s, run->id));
	run_free(run);
	return foreign_make(s, a, job, run);
}

/* Leaves the id of the newest run that is trained and not indexed. */
static enum err
waiting(void *arg, const struct run *r)
{
	int64_t *id = arg;
	if (r->trained && !r->indexed)
		*id = r->id;
	return OK;
}

static enum err
index_find(struct store *s, const struct index_args *a, struct job *job, struct run *run)
{
	int64_t id = 0;
	if (!a->checkpoint && !a->run)
		TRY(store_each_run(s, waiting, &id));
	TRY(a->checkpoint ? foreign_begin(s, a, job, run) : id ? store_run(s, id, run)
		: store_find_run(s, a->run, run));
	if (scores_run(run))
		return err_set(ERR_UNSUPPORTED, "run %s holds imported scores and no model: there is nothing to index",
			run->name);
	if (!run->trained)
		return err_set(ERR_MISSING, "run %s is not trained to its end; byline train %s --run %s finishes it",
			run->name, store_dir(s), run->name);
	return OK;
}

/* ---- what it takes ---- */

static const char *const stage_names[INDEX_STAGES] = {
	"curvature", "eigenvectors", "features", "hidden states", "noise floor", "files",
};

static void
cost_json(const struct index_cost *c)
{
	json_t *stages = json_object();
	for (int i = 0; i < INDEX_STAGES; i++)
		json_object_set_new(stages, stage_names[i], json_real(c->stage[i]));
	print_json(json_pack("{s:f, s:f, s:o, s:I, s:{s:I, s:I, s:I}, s:I}", "seconds", c->seconds,
		"processor_seconds", c->processor, "stages", stages,
		"memory_bytes", (json_int_t)c->memory, "memory_of", "weights", (json_int_t)c->weights, "activations",
		(json_int_t)c->batch, "curvature", (json_int_t)c->curvature, "disk_bytes", (json_int_t)c->disk));
}

static void
cost_line(struct str *out, const struct index_cost *c)
{
	char time[32];
	clock_duration(c->seconds, time);
	str_addf(out, "indexing takes about %s (", time);
	for (int i = 0; i < INDEX_STAGES; i++) {
		clock_duration(c->stage[i], time);
		str_addf(out, "%s%s %s", i ? ", " : "", stage_names[i], time);
	}
	str_addf(out, "), %.0f MB of memory and %.1f MB of disk", (double)c->memory / 1e6, (double)c->disk / 1e6);
}

static void
index_say(const struct index_cost *c, const struct index_args *a)
{
	struct str line = {0};
	cost_line(&line, c);
	if (!a->estimate)
		complain("%s", line.s);
	else if (a->json)
		cost_json(c);
	else
		say("%s\n", line.s);
	str_free(&line);
}

/* A run made for the estimate alone goes again. */
static enum err
foreign_end(struct store *s, const struct run *run)
{
	TRY(store_delete_run(s, run->id));
	return file_remove_tree(run->dir);
}

static bool
is_there(struct store *s, const char *name)
{
	struct run run = {0};
	bool there = name && store_find_run(s, name, &run) == OK;
	run_free(&run);
	err_clear();
	return there;
}

/* ---- the command ---- */

static void
index_chosen(const struct index_args *a, struct index_options *o)
{
	index_defaults(o);
	o->k = a->k;
	o->own = a->own;
	o->bits = a->bits;
	o->checkpoints = a->checkpoints;
	o->curvature_tokens = (uint64_t)a->curvature_tokens;
	o->null_queries = a->null_queries;
	o->curvature_dtype = dtypes[a->dtype];
	o->seed = a->seed;
	o->force = a->force;
}

/* The run, and what its index would take, unless nobody wants to know. */
static enum err
index_begin(struct store *s, const struct index_args *a, const struct index_options *o, struct pool *pool,
	struct run *run, struct index_cost *cost)
{
	bool passing = a->estimate && a->checkpoint && !is_there(s, a->run);
	struct job *job = watch_begin(a->quiet);
	enum err err = index_find(s, a, job, run);
	if (err == OK && (a->estimate || !a->quiet))
		err = index_cost(s, run->id, o, pool, job, cost);
	if (passing && run->id)
		err = foreign_end(s, run) == OK ? err : ERR_IO;
	watch_end(job);
	return err;
}

static enum err
index_store(struct store *s, const struct index_args *a, struct run *run)
{
	struct index_options o;
	struct index_cost cost;
	struct pool *pool = pool_new(a->threads);
	index_chosen(a, &o);
	enum err err = index_begin(s, a, &o, pool, run, &cost);
	if (err == OK && (a->estimate || !a->quiet))
		index_say(&cost, a);
	if (err == OK && !a->estimate) {
		struct job *job = watch_begin(a->quiet);
		err = index_build(s, run->id, &o, pool, job);
		watch_end(job);
	}
	pool_free(pool);
	return err;
}

static int
index_run(const void *options, char **args, int n_args)
{
	const struct index_args *a = options;
	struct store *s;
	struct run run = {0};
	(void)n_args;
	if (a->json && !a->estimate)
		return fail(err_set(ERR_USAGE, "--json goes with --estimate"));
	enum err err = store_open(args[0], a->estimate && !a->checkpoint, &s);
	if (err != OK)
		return fail(err);
	err = index_store(s, a, &run);
	if (err == OK && !a->estimate)
		say("run %s is indexed: %" PRId64 " examples\nnext: byline %s\n", run.name, run.n_train, args[0]);
	run_free(&run);
	store_close(s);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_index = {
	.name = "index", .group = "Build", .args = "STORE",
	.summary = "Make a run ready for queries: curvature, features, noise floor",
	.min_args = 1, .max_args = 1, .run = index_run, OPTIONS(index_table, struct index_args),
};
