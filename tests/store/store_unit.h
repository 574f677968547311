/*
 * store_unit: what the store's tests share: a fresh folder per test with an open store in it, hostile SQL on a closed
 * one, and short ways to add works and to list folders.
 */
#ifndef BYLINE_TEST_STORE_UNIT_H
#define BYLINE_TEST_STORE_UNIT_H

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/store.h"
#include "byline/str.h"
#include "unit.h"

#define STORE_DIR "shelf.byline"

struct fixture {
	char *dir;
	struct store *store;
};

/* In a fresh folder, with an open store STORE_DIR. */
static inline int
store_enter(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	f->dir = xstrdup("/tmp/byline-store-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) && chdir(f->dir) == 0 && store_create(STORE_DIR, &f->store) == OK ? 0 : -1;
}

static inline int
store_leave(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	enum err err = chdir("/") == 0 ? file_remove_tree(f->dir) : ERR_IO;
	free(f->dir);
	free(f);
	return err == OK ? 0 : -1;
}

static inline struct store *
the_store(void **state)
{
	return ((struct fixture *)*state)->store;
}

static inline void
store_shut(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	f->store = NULL;
}

static inline struct store *
store_reopen(void **state, bool read_only)
{
	struct fixture *f = *state;
	store_close(f->store);
	assert_ok(store_open(STORE_DIR, read_only, &f->store));
	return f->store;
}

/* SQL on the closed store, as a stranger would. */
static inline void
store_tamper(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(STORE_DIR "/store.db", &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static inline int64_t
add_work(struct store *s, const char *text, const char *author, const char *title)
{
	struct work_author a = { author, 1 };
	struct work_in w = { .text = text, .text_len = strlen(text), .title = title, .authors = &a,
		.n_authors = author ? 1 : 0 };
	int64_t id;
	bool added;
	assert_ok(store_add_work(s, &w, &id, &added));
	return id;
}

static inline enum err
list_name(void *arg, const char *rel)
{
	str_addf(arg, "%s ", rel);
	return OK;
}

static inline void
assert_holds(const char *dir, const char *want)
{
	struct str s = {0};
	str_adds(&s, "");
	assert_ok(file_walk(dir, list_name, &s));
	assert_string_equal(s.s, want);
	str_free(&s);
}

static inline void
assert_says(const char *part)
{
	if (!strstr(err_message(), part))
		fail_msg("the message \"%s\" does not say \"%s\"", err_message(), part);
	assert_null(strchr(err_message(), '\n'));
}

#endif
