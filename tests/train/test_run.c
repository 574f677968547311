/* run: a run folder survives kills, cancels and full disks, and ends as if nothing had happened. */
#include "config.h"	/* memmem */

#include "byline/train.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/train/journal.h"
#include "../../src/train/resume.h"
#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "toy.h"

/* A folder to work in, one recipe, and what an uninterrupted run of it leaves. */
static struct fixture {
	char top[64];
	struct dataset d;
	struct train_spec spec;
	struct model m;			/* the final weights */
	struct str tree;		/* names and hashes of the files */
} fix;

static char *
under(const char *name)
{
	return path_join(fix.top, name);
}

static enum err
list_file(void *arg, const char *rel)
{
	struct { const char *dir; struct str *out; } *a = arg;
	char hex[HASH_HEX], *path = path_join(a->dir, rel);
	TRY(hash_file(path, hex));
	str_addf(a->out, "%s %s\n", rel, hex);
	free(path);
	return OK;
}

static void
tree(const char *dir, struct str *out)
{
	struct { const char *dir; struct str *out; } a = { dir, out };
	str_clear(out);
	str_adds(out, "");
	assert_ok(file_walk(dir, list_file, &a));
}

static enum err
run_with(const char *dir, const struct train_spec *spec, int threads, struct job *job)
{
	struct pool *pool = pool_new(threads);
	struct model m;
	toy_model(&m);
	enum err err = train_run(&m, dir, spec, pool, job);
	if (err == OK && spec == &fix.spec && fix.m.params)
		assert_same_weights(&m, &fix.m);
	model_free(&m);
	pool_free(pool);
	return err;
}

static void
check_tree(const char *dir)
{
	struct str got = {0};
	tree(dir, &got);
	assert_string_equal(got.s, fix.tree.s);
	str_free(&got);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(fix.top, "/tmp/byline-run-XXXXXX");
	if (!mkdtemp(fix.top))
		return -1;
	toy_dataset(&fix.d, 60, 1);
	fix.spec.data = &fix.d;
	toy_options(&fix.spec.options);
	fix.spec.options.keep = 4;
	struct pool *pool = pool_new(2);
	char *dir = under("whole");
	toy_model(&fix.m);
	enum err err = train_run(&fix.m, dir, &fix.spec, pool, NULL);
	if (err == OK)
		tree(dir, &fix.tree);
	else
		print_error("%s\n", err_message());
	free(dir);
	pool_free(pool);
	return err == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dataset_free(&fix.d);
	model_free(&fix.m);
	str_free(&fix.tree);
	return file_remove_tree(fix.top) == OK ? 0 : -1;
}

/* ---- what a run leaves ---- */

static void
test_folder(void **state)
{
	(void)state;
	static const char *const files[] = {
		"checkpoint/config.json ", "checkpoint/model.safetensors ",
		"checkpoints/step-00000006/model.safetensors ", "checkpoints/step-00000012/model.safetensors ",
		"checkpoints/step-00000018/model.safetensors ", "checkpoints/step-00000024/model.safetensors ",
		"journal.jsonl ",
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_non_null(strstr(fix.tree.s, files[i]));
	assert_null(strstr(fix.tree.s, "resume"));
	assert_null(strstr(fix.tree.s, "lock"));
	assert_null(strstr(fix.tree.s, "tmp"));
}

static void
test_journal(void **state)
{
	(void)state;
	struct train_journal j;
	char *dir = under("whole");
	assert_ok(train_journal_read(dir, &j));
	assert_true(j.finished);
	assert_int_equal(j.n_checkpoints, 4);
	for (int i = 0; i < 4; i++) {
		char name[64], hex[HASH_HEX], *path;
		snprintf(name, sizeof(name), "checkpoints/step-%08d", (int)j.checkpoints[i].step);
		path = path_join(dir, name);
		assert_ok(checkpoint_hash(path, hex));
		assert_string_equal(hex, j.checkpoints[i].sha256);
		assert_true(j.checkpoints[i].heldout > 0 && j.checkpoints[i].loss > 0 && j.checkpoints[i].lr > 0);
		free(path);
	}
	train_journal_free(&j);
	free(dir);
}

/* What the journal tells is enough to come to every kept checkpoint again. */
static void
test_replay(void **state)
{
	(void)state;
	struct train_journal j;
	struct pool *pool = pool_new(3);
	char *dir = under("whole");
	assert_ok(train_journal_read(dir, &j));
	for (int i = 0; i < j.n_checkpoints; i++) {
		char name[64], *path;
		struct model kept = {0}, again = {0};
		struct train_spec spec = { .data = &fix.d, .options = j.options };
		snprintf(name, sizeof(name), "checkpoints/step-%08d", (int)j.checkpoints[i].step);
		path = path_join(dir, name);
		assert_ok(checkpoint_load(path, &kept));
		assert_ok(model_new(&again, &j.config, true));
		assert_ok(train_replay(&again, &spec, j.checkpoints[i].step, pool, NULL));
		assert_same_weights(&kept, &again);
		model_free(&kept);
		model_free(&again);
		free(path);
	}
	train_journal_free(&j);
	pool_free(pool);
	free(dir);
}

static void
test_finished(void **state)
{
	(void)state;
	char *dir = under("whole");
	assert_ok(run_with(dir, &fix.spec, 1, NULL));
	check_tree(dir);
	struct train_spec other = fix.spec;
	other.options.beta2 = 0.95;
	assert_err(run_with(dir, &other, 1, NULL), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "beta2 is 0.99 there, 0.95 here"));
	check_tree(dir);
	free(dir);
}

static void
test_half_precision(void **state)
{
	(void)state;
	char *dir = under("half"), *path = path_join(dir, "checkpoint");
	struct train_spec spec = fix.spec;
	struct model kept = {0};
	spec.options.dtype = ST_BF16;
	assert_ok(run_with(dir, &spec, 1, NULL));
	assert_ok(checkpoint_load(path, &kept));
	for (size_t i = 0; i < kept.n_params; i++)
		assert_true(fabsf(kept.params[i] - fix.m.params[i]) <= fabsf(fix.m.params[i]) / 256);
	assert_memory_not_equal(kept.params, fix.m.params, kept.n_params * sizeof(float));
	model_free(&kept);
	free(path);
	free(dir);
}

/* ---- interruptions ---- */

struct stop { struct job job; uint64_t at; };

static void
stop_at(void *arg)
{
	struct stop *s = arg;
	if (atomic_load(&s->job.done) >= s->at)
		job_cancel(&s->job);
}

/* Cancelled after every single step in turn, with another number of threads each time. */
static void
test_cancel(void **state)
{
	(void)state;
	char *dir = under("cancelled"), *resume = path_join(dir, "resume.safetensors");
	for (uint64_t at = 1; at < 24; at++) {
		struct stop stop = { .at = at };
		job_init(&stop.job);
		stop.job.notify = stop_at;
		stop.job.notify_arg = &stop;
		assert_err(run_with(dir, &fix.spec, 1 + (int)at % 3, &stop.job), ERR_CANCELLED);
		assert_int_equal(atomic_load(&stop.job.done), at);
		assert_true(file_exists(resume));
		job_done(&stop.job);
	}
	assert_ok(run_with(dir, &fix.spec, 2, NULL));
	check_tree(dir);
	free(resume);
	free(dir);
}

static void
nap(long microseconds)
{
	const struct timespec t = { .tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

/* A child trains and is killed at a random moment, again and again, until one gets through. */
static void
test_kill(void **state)
{
	(void)state;
	char *dir = under("killed");
	struct train_spec spec = fix.spec;
	struct rng r;
	int killed = 0, status;
	rng_init(&r, (uint64_t)time(NULL), 0);
	spec.options.save_every = 0;
	for (long patience = 20000; ; patience += 5000) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(run_with(dir, &spec, 2, NULL) == OK ? 0 : 1);
		nap((long)rng_below(&r, (uint64_t)patience));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		killed++;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	if (killed == 0)
		print_message("no child was killed\n");
	check_tree(dir);
	free(dir);
}

/* The disk is full at one file after another: what was kept stays, and the run goes on when there is room. */
static void
test_full_disk(void **state)
{
	(void)state;
	char *dir = under("full"), *journal = path_join(dir, "journal.jsonl");
	struct train_spec spec = fix.spec;
	spec.options.save_every = 0;
	struct rlimit old, tight;
	uint64_t size;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	/* No room at all, for the resume point, for a kept checkpoint, for a line of the journal. */
	struct stop stop = { .at = 7 };
	job_init(&stop.job);
	stop.job.notify = stop_at;
	stop.job.notify_arg = &stop;
	for (int round = 0; round < 4; round++) {
		size = fix.m.n_params * sizeof(float);
		if (round == 3) {
			assert_err(run_with(dir, &spec, 2, &stop.job), ERR_CANCELLED);
			assert_ok(file_size(journal, &size));
		}
		const uint64_t room[] = { 100, size / 2, 2 * size, size + 30 };
		tight = (struct rlimit){ room[round], old.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		enum err err = run_with(dir, &spec, 2, NULL);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(err, ERR_IO);
		assert_non_null(strstr(err_message(), fix.top));
	}
	job_done(&stop.job);
	assert_true(strstr(fix.tree.s, "step-00000006") != NULL);
	char *kept = path_join(dir, "checkpoints/step-00000006/model.safetensors");
	assert_true(file_exists(kept));
	assert_ok(run_with(dir, &fix.spec, 2, NULL));
	check_tree(dir);
	free(kept);
	free(journal);
	free(dir);
}

/* A resume point that is not of this run, or not whole, is refused with a way out; the way out works. */
static void
test_bad_resume(void **state)
{
	(void)state;
	char *dir = under("bad"), *resume = path_join(dir, "resume.safetensors");
	char *other = under("other"), *theirs = path_join(other, "resume.safetensors");
	struct train_spec spec = fix.spec;
	struct str mine = {0}, alien = {0};
	struct stop stop = { .at = 13 };
	job_init(&stop.job);
	stop.job.notify = stop_at;
	stop.job.notify_arg = &stop;
	assert_err(run_with(dir, &fix.spec, 2, &stop.job), ERR_CANCELLED);
	spec.options.seed++;
	job_done(&stop.job);
	job_init(&stop.job);
	stop.job.notify = stop_at;
	stop.job.notify_arg = &stop;
	assert_err(run_with(other, &spec, 2, &stop.job), ERR_CANCELLED);
	assert_ok(file_read(resume, 1 << 24, &mine));
	assert_ok(file_read(theirs, 1 << 24, &alien));

	assert_ok(file_replace(resume, alien.s, alien.len));
	assert_err(run_with(dir, &fix.spec, 2, NULL), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "remove the file"));
	static const char *const keys[] = { "step", "updates", "journal_bytes", "loss", "heldout" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char quoted[32];
		snprintf(quoted, sizeof(quoted), "\"%s\":\"", keys[i]);
		char *at = memmem(mine.s, mine.len, quoted, strlen(quoted));
		assert_non_null(at);
		char *digit = at + strlen(quoted), was = *digit;
		*digit = '~';
		assert_ok(file_replace(resume, mine.s, mine.len));
		assert_err(run_with(dir, &fix.spec, 2, NULL), ERR_FORMAT);
		*digit = was;
	}
	for (size_t n = 0; n < mine.len; n += mine.len / 7) {
		assert_ok(file_replace(resume, mine.s, n));
		assert_err(run_with(dir, &fix.spec, 2, NULL), ERR_FORMAT);
	}
	unlink(resume);
	assert_ok(run_with(dir, &fix.spec, 2, NULL));
	check_tree(dir);
	job_done(&stop.job);
	str_free(&mine);
	str_free(&alien);
	free(theirs);
	free(other);
	free(resume);
	free(dir);
}

/* Every number comes back, also those that only the screen will miss. */
static void
test_resume_point(void **state)
{
	(void)state;
	char *dir = under("point");
	struct pool *pool = pool_new(1);
	struct model m[2];
	struct trainer t[2];
	bool found;
	assert_ok(file_mkdirs(dir));
	for (int i = 0; i < 2; i++) {
		toy_model(&m[i]);
		assert_ok(trainer_open(&t[i], &m[i], &fix.spec, pool, NULL));
	}
	json_t *recipe = json_string("recipe");
	assert_ok(journal_begin(dir, recipe));
	json_decref(recipe);
	assert_ok(resume_load(dir, &t[1], "hash", &found));
	assert_false(found);
	for (int i = 0; i < 5; i++)
		assert_ok(trainer_step(&t[0]));
	t[0].updates = 4;
	t[0].status.heldout = 0.1 + 0.2;
	assert_ok(resume_save(dir, &t[0], "hash"));
	assert_ok(journal_append(dir, json_string("later")));
	assert_ok(resume_load(dir, &t[1], "hash", &found));
	assert_true(found);
	assert_int_equal(t[1].status.step, 5);
	assert_int_equal(t[1].updates, 4);
	assert_true(t[1].status.loss == t[0].status.loss && t[1].status.heldout == 0.1 + 0.2);
	assert_same_weights(&m[0], &m[1]);
	assert_memory_equal(t[0].step.moment1, t[1].step.moment1, m[0].n_params * sizeof(float));
	assert_memory_equal(t[0].step.moment2, t[1].step.moment2, m[0].n_params * sizeof(float));
	uint64_t size;
	assert_ok(journal_size(dir, &size));
	assert_int_equal(size, strlen("\"recipe\"\n"));
	for (int i = 0; i < 2; i++) {
		trainer_close(&t[i]);
		model_free(&m[i]);
	}
	pool_free(pool);
	free(dir);
}

/* Each kept checkpoint is also where a run that breaks down later goes on from. */
static void
test_resume_at_checkpoint(void **state)
{
	(void)state;
	char *dir = under("blocked"), *in_the_way = path_join(dir, "checkpoints/step-00000012");
	char *resume = path_join(dir, "resume.safetensors"), *kept = path_join(dir, "checkpoints");
	struct st_file f;
	assert_ok(file_mkdirs(kept));
	assert_ok(file_replace(in_the_way, "", 0));
	assert_err(run_with(dir, &fix.spec, 2, NULL), ERR_IO);
	assert_ok(st_open(&f, resume));
	assert_string_equal(st_meta(&f, "step"), "6");
	st_close(&f);
	assert_int_equal(unlink(in_the_way), 0);
	assert_ok(run_with(dir, &fix.spec, 2, NULL));
	check_tree(dir);
	free(kept);
	free(resume);
	free(in_the_way);
	free(dir);
}

static void
test_busy(void **state)
{
	(void)state;
	char *dir = under("busy"), *path = path_join(dir, "lock");
	int lock;
	assert_ok(file_mkdirs(dir));
	assert_ok(file_lock(path, &lock));
	assert_err(run_with(dir, &fix.spec, 1, NULL), ERR_BUSY);
	file_unlock(lock);
	free(path);
	free(dir);
}

/* Data that does not fit leaves nothing behind that would stand in the way of data that does. */
static void
test_refused(void **state)
{
	(void)state;
	char *dir = under("refused");
	struct dataset d = {0};
	struct train_spec spec = fix.spec;
	spec.data = &d;
	assert_err(run_with(dir, &spec, 1, NULL), ERR_USAGE);
	dataset_add(&d, (const int32_t[]){ 0, TOY_VOCAB }, 2, false);
	assert_err(run_with(dir, &spec, 1, NULL), ERR_MISMATCH);
	/* What a process that was killed while it wrote left behind goes; what somebody else put there stays. */
	char *stale = path_join(dir, "resume.safetensors.tmp.4194304"), *note = path_join(dir, "notes.tmp.txt");
	assert_ok(file_mkdirs(dir));
	assert_ok(file_replace(stale, "x", 1));
	assert_ok(file_replace(note, "x", 1));
	assert_ok(run_with(dir, &fix.spec, 1, NULL));
	assert_int_equal(unlink(note), 0);
	check_tree(dir);
	dataset_free(&d);
	free(stale);
	free(note);
	free(dir);
}

/* Nothing is written through a link, nor is any step made towards it. */
static void
test_links(void **state)
{
	static const char *const names[] = { "checkpoint", "checkpoints" };
	(void)state;
	char *dir = under("links"), *theirs = under("theirs");
	assert_ok(file_mkdirs(dir));
	assert_ok(file_mkdirs(theirs));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *link = path_join(dir, names[i]);
		assert_int_equal(symlink(theirs, link), 0);
		assert_err(run_with(dir, &fix.spec, 1, NULL), ERR_EXISTS);
		assert_true(file_is_link(link));
		assert_int_equal(unlink(link), 0);
		free(link);
	}
	assert_int_equal(rmdir(theirs), 0);
	assert_ok(run_with(dir, &fix.spec, 1, NULL));
	check_tree(dir);
	free(dir);
	free(theirs);
}

/* ---- status ---- */

static void
note_status(void *arg, const struct train_status *s)
{
	*(struct train_status *)arg = *s;
}

static void
test_status(void **state)
{
	(void)state;
	char *dir = under("status");
	struct train_spec spec = fix.spec;
	struct train_status last = {0};
	struct job job;
	struct job_view view;
	spec.status = note_status;
	spec.arg = &last;
	job_init(&job);
	assert_ok(run_with(dir, &spec, 2, &job));
	job_look(&job, &view);
	assert_int_equal(view.done, 24);
	assert_int_equal(view.total, 24);
	assert_string_equal(view.phase, "training");
	assert_non_null(strstr(view.note, "tokens/s"));
	assert_int_equal(last.step, 24);
	assert_int_equal(last.steps, 24);
	assert_int_equal(last.epoch, 3);
	assert_true(last.loss > 0 && last.heldout > 0 && last.grad_norm > 0 && last.tokens_per_second > 0);
	assert_true(last.seconds_left == 0);
	assert_true(fabs(last.lr - 0.1 * 0.01) < 1e-12);
	job_done(&job);
	free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_finished),
		cmocka_unit_test(test_half_precision),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_bad_resume),
		cmocka_unit_test(test_resume_point),
		cmocka_unit_test(test_resume_at_checkpoint),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_status),
	};
	return cmocka_run_group_tests_name("run", tests, setup, teardown);
}
