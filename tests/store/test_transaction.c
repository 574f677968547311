/* transaction: units inside a stage come and go by themselves, and all of them with the stage. */
#include "db.h"
#include "store_unit.h"

static int64_t
works(struct store *s)
{
	struct store_totals t;
	assert_ok(store_count(s, &t));
	return t.works;
}

static void
add_in_unit(struct store *s, const char *text, bool keep)
{
	assert_ok(store_begin(s));
	add_work(s, text, "Ann", text);
	if (keep)
		assert_ok(store_commit(s));
	else
		store_rollback(s);
}

/* 2: a commit outlives a power cut. */
static int64_t
durability(struct store *s)
{
	int64_t level = -1;
	bool found;
	assert_ok(db_one(s, &found, "PRAGMA synchronous", ">i", &level));
	return level;
}

static void
test_stage(void **state)
{
	struct store *s = the_store(state);
	add_work(s, "before", "Ann", "Before");
	assert_ok(store_stage(s));
	assert_err(store_stage(s), ERR_USAGE);
	add_in_unit(s, "one", true);
	add_in_unit(s, "two", false);
	add_in_unit(s, "three", true);
	store_rollback(s);
	assert_int_equal(works(s), 3);
	assert_err(store_stage_end(s, err_set(ERR_FORMAT, "as it was said")), ERR_FORMAT);
	assert_says("as it was said");
	assert_int_equal(works(s), 1);
	add_in_unit(s, "one", true);
	assert_ok(store_stage(s));
	assert_int_equal(durability(s), 2);
	add_in_unit(s, "four", true);
	add_in_unit(s, "five", false);
	assert_ok(store_stage_end(s, OK));
	assert_int_equal(durability(s), 1);
	assert_int_equal(works(s), 3);
	assert_int_equal(works(store_reopen(state, true)), 3);
}

static void
test_one_unit_at_a_time(void **state)
{
	struct store *s = the_store(state);
	assert_ok(store_begin(s));
	assert_err(store_begin(s), ERR_USAGE);
	assert_err(store_stage(s), ERR_USAGE);
	store_rollback(s);
	assert_ok(store_stage(s));
	assert_ok(store_begin(s));
	assert_err(store_begin(s), ERR_USAGE);
	assert_ok(store_commit(s));
	assert_ok(store_stage_end(s, OK));
}

/* SQLite ends the whole transaction by itself when the disk is full; nothing may be kept after that. */
static void
test_ended_from_below(void **state)
{
	struct store *s = the_store(state);
	assert_ok(store_stage(s));
	add_in_unit(s, "one", true);
	assert_int_equal(sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_err(store_begin(s), ERR_IO);
	assert_true(store_stage_end(s, OK) != OK);
	assert_int_equal(works(s), 0);
	add_in_unit(s, "two", true);
	assert_int_equal(works(s), 1);
}

/* A closed store keeps nothing of a stage that was not ended. */
static void
test_closed(void **state)
{
	struct store *s = the_store(state);
	assert_ok(store_stage(s));
	add_in_unit(s, "one", true);
	assert_int_equal(works(store_reopen(state, false)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stage, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_one_unit_at_a_time, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_ended_from_below, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_closed, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
