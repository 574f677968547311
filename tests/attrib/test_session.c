/* Opening a session: what it holds, and that a run whose parts do not belong together is refused in words. */
#include "byline/attrib.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "session_index.h"
#include "toy.h"
#include "unit.h"

struct world { struct toy toy; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	toy_new(&w->toy, &toy_small);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	toy_free(&w->toy);
	free(w);
	return 0;
}

/* ---- files that change for a moment ----------------------------------------------------------------------------------- */

struct kept { char *path; struct str bytes; };

static struct kept
keep(const struct world *w, const char *name)
{
	struct kept k = { .path = toy_path(&w->toy, name) };
	assert_ok(file_read(k.path, (size_t)1 << 30, &k.bytes));
	return k;
}

static void
restore(struct kept *k)
{
	assert_ok(file_replace(k->path, k->bytes.s, k->bytes.len));
	free(k->path);
	str_free(&k->bytes);
}

/* Opening fails with this code, and the message has this in it. */
static void
refused(const struct world *w, enum err code, const char *words)
{
	struct session *s;
	enum err err = session_open(w->toy.store, "toy", 1, &s);
	assert_null(s);
	if (err != code || !strstr(err_message(), words) || strchr(err_message(), '\n'))
		fail_msg("error %d, \"%s\"; wanted %d, \"%s\"", (int)err, err_message(), (int)code, words);
}

/* Every place where `from` stands gets `to`, of the same length. */
static void
replace_all(const struct kept *k, const char *from, const char *to)
{
	char *copy = xstrndup(k->bytes.s, k->bytes.len);
	int n = 0;
	assert_int_equal(strlen(from), strlen(to));
	for (char *p = copy; (p = strstr(p, from)) != NULL; n++)
		memcpy(p, to, strlen(to));
	assert_true(n > 0);
	assert_ok(file_replace(k->path, copy, k->bytes.len));
	free(copy);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static void
test_opens(void **state)
{
	struct world *w = *state;
	struct session *s = toy_session(&w->toy, 2);
	assert_string_equal(s->run.name, "toy");
	assert_true(s->n_works == 38 && s->n_contributors == 5);
	for (size_t i = 0; i < s->n_works; i++)
		assert_ptr_equal(session_work(s, s->works[i].id), &s->works[i]);
	for (size_t i = 0; i < s->n_contributors; i++)
		assert_ptr_equal(session_contributor(s, s->contributors[i].id), &s->contributors[i]);
	assert_null(session_work(s, 100000));
	assert_null(session_contributor(s, 0));
	assert_int_equal(session_checkpoints(s), 3);
	assert_true(session_feature_bytes(s) > 0);
	assert_int_equal(strlen(s->checkpoint_sha256), 64);
	assert_int_equal(strlen(s->corpus_sha256), 64);
	size_t trained = 0;
	for (size_t i = 0; i < s->data.n; i++) {
		assert_non_null(session_work(s, s->examples[i].work));
		assert_int_equal(s->data.start[i + 1] - s->data.start[i], s->examples[i].n_tokens);
		trained += session_trained_on(s, i) ? 1 : 0;
	}
	assert_int_equal(trained, s->run.n_train);
	session_close(s);
	session_close(NULL);
}

static void
test_newest_run(void **state)
{
	struct world *w = *state;
	struct session *s;
	assert_ok(session_open(w->toy.store, NULL, 1, &s));
	assert_string_equal(s->run.name, "toy");
	session_close(s);
	assert_err(session_open(w->toy.store, "nothing", 1, &s), ERR_MISSING);
	assert_null(s);
}

static void
test_no_weights(void **state)
{
	(void)state;
	struct world w;
	struct toy_options o = toy_small;
	o.no_weights = true;
	toy_new(&w.toy, &o);
	refused(&w, ERR_MISSING, "byline train");
	toy_free(&w.toy);
}

/* Without index.json there is no index, and that is no error. */
static void
test_no_index(void **state)
{
	struct world *w = *state;
	struct kept k = keep(w, INDEX_FILE);
	assert_int_equal(unlink(k.path), 0);
	struct session *s = toy_session(&w->toy, 1);
	assert_null(s->index);
	session_close(s);
	restore(&k);
	s = toy_session(&w->toy, 1);
	assert_non_null(s->index);
	session_close(s);
}

static void
other_weights(const char *dir)
{
	struct model m;
	assert_ok(checkpoint_load(dir, &m));
	model_init(&m, 99);
	assert_ok(checkpoint_save(dir, &m, m.params, NULL, ST_F32));
	model_free(&m);
}

static void
test_other_weights(void **state)
{
	struct world *w = *state;
	struct kept k = keep(w, "checkpoint/model.safetensors");
	char *dir = toy_path(&w->toy, "checkpoint");
	other_weights(dir);
	refused(w, ERR_MISMATCH, "weights");
	free(dir);
	restore(&k);
}

/* A kept checkpoint is read when it is needed, and checked then. */
static void
test_other_kept_weights(void **state)
{
	struct world *w = *state;
	struct session *s = toy_session(&w->toy, 1);
	char *dir = path_join(s->run.dir, s->index->info.checkpoint[0].path);
	struct kept k = { .path = path_join(dir, "model.safetensors") };
	assert_ok(file_read(k.path, (size_t)1 << 30, &k.bytes));
	other_weights(dir);
	struct query *q = toy_query(s, "the boat", " and the tide.");
	assert_err(query_scores(q, NULL), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "weights"));
	restore(&k);
	assert_ok(query_scores(q, NULL));
	query_free(q);
	session_close(s);
	free(dir);
}

static void
test_other_examples(void **state)
{
	struct world *w = *state;
	struct session *s = toy_session(&w->toy, 1);
	char other[HASH_HEX], was[HASH_HEX];
	memcpy(was, s->run.dataset, HASH_HEX);
	memcpy(other, was, HASH_HEX);
	other[5] = other[5] == 'a' ? 'b' : 'a';
	session_close(s);
	struct kept k = keep(w, INDEX_FILE);
	replace_all(&k, was, other);
	refused(w, ERR_MISMATCH, "other examples");
	restore(&k);
}

/* Files of the index that are cut short, gone, or another's. */
static void
test_damaged_index(void **state)
{
	struct world *w = *state;
	static const char *const name[] = { CURVATURE_FILE, NULL_FILE, HIDDEN_FILE, "features-00000.safetensors" };
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct session *s;
		struct kept k = keep(w, name[i]);
		assert_ok(file_replace(k.path, k.bytes.s, k.bytes.len - 7));
		assert_int_not_equal(session_open(w->toy.store, "toy", 1, &s), OK);
		assert_int_equal(unlink(k.path), 0);
		assert_int_not_equal(session_open(w->toy.store, "toy", 1, &s), OK);
		assert_non_null(strstr(err_message(), name[i]));
		assert_ok(file_replace(k.path, "x", 1));
		assert_int_not_equal(session_open(w->toy.store, "toy", 1, &s), OK);
		restore(&k);
	}
	struct kept k = keep(w, INDEX_FILE);
	assert_ok(file_replace(k.path, "{\"format\": ", 10));
	refused(w, ERR_FORMAT, INDEX_FILE);
	restore(&k);
}

static void
test_damaged_journal(void **state)
{
	struct world *w = *state;
	struct session *s;
	struct kept k = keep(w, "journal.jsonl");
	assert_ok(file_replace(k.path, "{}\n", 3));
	assert_int_not_equal(session_open(w->toy.store, "toy", 1, &s), OK);
	assert_non_null(strstr(err_message(), "journal"));
	restore(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_newest_run),
		cmocka_unit_test(test_no_weights),
		cmocka_unit_test(test_no_index),
		cmocka_unit_test(test_other_weights),
		cmocka_unit_test(test_other_kept_weights),
		cmocka_unit_test(test_other_examples),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_damaged_journal),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
