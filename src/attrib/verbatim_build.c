/* verbatim_build: text.safetensors written, and what is there compared with what would be written. */
#include <inttypes.h>
#include <stdlib.h>

#include "byline/file.h"
#include "byline/mem.h"

#include "leftovers.h"
#include "verbatim_private.h"

static enum err
write_file(const struct verbatim_made *m, const char *path)
{
	struct st_writer w;
	uint64_t n = m->n, n_words = m->n_words, n_works = m->n_works, n_starts = n_works + 1;
	uint64_t lengths = VERBATIM_LENGTHS;
	enum err err;
	TRY_OUT(st_writer_open(&w, path));
	st_writer_meta(&w, "format", VERBATIM_FORMAT);
	st_writer_meta(&w, "corpus", m->corpus);
	st_writer_declare(&w, "text", ST_U8, 1, &n);
	st_writer_declare(&w, "words", ST_U32, 1, &n_words);
	st_writer_declare(&w, "works", ST_I64, 1, &n_works);
	st_writer_declare(&w, "starts", ST_U32, 1, &n_starts);
	st_writer_declare(&w, "longest", ST_I64, 1, &lengths);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, m->text, n));
	TRY_OUT(st_writer_bytes(&w, m->word, n_words * sizeof(*m->word)));
	TRY_OUT(st_writer_bytes(&w, m->id, n_works * sizeof(*m->id)));
	TRY_OUT(st_writer_bytes(&w, m->start, n_starts * sizeof(*m->start)));
	TRY_OUT(st_writer_bytes(&w, m->longest, sizeof(m->longest)));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	return err;
}

/* Whether the file is whole and of these works. */
static bool
is_of(const char *path, const char *corpus)
{
	struct verbatim v;
	bool same = verbatim_map(&v, path) == OK && strcmp(st_meta(&v.file, "corpus"), corpus) == 0;
	verbatim_unmap(&v);
	return same;
}

void
verbatim_tidy(const struct store *s)
{
	leftovers_remove(store_dir(s), VERBATIM_FILE);
}

enum err
verbatim_build(struct store *s, struct job *job)
{
	struct verbatim_made m = {0};
	char corpus[HASH_HEX], *path = path_join(store_dir(s), VERBATIM_FILE);
	enum err err;
	TRY_OUT(store_hash(s, corpus));
	if (is_of(path, corpus))
		goto out;
	TRY_OUT(verbatim_make(s, job, &m));
	err = write_file(&m, path);
out:
	verbatim_made_free(&m);
	free(path);
	return err;
}

/* ---- verifying ---- */

static bool
same_bytes(const void *a, const void *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static const char *
first_difference(const struct verbatim *v, const struct verbatim_made *m)
{
	const struct corpus *c = &v->corpus;
	if (c->n_works != m->n_works || !same_bytes(v->id, m->id, m->n_works * sizeof(*m->id)))
		return "its works are not the store's";
	if (c->n != m->n || !same_bytes(c->start, m->start, (m->n_works + 1) * sizeof(*m->start)) ||
		!same_bytes(c->text, m->text, m->n))
		return "its texts are not the store's";
	if (c->n_words != m->n_words || !same_bytes(c->word, m->word, m->n_words * sizeof(*m->word)))
		return "its words are not those of its texts, or out of order";
	if (!same_bytes(v->longest, m->longest, sizeof(m->longest)))
		return "its lengths of chance are not those of its texts";
	return NULL;
}

static enum err
compare(struct store *s, struct job *job, const struct verbatim *v)
{
	struct verbatim_made m;
	enum err err = verbatim_make(s, job, &m);
	/* What is wrong with the store itself is a finding of store_verify. */
	if (err != OK)
		return err == ERR_FORMAT || err == ERR_MISSING || err == ERR_MISMATCH ? OK : err;
	const char *what = first_difference(v, &m);
	verbatim_made_free(&m);
	return what ? err_set(ERR_MISMATCH, "%s: %s; byline verbatim %s --build makes it again", v->path, what,
		store_dir(s)) : OK;
}

enum err
verbatim_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings)
{
	struct verbatim *v = NULL;
	if (!file_in_dir(store_dir(s), VERBATIM_FILE))
		return OK;
	enum err err = verbatim_open(s, &v);
	/* One that nobody can read is as good as none. */
	err = err == OK ? compare(s, job, v) : err == ERR_IO ? ERR_FORMAT : err;
	verbatim_close(v);
	if (err != ERR_FORMAT && err != ERR_MISSING && err != ERR_MISMATCH && err != ERR_LIMIT)
		return err;
	fn(arg, err_message());
	++*n_findings;
	return OK;
}
