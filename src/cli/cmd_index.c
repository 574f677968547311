/* index: curvature, features and the noise floor of a run, or of a checkpoint from elsewhere. */
#include "commands.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/attrib.h"
#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"

struct index_args {
	const char *run, *checkpoint;
	int own, k, bits, checkpoints, null_queries, dtype, threads, context;
	int64_t curvature_tokens;
	uint64_t seed;
	bool force, quiet;
};

#define FIELD(f) offsetof(struct index_args, f)
static const struct option index_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", NULL,
		.help = "the run; the newest that waits for its index when not given"},
	{"checkpoint", OPTION_TEXT, FIELD(checkpoint), "DIR", NULL,
		.help = "index this Hugging Face directory as a new run, named by --run"},
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
	{"force", OPTION_FLAG, FIELD(force), .help = "begin again instead of resuming or keeping"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

static const enum st_dtype dtypes[] = {ST_F32, ST_U8};

/* The foreign directory stays where it is: the run's folder links to it, and its SHA-256 is kept in the index. */
static enum err
link_checkpoint(const struct run *run, const char *dir)
{
	char real[PATH_MAX];
	if (!realpath(dir, real))
		return err_set(ERR_MISSING, "%s: there is no such checkpoint directory", dir);
	TRY(file_mkdirs(run->dir));
	char *link = path_join(run->dir, "checkpoint");
	enum err err = symlink(real, link) == 0 || file_exists(link) ? OK
		: err_set(ERR_IO, "%s: cannot make the link", link);
	free(link);
	return err;
}

static enum err
foreign_begin(struct store *s, const struct index_args *a, struct job *job, struct run *run)
{
	struct model m = {0};
	struct tokenizer *t = NULL;
	int64_t id;
	enum err err;
	if (!a->run)
		return err_set(ERR_USAGE, "--checkpoint needs --run NAME, the name it gets in the store");
	if (store_find_run(s, a->run, run) == OK)
		return OK;
	TRY_OUT(checkpoint_load(a->checkpoint, &m));
	TRY_OUT(checkpoint_tokenizer(a->checkpoint, &m, &t));
	const struct run_spec spec = {
		.name = a->run, .tokenizer = t, .bos = m.config.bos, .seed = a->seed, .heldout = 0.05, .recipe = "{}",
		.max_tokens = a->context < m.config.n_ctx ? a->context : m.config.n_ctx,
	};
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
	if (a->checkpoint)
		return foreign_begin(s, a, job, run);
	int64_t id = 0;
	if (!a->run)
		TRY(store_each_run(s, waiting, &id));
	TRY(id ? store_run(s, id, run) : store_find_run(s, a->run, run));
	if (!run->trained)
		return err_set(ERR_MISSING, "run %s is not trained to its end; byline train %s --run %s finishes it",
			run->name, store_dir(s), run->name);
	return OK;
}

static enum err
index_store(struct store *s, const struct index_args *a, struct job *job, struct run *run)
{
	struct index_options o;
	index_defaults(&o);
	o.k = a->k;
	o.own = a->own;
	o.bits = a->bits;
	o.checkpoints = a->checkpoints;
	o.curvature_tokens = (uint64_t)a->curvature_tokens;
	o.null_queries = a->null_queries;
	o.curvature_dtype = dtypes[a->dtype];
	o.seed = a->seed;
	o.force = a->force;
	TRY(index_find(s, a, job, run));
	struct pool *pool = pool_new(a->threads);
	enum err err = index_build(s, run->id, &o, pool, job);
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
	enum err err = store_open(args[0], false, &s);
	if (err != OK)
		return fail(err);
	struct job *job = watch_begin(a->quiet);
	err = index_store(s, a, job, &run);
	watch_end(job);
	if (err == OK)
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
