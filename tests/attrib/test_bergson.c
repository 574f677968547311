/* Indexes that bergson made, asked: the scores are those it gives itself (make_bergson.py), and what does not belong
 * together is refused in words. */
#include "byline/bergson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/attrib.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "unit.h"

struct world { char top[64]; struct store *store; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	strcpy(w->top, "/tmp/byline-bergson.XXXXXX");
	assert_non_null(mkdtemp(w->top));
	char *dir = path_join(w->top, "s.byline");
	assert_ok(store_create(dir, &w->store));
	free(dir);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	store_close(w->store);
	assert_ok(file_remove_tree(w->top));
	free(w);
	return 0;
}

static char *
data_path(const char *model, const char *name)
{
	const char *dir = getenv("srcdir");
	return xasprintf("%s/tests/data/bergson/%s%s%s", dir ? dir : ".", model, *model ? "/" : "", name);
}

static enum err
import(const struct world *w, const char *model, const char *dir, const char *run, bool copy)
{
	char *checkpoint = data_path(model, "checkpoint"), *examples = data_path("", "examples.jsonl");
	const struct bergson_import o = { .dir = dir, .checkpoint = checkpoint, .examples = examples, .run = run,
		.copy = copy };
	struct bergson_report r;
	enum err err = bergson_import(w->store, &o, NULL, &r);
	if (err == OK)
		assert_true(r.examples == 6 && r.none + r.cut + r.again + r.broken == 0);
	free(checkpoint);
	free(examples);
	return err;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

/* Relative to the largest score of the query; the tokens of a span add up where rows are not normalised. */
static double
worst_of(struct session *s, const json_t *want)
{
	struct query *q;
	const struct method *m = method_find("bergson");
	const json_t *list = json_object_get(want, "scores");
	float scores[6], many[6];
	double worst = 0, largest = 0;
	assert_int_equal(s->data.n, json_array_size(list));
	assert_ok(query_new(s, json_string_value(json_object_get(want, "prompt")),
		json_string_value(json_object_get(want, "target")), NULL, NULL, NULL, NULL, &q));
	assert_ok(m->score(q, 0, q->n_out, scores, NULL));
	assert_ok(m->score_many(&q, 1, many, NULL));
	for (size_t i = 0; i < 6; i++) {
		double v = json_number_value(json_array_get(list, i));
		largest = fmax(largest, fabs(v));
		worst = fmax(worst, fmax(fabs(v - scores[i]), fabs(v - many[i])));
	}
	query_free(q);
	assert_true(largest > 0);
	return worst / largest;
}

static void
index_agrees(const struct world *w, const char *model, const char *name)
{
	json_t *root, *one;
	struct session *s;
	size_t i;
	char *dir = data_path(model, name), *path = path_join(dir, "scores.json"), *run = xasprintf("%s.%s", model, name);
	assert_ok(import(w, model, dir, run, false));
	assert_ok(session_open(w->store, run, 1, &s));
	assert_ok(method_ready(s, method_find("bergson")));
	assert_err(method_ready(s, method_find("influence")), ERR_MISSING);
	assert_ok(json_parse_file(path, 1 << 20, &root));
	assert_int_equal(json_array_size(root), 3);
	json_array_foreach(root, i, one) {
		double worst = worst_of(s, one);
		if (!(worst < 1e-5))
			fail_msg("%s, query %zu: off by %.3g", run, i, worst);
	}
	json_decref(root);
	session_close(s);
	free(dir);
	free(path);
	free(run);
}

static void
test_scores(void **state)
{
	static const char *const of[][2] = {
		{ "llama", "signs" }, { "llama", "plain" }, { "llama", "normal" }, { "llama", "tokens" }, { "llama", "half" },
		{ "gpt2", "biased" }, { "gpt2", "heads" }, { "gpt2", "heads-biased" }, { "gpt2", "heads-plain" },
		{ "neox", "signs" }, { "neox", "plain" }, { "phi3", "signs" },
	};
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		index_agrees(*state, of[i][0], of[i][1]);
}

static void
test_tokens_add_up(void **state)
{
	const struct world *w = *state;
	const struct method *m = method_find("bergson");
	struct session *s;
	struct query *q;
	float whole[6], part[6], sum[6] = {0};
	char *dir = data_path("llama", "signs");
	assert_ok(import(w, "llama", dir, "r", true));
	assert_ok(session_open(w->store, "r", 1, &s));
	assert_ok(query_new(s, "The ferry", " waits", NULL, NULL, NULL, NULL, &q));
	assert_ok(m->score(q, 0, q->n_out, whole, NULL));
	for (int t = 0; t < q->n_out; t++) {
		assert_ok(m->score(q, t, t + 1, part, NULL));
		for (int i = 0; i < 6; i++)
			sum[i] += part[i];
	}
	for (int i = 0; i < 6; i++)
		assert_true(fabsf(sum[i] - whole[i]) < 1e-4f * (1 + fabsf(whole[i])));
	query_free(q);
	session_close(s);
	free(dir);
}

/* ---- what does not belong together ------------------------------------------------------------------------------ */

/* A copy of an index, whose file can be changed. */
static char *
index_copy(const struct world *w, const char *model, const char *name)
{
	static const char *const files[] = { "info.json", "processor_config.yaml", "config.yaml", "gradients.bin",
		"offsets.npy" };
	char *to = path_join(w->top, "index"), *from = data_path(model, name);
	assert_ok(file_mkdirs(to));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct str bytes = {0};
		char *a = path_join(from, files[i]), *b = path_join(to, files[i]);
		unlink(b);
		if (file_exists(a)) {
			assert_ok(file_read(a, 1 << 20, &bytes));
			assert_ok(file_replace(b, bytes.s, bytes.len));
		}
		str_free(&bytes);
		free(a);
		free(b);
	}
	free(from);
	return to;
}

static void
file_edit(const char *dir, const char *name, const char *from, const char *to)
{
	struct str bytes = {0}, out = {0};
	char *path = path_join(dir, name);
	assert_ok(file_read(path, 1 << 20, &bytes));
	const char *at = from ? strstr(bytes.s, from) : bytes.s + bytes.len - 4;
	assert_non_null(at);
	str_add(&out, bytes.s, (size_t)(at - bytes.s));
	str_adds(&out, to);
	at += from ? strlen(from) : 4;
	str_add(&out, at, bytes.len - (size_t)(at - bytes.s));
	assert_ok(file_replace(path, out.s, out.len));
	str_free(&bytes);
	str_free(&out);
	free(path);
}

static void
says(enum err err, enum err code, const char *words)
{
	if (err != code || !strstr(err_message(), words) || strchr(err_message(), '\n'))
		fail_msg("error %d, \"%s\"; wanted %d, \"%s\"", (int)err, err_message(), (int)code, words);
}

static void
test_refused(void **state)
{
	static const struct { const char *model, *index, *checkpoint, *file, *from, *to; enum err code; const char *words; }
		bad[] = {
		{ "llama", "signs", "gpt2", "info.json", "6", "6", ERR_MISMATCH, "layers.0.self_attn.q_proj" },
		{ "llama", "plain", "llama", "info.json", "72", "71", ERR_FORMAT, "would be as info.json has it" },
		{ "llama", "signs", "llama", "gradients.bin", NULL, "", ERR_FORMAT, "gradients.bin: 5372 bytes" },
		{ "llama", "signs", "llama", "info.json", "\"num_grads\": 6", "\"num_grads\": 5", ERR_FORMAT, "5 rows" },
		{ "llama", "signs", "llama", "processor_config.yaml", "dim: 4", "dim: 5", ERR_MISMATCH, "5 x 5" },
		{ "llama", "signs", "llama", "processor_config.yaml", "per_module", "global", ERR_UNSUPPORTED, "global" },
		{ "llama", "signs", "llama", "info.json", "k_proj", "k_proy", ERR_MISMATCH, "k_proy" },
		{ "gpt2", "heads", "gpt2", "info.json", "head_5", "head_6", ERR_MISMATCH, "head_6" },
		{ "gpt2", "heads-plain", "gpt2", "info.json", "36,", "35,", ERR_FORMAT, "info.json has it" },
		{ "llama", "tokens", "llama", "offsets.npy", NULL, "", ERR_FORMAT, "offsets.npy" },
		{ "llama", "signs", "llama", "config.yaml", "hessian_path: null", "hessian_path: h", ERR_UNSUPPORTED, "Hessian" },
	};
	const struct world *w = *state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct store_totals n;
		char *dir = index_copy(w, bad[i].model, bad[i].index);
		file_edit(dir, bad[i].file, bad[i].from, bad[i].to);
		says(import(w, bad[i].checkpoint, dir, "r", false), bad[i].code, bad[i].words);
		assert_ok(store_count(w->store, &n));
		assert_int_equal(n.works + n.runs, 0);
		free(dir);
	}
	says(import(w, "llama", w->top, "r", false), ERR_MISSING, "no info.json");
}

static void
test_normalizers(void **state)
{
	const struct world *w = *state;
	char *dir = index_copy(w, "llama", "signs"), *path = path_join(dir, "normalizers.pth");
	assert_ok(file_replace(path, "PK..empty", 9));
	assert_ok(import(w, "llama", dir, "r", false));
	assert_ok(file_replace(path, "PK.AdamNormalizer.", 18));
	says(import(w, "llama", dir, "r", false), ERR_UNSUPPORTED, "AdamNormalizer");
	free(dir);
	free(path);
}

static void
asked(const struct world *w, enum err code, const char *words)
{
	struct session *s;
	struct query *q;
	float scores[6];
	assert_ok(session_open(w->store, "r", 1, &s));
	assert_ok(query_new(s, "The ferry", " waits", NULL, NULL, NULL, NULL, &q));
	enum err err = method_find("bergson")->score(q, 0, 2, scores, NULL);
	if (code == OK)
		assert_ok(err);
	else
		says(err, code, words);
	query_free(q);
	session_close(s);
}

/* What was imported and is not what it was. */
static void
test_changed(void **state)
{
	const struct world *w = *state;
	char *dir = index_copy(w, "llama", "signs");
	assert_ok(import(w, "llama", dir, "r", false));
	asked(w, OK, NULL);
	file_edit(dir, "processor_config.yaml", "jl", "row_norm");
	asked(w, ERR_MISMATCH, "not the file that was imported");
	assert_ok(import(w, "llama", dir, "r", true));
	asked(w, OK, NULL);
	assert_ok(file_remove_tree(dir));
	asked(w, OK, NULL);
	free(dir);
	dir = index_copy(w, "llama", "signs");
	assert_ok(import(w, "llama", dir, "r", false));
	assert_ok(file_remove_tree(dir));
	asked(w, ERR_MISSING, "is not there");
	says(import(w, "gpt2", dir, "r", false), ERR_MISSING, "no such folder");
	free(dir);
	dir = data_path("gpt2", "biased");
	says(import(w, "gpt2", dir, "r", false), ERR_MISMATCH, "other weights");
	free(dir);
}

/* Rows that are no numbers cost their examples the score, and nobody else. */
static void
test_not_finite(void **state)
{
	const struct world *w = *state;
	char *dir = index_copy(w, "llama", "signs"), *examples = data_path("", "examples.jsonl");
	char *checkpoint = data_path("llama", "checkpoint");
	const struct bergson_import o = { .dir = dir, .checkpoint = checkpoint, .examples = examples, .run = "r" };
	struct bergson_report r;
	file_edit(dir, "gradients.bin", NULL, "\xff\xff\xff\x7f");
	assert_ok(bergson_import(w->store, &o, NULL, &r));
	assert_int_equal(r.broken, 1);
	asked(w, OK, NULL);
	free(dir);
	free(examples);
	free(checkpoint);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scores), TEST(test_tokens_add_up), TEST(test_refused), TEST(test_normalizers), TEST(test_changed),
		TEST(test_not_finite),
	};
	return cmocka_run_group_tests_name("bergson", tests, NULL, NULL);
}
