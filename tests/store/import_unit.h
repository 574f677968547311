/* import_unit: running an import in a test and looking at what it told and what it stored. */
#ifndef BYLINE_TEST_IMPORT_UNIT_H
#define BYLINE_TEST_IMPORT_UNIT_H

#include <inttypes.h>

#include "byline/import.h"
#include "store_unit.h"

struct seen { struct import_report report; struct str skips; };

static inline void
seen_free(struct seen *seen)
{
	import_report_free(&seen->report);
	str_free(&seen->skips);
}

static inline void
see_skip(void *arg, const char *file, int64_t line, const char *reason)
{
	str_addf(arg, "%s:%" PRId64 " %s\n", file, line, reason);
}

static inline void
run_import(struct store *s, const char *path, const struct import_options *o, enum err want, struct seen *seen)
{
	struct import_options mine = o ? *o : (struct import_options){0};
	mine.skipped = see_skip;
	mine.arg = &seen->skips;
	str_clear(&seen->skips);
	enum err err = import_path(s, path, &mine, NULL, &seen->report);
	if (err != want)
		fail_msg("import of %s: error %d: %s", path, (int)err, err_message());
	if (err != OK && err != ERR_FORMAT)
		seen_free(seen);
}

static inline void
put(const char *path, const char *text)
{
	assert_ok(file_replace(path, text, strlen(text)));
}

/* "title | licence (from) | source | date | author share ..." */
static inline void
check_work(struct store *s, int64_t id, const char *want)
{
	struct work w;
	struct str got = {0};
	assert_ok(store_work(s, id, &w));
	str_addf(&got, "%s | %s (%s) | %s | %s |", w.title, w.licence, w.licence_from, w.source, w.date);
	for (size_t i = 0; i < w.n_authors; i++)
		str_addf(&got, " %s %.2f", w.authors[i].name, w.authors[i].share);
	assert_string_equal(got.s, want);
	str_free(&got);
	work_free(&w);
}

static inline void
check_text(struct store *s, int64_t id, const char *want)
{
	struct str got = {0};
	assert_ok(store_work_text(s, id, &got));
	assert_string_equal(got.s, want);
	str_free(&got);
}

#endif
