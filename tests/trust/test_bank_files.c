/* bank's files from strangers: well sealed, and wrong. Each is refused with a message that names the file. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "byline/bank.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/safetensors.h"
#include "sealed.h"
#include "toy.h"

static const struct bank_options small = { .subsets = 1, .alpha = 0.5, .seed = 4, .seeds = 1, .heldout = 2, .generated = 2,
	.span = 8, .prompt = 4 };

static struct toy toy;
static struct session *session;
static char *plan, *record, *queries;

static int
setup(void **state)
{
	struct toy_options o = toy_small;
	struct bank *b;
	(void)state;
	o.no_index = true;
	toy_new(&toy, &o);
	session = toy_session(&toy, 1);
	plan = toy_path(&toy, "bank/plan.json");
	record = toy_path(&toy, "bank/subset-0000-seed-3.json");
	queries = toy_path(&toy, "bank/queries.safetensors");
	assert_ok(bank_begin(session, &small, NULL, &b));
	assert_ok(bank_run(b, NULL));
	bank_close(b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(plan);
	free(record);
	free(queries);
	session_close(session);
	toy_free(&toy);
	return 0;
}

static void
refused(const char *why)
{
	struct bank *b;
	enum err err = bank_open(session, &b);
	if (err == OK)
		fail_msg("taken: %s", why);
	if (err != ERR_FORMAT && err != ERR_MISMATCH && err != ERR_UNSUPPORTED)
		fail_msg("%s: error %d: %s", why, (int)err, err_message());
	assert_null(b);
	assert_non_null(strstr(err_message(), "/bank/"));
}

static void
accepted(void)
{
	struct bank *b;
	assert_ok(bank_open(session, &b));
	assert_int_equal(b->n_queries, 4);
	bank_close(b);
}

/* Puts `value` at "key" or "key.below" of the file, seals it, and puts the file back afterwards. */
static void
try_value(const char *path, const char *key, const char *value)
{
	struct str good = {0};
	json_t *o, *at, *v;
	char *copy = xstrdup(key), *dot = strchr(copy, '.');
	assert_ok(file_read(path, 1 << 20, &good));
	assert_ok(sealed_read(path, &o));
	assert_ok(json_parse(value, strlen(value), "test", &v));
	if (dot)
		*dot = '\0';
	at = dot ? json_object_get(o, copy) : o;
	assert_int_equal(json_object_set_new(at, dot ? dot + 1 : copy, v), 0);
	assert_ok(sealed_write(path, o));
	refused(key);
	assert_ok(file_replace(path, good.s, good.len));
	accepted();
	free(copy);
	str_free(&good);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
plans(void **state)
{
	static const char *const cases[][2] = {
		{ "format", "\"byline bank 2\"" }, { "format", "7" }, { "run", "\"" HEX "\"" }, { "run", "\"short\"" },
		{ "options", "[]" }, { "options.subsets", "-1" }, { "options.subsets", "10001" },
		{ "options.subsets", "1.5" }, { "options.alpha", "0" }, { "options.alpha", "1e9" },
		{ "options.seed", "1" }, { "options.seed", "\"-1\"" }, { "options.seed", "\"99999999999999999999\"" },
		{ "options.seeds", "0" }, { "options.seeds", "65" }, { "options.other_subsets", "2" },
		{ "options.contributors", "1" }, { "options.span", "0" }, { "options.prompt", "null" },
		{ "options.heldout", "9e99" }, { "queries", "\"" HEX "\"" }, { "queries", "\"../../x\"" }, { "own", "[]" },
		{ "own", "[-1, -1, -1]" }, { "own", "[-1, -1, -1, null]" }, { "own", "{}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		try_value(plan, cases[i][0], cases[i][1]);
}

static void
records(void **state)
{
	static const char *const cases[][2] = {
		{ "format", "\"byline bank member 2\"" }, { "key", "\"full-0000-seed-3\"" },
		{ "key", "\"../subset-0000-seed-3\"" }, { "identity", "\"" HEX "\"" }, { "identity", "null" },
		{ "outcomes", "[]" }, { "outcomes", "[-1, -1, -1, -1, -1]" }, { "outcomes", "[-1, -1, -1, \"-1\"]" },
		{ "outcomes", "null" }, { "seconds", "-1" }, { "exact", "\"yes\"" }, { "model", "\"x\"" },
		{ "heldout", "[]" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		try_value(record, cases[i][0], cases[i][1]);
}

/* ---- queries ---- */

enum { N = 4, EACH = 8 };

struct columns {
	int32_t token[N * EACH], prompt[N];
	int64_t start[N + 1], example[N];
	uint8_t generated[N];
	uint64_t n;
	const char *format;
};

static void
columns_good(struct columns *c)
{
	uint32_t heldout = 0, trained = 0;
	while (!session->data.heldout[heldout])
		heldout++;
	while (session->data.heldout[trained])
		trained++;
	*c = (struct columns){ .n = N, .format = "byline queries 1" };
	for (int i = 0; i < N; i++) {
		c->prompt[i] = 4;
		c->start[i + 1] = c->start[i] + EACH;
		c->generated[i] = i >= N / 2;
		c->example[i] = c->generated[i] ? trained : heldout;
	}
}

/* Writes them, and a plan that names them. */
static void
columns_write(const struct columns *c)
{
	struct st_writer w;
	char hex[HASH_HEX];
	json_t *o;
	const uint64_t tokens = N * EACH, n = c->n, n1 = c->n + 1;
	assert_ok(st_writer_open(&w, queries));
	st_writer_meta(&w, "format", c->format);
	st_writer_declare(&w, "token", ST_I32, 1, &tokens);
	st_writer_declare(&w, "start", ST_I64, 1, &n1);
	st_writer_declare(&w, "prompt", ST_I32, 1, &n);
	st_writer_declare(&w, "example", ST_I64, 1, &n);
	st_writer_declare(&w, "generated", ST_U8, 1, &n);
	assert_ok(st_writer_begin(&w));
	assert_ok(st_writer_bytes(&w, c->token, sizeof(c->token)));
	assert_ok(st_writer_bytes(&w, c->start, n1 * sizeof(*c->start)));
	assert_ok(st_writer_bytes(&w, c->prompt, n * sizeof(*c->prompt)));
	assert_ok(st_writer_bytes(&w, c->example, n * sizeof(*c->example)));
	assert_ok(st_writer_bytes(&w, c->generated, n));
	assert_ok(st_writer_commit(&w));
	assert_ok(hash_file(queries, hex));
	assert_ok(sealed_read(plan, &o));
	json_object_set_new(o, "queries", json_string(hex));
	assert_ok(sealed_write(plan, o));
}

#define AT(field) offsetof(struct columns, field), sizeof(((struct columns *)NULL)->field)

static void
query_files(void **state)
{
	const struct { size_t at, size; int64_t value; } cases[] = {
		{ AT(start[0]), 1 }, { AT(start[2]), 4 }, { AT(start[1]), -8 }, { AT(start[1]), INT64_MAX },
		{ AT(start[N]), N * EACH + 1 }, { AT(start[N]), N * EACH - 1 }, { AT(prompt[1]), 0 },
		{ AT(prompt[1]), EACH }, { AT(prompt[1]), -1 }, { AT(example[0]), (int64_t)session->data.n },
		{ AT(example[0]), -1 }, { AT(generated[0]), 1 }, { AT(generated[3]), 2 },
		{ AT(token[5]), session->model.config.vocab }, { AT(token[5]), -1 }, { AT(n), 3 },
	};
	struct columns c;
	(void)state;
	columns_good(&c);
	columns_write(&c);
	accepted();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		columns_good(&c);
		memcpy((char *)&c + cases[i].at, &cases[i].value, cases[i].size);
		columns_write(&c);
		refused("a file of queries");
	}
	columns_good(&c);
	c.format = "byline queries 2";
	columns_write(&c);
	refused("another format");
	assert_ok(file_replace(queries, "\0\0\0", 3));
	refused("no file of queries");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(records),
		cmocka_unit_test(query_files),
	};
	return cmocka_run_group_tests_name("bank_files", tests, setup, teardown);
}
