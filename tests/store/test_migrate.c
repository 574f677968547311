/* migrate: steps run once, in order, all or none. */
#include "../../src/store/schema.h"

#include "store_unit.h"

static const char *const steps[] = {
	"CREATE TABLE a(x INTEGER)",
	"ALTER TABLE a ADD COLUMN y INTEGER; INSERT INTO a VALUES (1, 2)",
	"CREATE TABLE b(z INTEGER); UPDATE a SET y = y + 1",
	"INSERT INTO b VALUES (1); INSERT INTO nowhere VALUES (1)",
};

static int64_t
value(struct store *s, const char *sql)
{
	sqlite3_stmt *st = NULL;
	bool row;
	int64_t v = -1;
	assert_ok(db_query(s, &st, sql, ""));
	assert_ok(db_next(s, st, &row));
	if (row)
		assert_ok(db_read(s, st, "i", &v));
	sqlite3_finalize(st);
	return v;
}

static int
enter(void **state)
{
	struct store *s = xcalloc(1, sizeof(*s));
	s->path = xstrdup("memory");
	s->lock = -1;
	*state = s;
	return sqlite3_open(":memory:", &s->db) == SQLITE_OK ? 0 : -1;
}

static int
leave(void **state)
{
	struct store *s = *state;
	db_forget(s);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
	return 0;
}

static void
test_steps(void **state)
{
	struct store *s = *state;
	int64_t version;
	assert_ok(schema_migrate(s, steps, 0, 1));
	assert_ok(schema_read_version(s, &version));
	assert_int_equal(version, 1);
	assert_ok(schema_migrate(s, steps, 1, 3));
	assert_int_equal(value(s, "PRAGMA user_version"), 3);
	assert_int_equal(value(s, "SELECT y FROM a"), 3);
	/* From where it is not: nothing happens. */
	assert_err(schema_migrate(s, steps, 1, 3), ERR_BUSY);
	assert_int_equal(value(s, "SELECT y FROM a"), 3);
}

static void
test_failed_step(void **state)
{
	struct store *s = *state;
	assert_ok(schema_migrate(s, steps, 0, 2));
	assert_err(schema_migrate(s, steps, 2, 4), ERR_FORMAT);
	assert_says("from version 3 to 4");
	assert_int_equal(value(s, "PRAGMA user_version"), 2);
	assert_int_equal(value(s, "SELECT y FROM a"), 2);
	assert_int_equal(value(s, "SELECT count(*) FROM sqlite_schema"), 1);
	assert_ok(schema_migrate(s, steps, 2, 3));
}

/* A store made by an earlier version and brought up to date passes the same check as a new one. */
static void
test_store_check(void **state)
{
	struct store *s = *state;
	assert_ok(schema_migrate(s, schema_steps, 0, schema_version));
	assert_ok(schema_check(s));
	assert_ok(db_exec(s, "CREATE TABLE more(x)"));
	assert_err(schema_check(s), ERR_FORMAT);
	assert_says("\"more\"");
}

static void
test_words(void **state)
{
	struct store *s = *state;
	char *sql = schema_words_sql(12), *name = schema_words_name(12);
	assert_string_equal(name, "words_12");
	assert_ok(schema_migrate(s, schema_steps, 0, schema_version));
	assert_ok(db_exec(s, sql));
	assert_ok(schema_check(s));
	free(sql);
	free(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steps, enter, leave),
		cmocka_unit_test_setup_teardown(test_failed_step, enter, leave),
		cmocka_unit_test_setup_teardown(test_store_check, enter, leave),
		cmocka_unit_test_setup_teardown(test_words, enter, leave),
	};
	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
