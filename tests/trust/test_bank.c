/* bank: what is planned, what each member is, that interrupted work goes on, that several processes share it, and that
 * files of strangers are refused. */
#include "unit.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "byline/bank.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/safetensors.h"
#include "toy.h"

static const struct bank_options small = { .subsets = 3, .alpha = 0.5, .seed = 4, .seeds = 1, .heldout = 3, .generated = 3,
	.span = 8, .prompt = 4 };

static struct toy toy;

static int
setup(void **state)
{
	struct toy_options o = toy_small;
	(void)state;
	o.no_index = true;
	toy_new(&toy, &o);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	toy_free(&toy);
	return 0;
}

/* Every test begins without a bank. */
static int
no_bank(void **state)
{
	char *dir = toy_path(&toy, "bank");
	(void)state;
	if (file_is_dir(dir))
		assert_ok(file_remove_tree(dir));
	free(dir);
	return 0;
}

static struct bank *
begin(struct session *s, const struct bank_options *o)
{
	struct bank *b;
	assert_ok(bank_begin(s, o, NULL, &b));
	return b;
}

static struct bank *
whole(struct session *s, const struct bank_options *o)
{
	struct bank *b = begin(s, o);
	assert_ok(bank_run(b, NULL));
	for (int i = 0; i < b->n_members; i++)
		assert_true(b->member[i].done);
	return b;
}

static char *
bank_file(const char *name)
{
	char *rel = path_join("bank", name), *path = toy_path(&toy, rel);
	free(rel);
	return path;
}

static const struct bank_member *
member(const struct bank *b, const char *key)
{
	for (int i = 0; i < b->n_members; i++)
		if (strcmp(b->member[i].key, key) == 0)
			return &b->member[i];
	fail_msg("there is no member %s", key);
	return NULL;
}

static size_t
dropped(const struct bank *b, const struct bank_member *m, uint8_t *drop)
{
	size_t n = 0;
	bank_drop(b, m, drop);
	for (size_t i = 0; i < b->session->data.n; i++)
		n += drop[i];
	return n;
}

static size_t
trained(const struct session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++)
		n += !s->data.heldout[i];
	return n;
}

static void
write_all(const char *path, const char *text)
{
	assert_ok(file_replace(path, text, strlen(text)));
}

/* Puts `to` where `from` stands in the file, of the same length. */
static void
change(const char *path, const char *from, const char *to)
{
	struct str s = {0};
	assert_ok(file_read(path, 1 << 20, &s));
	char *at = strstr(s.s, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	assert_ok(file_replace(path, s.s, s.len));
	str_free(&s);
}

static void
count(void *arg, const char *finding)
{
	(void)finding;
	++*(int *)arg;
}

static int
findings(void)
{
	int seen = 0;
	int64_t n = 0;
	assert_ok(bank_verify(toy.store, NULL, count, &seen, &n));
	assert_int_equal(seen, n);
	return seen;
}

/* ---- the plan ---- */

static void
queries_are_good(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	int generated = 0;
	(void)state;
	assert_int_equal(b->n_queries, 6);
	for (int i = 0; i < b->n_queries; i++) {
		const struct bank_query *q = &b->query[i];
		uint64_t n = s->data.start[q->example + 1] - s->data.start[q->example];
		generated += q->generated;
		assert_int_equal(s->data.heldout[q->example], !q->generated);
		assert_true(q->n_out >= 1 && q->n_out <= 8);
		assert_true(q->n_prompt >= 4 && (!q->generated || q->n_prompt == 4));
		assert_true((uint64_t)q->n_prompt <= n);
		assert_memory_equal(q->token, s->data.token + s->data.start[q->example],
			(size_t)(q->generated ? q->n_prompt : q->n_prompt + q->n_out) * sizeof(int32_t));
		assert_true(isfinite(b->own[i]) && b->own[i] < 0);
	}
	assert_int_equal(generated, 3);
	bank_close(b);
	session_close(s);
}

/* Places of one text overlap only when there is no other room. */
static void
places_do_not_overlap(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	(void)state;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < i; j++) {
			const struct bank_query *p = &b->query[i], *q = &b->query[j];
			if (p->example == q->example)
				assert_true(p->n_prompt + p->n_out <= q->n_prompt || q->n_prompt + q->n_out <= p->n_prompt);
		}
	bank_close(b);
	session_close(s);
}

static void
same_seed_same_queries(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options other = small;
	char *path = bank_file("queries.safetensors"), a[HASH_HEX], again[HASH_HEX], differs[HASH_HEX];
	(void)state;
	bank_close(begin(s, &small));
	assert_ok(hash_file(path, a));
	no_bank(NULL);
	bank_close(begin(s, &small));
	assert_ok(hash_file(path, again));
	no_bank(NULL);
	other.seed = 5;
	bank_close(begin(s, &other));
	assert_ok(hash_file(path, differs));
	assert_string_equal(a, again);
	assert_string_not_equal(a, differs);
	free(path);
	session_close(s);
}

static void
too_little_held_out(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	int heldout = 0;
	(void)state;
	o.heldout = 10000;
	o.generated = 1;
	struct bank *b = begin(s, &o);
	for (int i = 0; i < b->n_queries; i++)
		heldout += !b->query[i].generated;
	assert_true(heldout > 3 && heldout < 200);
	assert_int_equal(b->options.heldout, 10000);
	bank_close(b);
	session_close(s);
}

static void
other_options_are_another_bank(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o;
	struct bank *b;
	(void)state;
	bank_close(begin(s, &small));
	o = small;
	o.alpha = 0.25;
	assert_err(bank_begin(s, &o, NULL, &b), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "alpha"));
	assert_null(b);
	o = small;
	o.seed++;
	assert_err(bank_begin(s, &o, NULL, &b), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "seed"));
	o = small;
	o.generated++;
	assert_err(bank_begin(s, &o, NULL, &b), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "generated"));
	o = small;
	o.alpha = 0;
	assert_err(bank_begin(s, &o, NULL, &b), ERR_USAGE);
	o = small;
	o.heldout = o.generated = 0;
	assert_err(bank_begin(s, &o, NULL, &b), ERR_USAGE);
	session_close(s);
}

static void
plans_grow(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	(void)state;
	struct bank *b = begin(s, &o);
	assert_int_equal(b->n_members, 1 + 3);
	bank_close(b);
	o.subsets = 5;
	o.seeds = 2;
	o.other_subsets = 2;
	o.contributors = true;
	b = begin(s, &o);
	/* Anna, Bo, Cy and the unknown one; Olga was never trained on. */
	assert_int_equal(b->n_members, 2 + 5 + 2 + 4);
	assert_int_equal(b->member[0].kind, MEMBER_FULL);
	assert_int_equal(b->member[0].seed, 3);
	assert_int_equal(b->member[1].seed, 4);
	member(b, "subset-0001-seed-4");
	bank_close(b);
	/* Fewer is no mismatch, and takes nothing away. */
	b = begin(s, &small);
	assert_int_equal(b->n_members, 13);
	bank_close(b);
	assert_ok(bank_open(s, &b));
	assert_int_equal(b->n_members, 13);
	bank_close(b);
	session_close(s);
}

static void
a_preview_writes_nothing(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	struct bank *b;
	char *dir = toy_path(&toy, "bank");
	(void)state;
	assert_ok(bank_preview(s, &small, NULL, &b));
	assert_int_equal(b->n_members, 4);
	assert_int_equal(b->n_queries, 6);
	assert_false(file_exists(dir));
	bank_close(b);
	bank_close(begin(s, &small));
	o.subsets = 9;
	assert_ok(bank_preview(s, &o, NULL, &b));
	assert_int_equal(b->n_members, 10);
	bank_close(b);
	assert_ok(bank_open(s, &b));
	assert_int_equal(b->n_members, 4);
	bank_close(b);
	free(dir);
	session_close(s);
}

static void
sums_of_reports(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	char *report = bank_file("trust.json"), *scores = bank_file("scores-bm25.safetensors");
	(void)state;
	write_all(report, "{}");
	write_all(scores, "numbers");
	assert_ok(bank_sums_write(b));
	assert_int_equal(findings(), 0);
	write_all(report, "{ }");
	assert_int_equal(findings(), 1);
	write_all(scores, "number");
	assert_int_equal(findings(), 2);
	/* Scores can be made again. */
	assert_int_equal(unlink(scores), 0);
	assert_int_equal(findings(), 1);
	bank_sums_forget(b);
	assert_int_equal(findings(), 0);
	free(report);
	free(scores);
	bank_close(b);
	session_close(s);
}

static void
nothing_to_open(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b;
	(void)state;
	assert_err(bank_open(s, &b), ERR_MISSING);
	assert_null(b);
	session_close(s);
}

/* ---- what is left out ---- */

static void
subsets_keep_their_part(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	(void)state;
	o.seeds = 2;
	struct bank *b = begin(s, &o);
	uint8_t *drop = xcalloc(s->data.n, 1), *other = xcalloc(s->data.n, 1);
	size_t n = trained(s), keep = (size_t)llround(0.5 * (double)n);
	for (int j = 0; j < 3; j++) {
		char key[64];
		snprintf(key, sizeof(key), "subset-%04d-seed-3", j);
		assert_int_equal(n - dropped(b, member(b, key), drop), keep);
		for (size_t i = 0; i < s->data.n; i++)
			assert_false(drop[i] && s->data.heldout[i]);
		snprintf(key, sizeof(key), "subset-%04d-seed-4", j);
		dropped(b, member(b, key), other);
		assert_memory_equal(drop, other, s->data.n);
	}
	dropped(b, member(b, "subset-0000-seed-3"), other);
	assert_memory_not_equal(drop, other, s->data.n);
	assert_int_equal(dropped(b, member(b, "full-0000-seed-3"), drop), 0);
	free(drop);
	free(other);
	bank_close(b);
	session_close(s);
}

static void
contributors_are_left_out_whole(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	(void)state;
	o.contributors = true;
	struct bank *b = begin(s, &o);
	uint8_t *drop = xcalloc(s->data.n, 1);
	int found = 0;
	for (int k = 0; k < b->n_members; k++) {
		const struct bank_member *m = &b->member[k];
		if (m->kind != MEMBER_WITHOUT)
			continue;
		found++;
		assert_true(dropped(b, m, drop) > 0);
		for (size_t i = 0; i < s->data.n; i++) {
			const struct work *w = session_work(s, s->examples[i].work);
			bool theirs = false;
			for (size_t a = 0; a < w->n_authors; a++)
				theirs = theirs || w->authors[a].contributor == m->number;
			assert_int_equal(drop[i], theirs && !s->data.heldout[i]);
		}
	}
	assert_int_equal(found, 4);
	free(drop);
	bank_close(b);
	session_close(s);
}

/* ---- members ---- */

static void
same_outcomes(const struct bank *a, const struct bank *b)
{
	assert_int_equal(a->n_members, b->n_members);
	for (int i = 0; i < a->n_members; i++) {
		assert_memory_equal(a->member[i].outcome, b->member[i].outcome,
			(size_t)a->n_queries * sizeof(double));
		assert_true(a->member[i].heldout == b->member[i].heldout);
	}
}

static void
members_come_again(void **state)
{
	struct session *one = toy_session(&toy, 1), *three = toy_session(&toy, 3);
	(void)state;
	struct bank *a = whole(one, &small);
	assert_int_equal(a->exact, 1);
	/* The toy's weights are kept as they are: the own full member thinks what the run thinks. */
	assert_memory_equal(member(a, "full-0000-seed-3")->outcome, a->own, (size_t)a->n_queries * sizeof(double));
	assert_memory_not_equal(member(a, "subset-0000-seed-3")->outcome, a->own, (size_t)a->n_queries * sizeof(double));
	no_bank(NULL);
	struct bank *b = whole(three, &small);
	same_outcomes(a, b);
	bank_close(a);
	bank_close(b);
	session_close(one);
	session_close(three);
}

static void
opened_as_written(void **state)
{
	struct session *s = toy_session(&toy, 2);
	struct bank *a = whole(s, &small), *b;
	int left;
	(void)state;
	assert_ok(bank_open(s, &b));
	same_outcomes(a, b);
	assert_int_equal(b->exact, 1);
	assert_memory_equal(a->own, b->own, (size_t)a->n_queries * sizeof(double));
	assert_true(bank_estimate(b, &left) == 0);
	assert_int_equal(left, 0);
	bank_close(a);
	bank_close(b);
	session_close(s);
}

static void
estimates_before_it_starts(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	int left;
	(void)state;
	double seconds = bank_estimate(b, &left);
	assert_int_equal(left, 4);
	assert_true(seconds > 0 && seconds < 600);
	bank_close(b);
	session_close(s);
}

static void
kept_weights_cost_nothing(void **state)
{
	struct session *s = toy_session(&toy, 2);
	struct bank_options o = small;
	(void)state;
	o.keep_models = true;
	struct bank *a = whole(s, &o);
	char *record = bank_file("subset-0001-seed-3.json"), *weights = bank_file("models/subset-0001-seed-3.safetensors");
	assert_true(file_exists(weights));
	assert_int_equal(unlink(record), 0);
	struct bank *b = whole(s, &o);
	same_outcomes(a, b);
	assert_true(member(a, "subset-0001-seed-3")->seconds > 0);
	assert_true(member(b, "subset-0001-seed-3")->seconds == 0);
	free(record);
	free(weights);
	bank_close(a);
	bank_close(b);
	session_close(s);
}

static void
other_weights_are_refused(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank_options o = small;
	(void)state;
	o.keep_models = true;
	bank_close(whole(s, &o));
	char *record = bank_file("subset-0001-seed-3.json"), *to = bank_file("models/subset-0001-seed-3.safetensors"),
		*from = bank_file("models/subset-0002-seed-3.safetensors");
	assert_int_equal(unlink(record), 0);
	assert_int_equal(rename(from, to), 0);
	struct bank *b = begin(s, &o);
	assert_err(bank_run(b, NULL), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "subset-0001-seed-3"));
	assert_false(member(b, "subset-0001-seed-3")->done);
	free(record);
	free(to);
	free(from);
	bank_close(b);
	session_close(s);
}

static void
a_bank_query_can_be_asked(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	(void)state;
	for (int i = 0; i < b->n_queries; i++) {
		struct query *q;
		double sum = 0;
		assert_ok(bank_query_open(b, i, &q));
		assert_int_equal(q->n_out, b->query[i].n_out);
		for (int t = 0; t < q->n_out; t++)
			sum += (double)q->facts[t].logprob;
		/* One token at a time with a cache, or all at once: the same to rounding. */
		assert_true(fabs(sum / q->n_out - b->own[i]) < 1e-4);
		assert_int_equal(q->byte_of[q->n_out], q->output.len);
		query_free(q);
	}
	bank_close(b);
	session_close(s);
}

/* ---- damage ---- */

static void
damaged_records(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = whole(s, &small);
	char *record = bank_file("subset-0001-seed-3.json"), *other = bank_file("subset-0002-seed-3.json");
	(void)state;
	bank_close(b);
	assert_int_equal(findings(), 0);
	change(record, "\"outcomes\":[-", "\"outcomes\":[ ");
	assert_int_equal(findings(), 1);
	assert_err(bank_open(s, &b), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "subset-0001-seed-3.json"));
	write_all(record, "[1, 2]");
	assert_err(bank_open(s, &b), ERR_FORMAT);
	write_all(record, "");
	assert_err(bank_open(s, &b), ERR_FORMAT);
	/* Whole, but of another member. */
	assert_int_equal(rename(other, record), 0);
	assert_err(bank_open(s, &b), ERR_MISMATCH);
	assert_int_equal(unlink(record), 0);
	assert_ok(bank_open(s, &b));
	bank_close(b);
	free(record);
	free(other);
	session_close(s);
}

static void
damaged_plans(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	char *plan = bank_file("plan.json");
	(void)state;
	bank_close(b);
	assert_int_equal(findings(), 0);
	change(plan, "\"subsets\":3", "\"subsets\":9");
	assert_int_equal(findings(), 1);
	assert_err(bank_open(s, &b), ERR_FORMAT);
	assert_err(bank_begin(s, &small, NULL, &b), ERR_FORMAT);
	free(plan);
	session_close(s);
}

/* Queries that are not those of the plan, however good. */
static void
damaged_queries(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	char *path = bank_file("queries.safetensors");
	struct str text = {0};
	(void)state;
	bank_close(b);
	assert_ok(file_read(path, 1 << 20, &text));
	text.s[text.len - 1] ^= 1;
	assert_ok(file_replace(path, text.s, text.len));
	assert_err(bank_open(s, &b), ERR_MISMATCH);
	assert_int_equal(findings(), 1);
	str_free(&text);
	free(path);
	session_close(s);
}

static void
another_runs_bank(void **state)
{
	struct session *s = toy_session(&toy, 1);
	struct bank *b = begin(s, &small);
	(void)state;
	bank_close(b);
	s->checkpoint_sha256[0] ^= 1;
	assert_err(bank_open(s, &b), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "another run"));
	session_close(s);
}

/* ---- several processes ---- */

static pid_t
start(const struct bank_options *o)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct store *store;
	struct session *s;
	struct bank *b;
	if (store_open(toy.dir, true, &store) != OK || session_open(store, "toy", 1, &s) != OK
		|| bank_begin(s, o, NULL, &b) != OK || bank_run(b, NULL) != OK)
		_exit(1);
	_exit(0);
}

static int
records(void)
{
	char *dir = bank_file(""), *name;
	int n = 0;
	for (int j = 0; j < 1000; j++) {
		name = xasprintf("%s/subset-%04d-seed-3.json", dir, j);
		n += file_exists(name);
		free(name);
	}
	free(dir);
	return n;
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void
two_processes_share(void **state)
{
	struct bank_options o = small;
	int status;
	(void)state;
	o.subsets = 12;
	pid_t a = start(&o), b = start(&o);
	assert_true(a > 0 && b > 0);
	for (int i = 0; i < 2; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	struct session *s = toy_session(&toy, 1);
	struct bank *shared, *alone;
	assert_ok(bank_open(s, &shared));
	for (int i = 0; i < shared->n_members; i++)
		assert_true(shared->member[i].done);
	no_bank(NULL);
	alone = whole(s, &o);
	same_outcomes(shared, alone);
	bank_close(shared);
	bank_close(alone);
	session_close(s);
}

/* How many subsets a process killed in the middle leaves; all of them when it was too fast for us. */
static int
killed(const struct bank_options *o)
{
	int status;
	no_bank(NULL);
	pid_t pid = start(o);
	for (int i = 0; i < 20000 && records() < 2; i++)
		nap();
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return records();
}

static void
a_kill_loses_the_member_in_hand(void **state)
{
	struct bank_options o = small;
	int left = 60;
	(void)state;
	o.subsets = 60;
	for (int i = 0; i < 10 && left == 60; i++)
		left = killed(&o);
	assert_true(left >= 2 && left < 60);
	struct session *s = toy_session(&toy, 1);
	struct bank *b = whole(s, &o);
	assert_int_equal(records(), 60);
	assert_int_equal(findings(), 0);
	bank_close(b);
	session_close(s);
}

static void
what_others_hold_is_left_to_them(void **state)
{
	struct session *s = toy_session(&toy, 2);
	struct bank *b = begin(s, &small);
	char *lock = bank_file("subset-0001-seed-3.lock");
	int fd;
	(void)state;
	assert_ok(file_lock(lock, &fd));
	assert_ok(bank_run(b, NULL));
	for (int i = 0; i < b->n_members; i++)
		assert_int_equal(b->member[i].done, strcmp(b->member[i].key, "subset-0001-seed-3") != 0);
	file_unlock(fd);
	assert_ok(bank_run(b, NULL));
	assert_true(member(b, "subset-0001-seed-3")->done);
	free(lock);
	bank_close(b);
	session_close(s);
}

static void
cancelled(void **state)
{
	struct session *s = toy_session(&toy, 2);
	struct bank *b = begin(s, &small);
	struct job job;
	(void)state;
	job_init(&job);
	job_cancel(&job);
	assert_err(bank_run(b, &job), ERR_CANCELLED);
	job_done(&job);
	assert_ok(bank_run(b, NULL));
	bank_close(b);
	session_close(s);
}

#define TEST(f) cmocka_unit_test_setup(f, no_bank)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_are_good),
		TEST(places_do_not_overlap),
		TEST(same_seed_same_queries),
		TEST(too_little_held_out),
		TEST(other_options_are_another_bank),
		TEST(plans_grow),
		TEST(a_preview_writes_nothing),
		TEST(sums_of_reports),
		TEST(nothing_to_open),
		TEST(subsets_keep_their_part),
		TEST(contributors_are_left_out_whole),
		TEST(members_come_again),
		TEST(opened_as_written),
		TEST(estimates_before_it_starts),
		TEST(kept_weights_cost_nothing),
		TEST(other_weights_are_refused),
		TEST(a_bank_query_can_be_asked),
		TEST(damaged_records),
		TEST(damaged_plans),
		TEST(damaged_queries),
		TEST(another_runs_bank),
		TEST(two_processes_share),
		TEST(a_kill_loses_the_member_in_hand),
		TEST(what_others_hold_is_left_to_them),
		TEST(cancelled),
	};
	return cmocka_run_group_tests_name("bank", tests, setup, teardown);
}
