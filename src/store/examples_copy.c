/* examples_copy: one run's examples once more, for a run that repeats it. */
#include "byline/store.h"

#include <stdlib.h>

#include "db.h"
#include "runs.h"

/* Rows in order of the old ids, so that the new ids are consecutive and in the same order. */
static enum err
rows_copy(struct store *s, int64_t run, int64_t like)
{
	return db_run(s, "INSERT INTO examples(run, work, byte_from, byte_to, heldout, tokens)"
		" SELECT ?1, work, byte_from, byte_to, heldout, tokens FROM examples WHERE run = ?2 ORDER BY id", "ii",
		run, like);
}

static enum err
words_of(struct store *s, const struct example *e, int64_t id, sqlite3_stmt *words)
{
	struct str text = {0};
	bool row;
	enum err err = store_example_text(s, e, &text);
	if (err == OK) {
		sqlite3_reset(words);
		sqlite3_bind_int64(words, 1, id);
		sqlite3_bind_text64(words, 2, text.s, text.len, SQLITE_STATIC, SQLITE_UTF8);
		err = db_next(s, words, &row);
	}
	str_free(&text);
	return err;
}

/* Reading the copy back checks it against the hash that the run took over. */
static enum err
words_copy(struct store *s, int64_t run, struct job *job, sqlite3_stmt *words)
{
	struct dataset data;
	struct example *example;
	int64_t first;
	TRY(examples_first(s, run, &first));
	TRY(store_run_dataset(s, run, &data, &example));
	enum err err = OK;
	job_phase(job, "taking over examples", data.n);
	for (size_t i = 0; err == OK && i < data.n; i++) {
		err = words_of(s, &example[i], first + (int64_t)i, words);
		if (err == OK)
			err = job_check(job);
		job_step(job, i + 1);
	}
	dataset_free(&data);
	free(example);
	return err;
}

enum err
examples_copy(struct store *s, int64_t run, int64_t like, struct job *job)
{
	sqlite3_stmt *words = NULL;
	TRY(rows_copy(s, run, like));
	enum err err = words_insert(s, run, &words);
	if (err == OK)
		err = words_copy(s, run, job, words);
	sqlite3_finalize(words);
	return err;
}
