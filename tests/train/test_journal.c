/* journal: what was written is read; a torn end does no harm; a stranger's journal is refused. */
#include "../../src/train/journal.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "toy.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	char dir[64];
	struct dataset d;
	struct model m;
	struct train_spec spec;
	json_t *recipe;
};

static int
setup(void **state)
{
	struct fixture *f = *state = xcalloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/byline-journal-XXXXXX");
	toy_dataset(&f->d, 20, 1);
	toy_model(&f->m);
	f->spec.data = &f->d;
	toy_options(&f->spec.options);
	f->recipe = journal_recipe(&f->m, &f->spec, SHA_B);
	return mkdtemp(f->dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	json_decref(f->recipe);
	dataset_free(&f->d);
	model_free(&f->m);
	enum err err = file_remove_tree(f->dir);
	free(f);
	return err == OK ? 0 : -1;
}

static void
journal_put(const struct fixture *f, const char *text, size_t n)
{
	char *path = journal_path(f->dir);
	assert_ok(file_replace(path, text, n));
	free(path);
}

static void
journal_get(const struct fixture *f, struct str *out)
{
	char *path = journal_path(f->dir);
	str_clear(out);
	assert_ok(file_read(path, 1 << 20, out));
	free(path);
}

static void
write_run(const struct fixture *f)
{
	struct train_status s = { .step = 3, .epoch = 1, .loss = 2.5, .heldout = NAN, .lr = 0.1 + 0.2 };
	assert_ok(journal_begin(f->dir, f->recipe));
	assert_ok(journal_append(f->dir, journal_epoch(&s)));
	assert_ok(journal_append(f->dir, journal_checkpoint(&s, SHA_A)));
	s = (struct train_status){ .step = 9, .epoch = 3, .loss = NAN, .heldout = 2.25, .lr = 0.5 };
	assert_ok(journal_append(f->dir, journal_checkpoint(&s, SHA_B)));
	assert_ok(journal_append(f->dir, journal_finished(9, SHA_B)));
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct train_journal j;
	char dataset[HASH_HEX];
	dataset_hash(&f->d, dataset);
	assert_err(train_journal_read(f->dir, &j), ERR_MISSING);
	write_run(f);
	assert_ok(train_journal_read(f->dir, &j));
	assert_true(j.finished);
	assert_string_equal(j.dataset, dataset);
	assert_string_equal(j.tokenizer, SHA_B);
	assert_int_equal(j.config.n_kv_head, 2);
	assert_int_equal(j.config.vocab, TOY_VOCAB);
	assert_true(j.options.lr == 0.01);
	assert_int_equal(j.options.batch, 8);
	assert_int_equal(j.n_checkpoints, 2);
	assert_int_equal(j.checkpoints[0].step, 3);
	assert_true(j.checkpoints[0].lr == 0.1 + 0.2 && j.checkpoints[0].loss == 2.5);
	assert_true(isnan(j.checkpoints[0].heldout));
	assert_string_equal(j.checkpoints[0].sha256, SHA_A);
	assert_true(isnan(j.checkpoints[1].loss) && j.checkpoints[1].heldout == 2.25);
	train_journal_free(&j);
	train_journal_free(&j);
}

/* Cut anywhere, the journal says what its whole lines say. */
static void
test_torn(void **state)
{
	struct fixture *f = *state;
	struct str all = {0};
	write_run(f);
	journal_get(f, &all);
	size_t first = (size_t)(strchr(all.s, '\n') - all.s);
	for (size_t n = 0; n < all.len; n++) {
		struct train_journal j;
		int lines = 0;
		for (size_t i = 0; i < n; i++)
			lines += all.s[i] == '\n';
		journal_put(f, all.s, n);
		assert_err(train_journal_read(f->dir, &j), n <= first ? ERR_FORMAT : OK);
		assert_int_equal(j.n_checkpoints, lines < 3 ? 0 : lines - 2);
		assert_false(j.finished);
		train_journal_free(&j);
	}
	str_free(&all);
}

static void
test_cut(void **state)
{
	struct fixture *f = *state;
	struct str before = {0}, after = {0};
	struct train_status s = { .step = 1, .epoch = 1, .loss = 1, .heldout = 1, .lr = 1 };
	uint64_t size;
	assert_ok(journal_begin(f->dir, f->recipe));
	assert_ok(journal_append(f->dir, journal_epoch(&s)));
	assert_ok(journal_size(f->dir, &size));
	journal_get(f, &before);
	assert_ok(journal_append(f->dir, journal_checkpoint(&s, SHA_A)));
	assert_err(journal_cut(f->dir, size + 1), ERR_FORMAT);
	assert_err(journal_cut(f->dir, 0), ERR_FORMAT);
	assert_err(journal_cut(f->dir, UINT64_MAX), ERR_FORMAT);
	assert_err(journal_cut(f->dir, 1 << 20), ERR_FORMAT);
	assert_ok(journal_cut(f->dir, size));
	journal_get(f, &after);
	assert_string_equal(before.s, after.s);
	str_free(&before);
	str_free(&after);
}

/* A line that does not fit the disk leaves no trace. */
static void
test_full(void **state)
{
	struct fixture *f = *state;
	struct str before = {0}, after = {0};
	struct train_status s = { .step = 1, .epoch = 1, .loss = 1, .heldout = 1, .lr = 1 };
	assert_ok(journal_begin(f->dir, f->recipe));
	journal_get(f, &before);
	struct rlimit old, tight;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = (struct rlimit){ before.len + 20, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	enum err err = journal_append(f->dir, journal_epoch(&s));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_err(err, ERR_IO);
	journal_get(f, &after);
	assert_string_equal(before.s, after.s);
	str_free(&before);
	str_free(&after);
}

/* ---- another recipe ---- */

static void
check_differs(const struct fixture *f, struct train_spec spec, const char *tokenizer, const char *field)
{
	json_t *there;
	char sha256[HASH_HEX];
	json_t *mine = journal_recipe(&f->m, &spec, tokenizer);
	assert_ok(journal_find_recipe(f->dir, &there, sha256));
	enum err err = journal_same_recipe(f->dir, there, mine);
	if (field) {
		assert_int_equal(err, ERR_MISMATCH);
		if (!strstr(err_message(), field))
			fail_msg("\"%s\" does not name %s", err_message(), field);
	} else {
		assert_ok(err);
	}
	json_decref(there);
	json_decref(mine);
}

static void
test_recipes(void **state)
{
	struct fixture *f = *state;
	uint8_t drop[64] = {0};
	struct dataset other;
	struct train_spec spec = f->spec;
	assert_ok(journal_begin(f->dir, f->recipe));
	check_differs(f, spec, SHA_B, NULL);
	check_differs(f, spec, SHA_A, "tokenizer");
	check_differs(f, spec, NULL, "tokenizer");
	spec.options.save_every = 1;
	check_differs(f, spec, SHA_B, NULL);
	spec.options.lr = 0.5;
	check_differs(f, spec, SHA_B, "options.lr is 0.01 there, 0.5 here");
	spec = f->spec;
	spec.options.dtype = ST_BF16;
	check_differs(f, spec, SHA_B, "options.dtype");
	spec = f->spec;
	spec.drop = drop;
	check_differs(f, spec, SHA_B, "drop");
	spec = f->spec;
	toy_dataset(&other, 20, 2);
	spec.data = &other;
	check_differs(f, spec, SHA_B, "dataset.sha256");
	dataset_free(&other);
	f->m.config.n_ctx++;
	check_differs(f, f->spec, SHA_B, "model.max_position_embeddings");
}

/* ---- strangers ---- */

static const char *const hostile[] = {
	"", "\n", "{}\n", "[]\n", "null\n", "7\n", "{\"kind\":\"recipe\"}\n",
	"{\"kind\":\"finished\",\"step\":1}\n", "\xff\xfe\n",
	"{\"kind\":\"recipe\",\"kind\":\"recipe\"}\n", "{\"kind\":7}\n",
	"{\"kind\":\"recipe\",\"version\":1,\"model\":[]}\n",
};

/* After a good recipe of 9 steps. */
static const char *const hostile_after[] = {
	"\n", "nonsense\n", "{}\n", "{\"kind\":\"other\"}\n", "{\"kind\":\"check\\u0000point\"}\n",
	"{\"kind\":\"epoch\",\"epoch\":0,\"step\":1}\n", "{\"kind\":\"epoch\",\"epoch\":1,\"step\":0}\n",
	"{\"kind\":\"epoch\",\"epoch\":4,\"step\":1}\n", "{\"kind\":\"epoch\",\"epoch\":1,\"step\":10}\n",
	"{\"kind\":\"epoch\",\"epoch\":2,\"step\":4}\n{\"kind\":\"epoch\",\"epoch\":1,\"step\":5}\n",
	"{\"kind\":\"epoch\",\"epoch\":1,\"step\":4}\n{\"kind\":\"epoch\",\"epoch\":2,\"step\":3}\n",
	"{\"kind\":\"checkpoint\",\"step\":1}\n",
	"{\"kind\":\"checkpoint\",\"step\":1,\"sha256\":\"../../../etc/passwd\"}\n",
	"{\"kind\":\"checkpoint\",\"step\":-1,\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"checkpoint\",\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"checkpoint\",\"step\":1,\"lr\":\"x\",\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"checkpoint\",\"step\":1,\"loss\":1e300,\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"checkpoint\",\"step\":99999999999999999999,\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"checkpoint\",\"step\":2,\"sha256\":\"" SHA_A "\"}\n"
		"{\"kind\":\"checkpoint\",\"step\":2,\"sha256\":\"" SHA_A "\"}\n",
	"{\"kind\":\"finished\",\"step\":8,\"sha256\":\"" SHA_A "\"}\n", "{\"kind\":\"finished\",\"step\":9}\n",
	"{\"kind\":\"finished\",\"step\":9,\"sha256\":\"" SHA_A "\"}\n"
		"{\"kind\":\"checkpoint\",\"step\":9,\"sha256\":\"" SHA_A "\"}\n",
};

static void
check_refused(const struct fixture *f, const char *text, size_t n)
{
	struct train_journal j;
	journal_put(f, text, n);
	enum err err = train_journal_read(f->dir, &j);
	if (err != ERR_FORMAT && err != ERR_LIMIT && err != ERR_UNSUPPORTED)
		fail_msg("%d for: %s", (int)err, text);
	assert_null(j.checkpoints);
}

static void
test_strangers(void **state)
{
	struct fixture *f = *state;
	struct str text = {0};
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		check_refused(f, hostile[i], strlen(hostile[i]));
	for (size_t i = 0; i < ARRAY_LEN(hostile_after); i++) {
		str_clear(&text);
		json_print(&text, f->recipe, 0);
		str_addf(&text, "\n%s", hostile_after[i]);
		check_refused(f, text.s, text.len);
	}
	str_clear(&text);
	str_fill(&text, '[', 100000);
	str_addc(&text, '\n');
	check_refused(f, text.s, text.len);
	str_free(&text);
}

/* Each field of the recipe in turn missing, or something else. */
static void
test_recipe_fields(void **state)
{
	struct fixture *f = *state;
	static const char *const needed[] = { "kind", "version", "model", "options", "dataset", "steps" };
	static const char *const values[] = { "\"x\"", "[1]", "-1", "1e99", "{}", "99999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		for (size_t k = 0; k <= ARRAY_LEN(values); k++) {
			json_t *copy = json_copy(f->recipe), *value;
			struct str text = {0};
			if (k < ARRAY_LEN(values)) {
				assert_ok(json_parse(values[k], strlen(values[k]), "value", &value));
				json_object_set_new(copy, needed[i], value);
			} else {
				json_object_del(copy, needed[i]);
			}
			json_print(&text, copy, 0);
			str_addc(&text, '\n');
			check_refused(f, text.s, text.len);
			str_free(&text);
			json_decref(copy);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_torn),
		TEST(test_cut),
		TEST(test_full),
		TEST(test_recipes),
		TEST(test_strangers),
		TEST(test_recipe_fields),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
