/* verbatim: opening text.safetensors, checked against itself and against the store. */
#include "byline/verbatim.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "byline/file.h"
#include "byline/mem.h"

#include "verbatim_private.h"

/* ---- against itself ---- */

static enum err
want_vector(const struct verbatim *v, const char *name, enum st_dtype dtype, const struct st_tensor **out)
{
	*out = st_find(&v->file, name);
	if (!*out)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" is missing", v->path, name);
	if ((*out)->n_dims != 1 || (*out)->dtype != dtype)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" must be a vector of %s", v->path, name,
			st_dtype_name(dtype));
	return OK;
}

static enum err
read_works(struct verbatim *v)
{
	const struct st_tensor *works, *starts;
	TRY(want_vector(v, "works", ST_I64, &works));
	TRY(want_vector(v, "starts", ST_U32, &starts));
	size_t n = v->corpus.n_works = (size_t)works->count;
	if (starts->count != works->count + 1)
		return err_set(ERR_FORMAT, "%s: %" PRIu64 " works have %" PRIu64 " starts", v->path, works->count,
			starts->count);
	TRY(mem_array(&v->id, n, sizeof(*v->id), "works"));
	TRY(mem_array(&v->start, n + 1, sizeof(*v->start), "where texts begin"));
	memcpy(v->id, works->data, n * sizeof(*v->id));
	memcpy(v->start, starts->data, (n + 1) * sizeof(*v->start));
	v->corpus.start = v->start;
	bool good = v->start[0] == 0 && v->start[n] == v->corpus.n;
	for (size_t i = 0; i < n && good; i++)
		good = v->start[i] < v->start[i + 1] && v->start[i + 1] <= v->corpus.n &&
			(i == 0 || v->id[i - 1] < v->id[i]);
	return good ? OK : err_set(ERR_FORMAT, "%s: its works, or where their texts begin, are out of order", v->path);
}

static enum err
read_lengths(struct verbatim *v)
{
	const struct st_tensor *t;
	TRY(want_vector(v, "longest", ST_I64, &t));
	if (t->count != VERBATIM_LENGTHS)
		return err_set(ERR_FORMAT, "%s: tensor \"longest\" has %" PRIu64 " elements, expected %d", v->path,
			t->count, VERBATIM_LENGTHS);
	memcpy(v->longest, t->data, sizeof(v->longest));
	for (size_t i = 0; i < VERBATIM_LENGTHS; i++) {
		if (v->longest[i] < 0 || v->longest[i] > INT32_MAX)
			return err_set(ERR_FORMAT, "%s: \"longest\" counts %" PRId64 " places", v->path, v->longest[i]);
		v->n_compared += v->longest[i];
	}
	return OK;
}

static enum err
check_format(const struct verbatim *v)
{
	const char *format = st_meta(&v->file, "format"), *corpus = st_meta(&v->file, "corpus");
	if (!format || strcmp(format, VERBATIM_FORMAT) != 0 || !corpus)
		return err_set(ERR_FORMAT, "%s is not a \"" VERBATIM_FORMAT "\" file", v->path);
	return OK;
}

enum err
verbatim_map(struct verbatim *v, const char *path)
{
	const struct st_tensor *text, *words;
	*v = (struct verbatim){ .path = xstrdup(path) };
	TRY(st_open(&v->file, path));
	TRY(check_format(v));
	TRY(want_vector(v, "text", ST_U8, &text));
	TRY(want_vector(v, "words", ST_U32, &words));
	if (text->count > INT32_MAX || words->count > text->count)
		return err_set(ERR_FORMAT, "%s: %" PRIu64 " words in %" PRIu64 " bytes of text", path, words->count,
			text->count);
	v->corpus.text = (const char *)text->data;
	v->corpus.n = (size_t)text->count;
	v->corpus.word = words->data;
	v->corpus.n_words = (size_t)words->count;
	TRY(read_works(v));
	return read_lengths(v);
}

void
verbatim_unmap(struct verbatim *v)
{
	st_close(&v->file);
	free(v->path);
	free(v->start);
	free(v->id);
	*v = (struct verbatim){0};
}

/* ---- against the store ---- */

struct gather { struct verbatim *v; size_t n; };

/* Half of its hash: enough to tell two apart. */
static uint64_t
licence_number(const char *name)
{
	char hex[HASH_HEX];
	hash_bytes(name, strlen(name), hex);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

/* YYYY, YYYY-MM or YYYY-MM-DD at the beginning of `from`; such dates are in order as strings. */
static void
date_copy(char to[16], const char *from)
{
	static const char shape[] = "dddd-dd-dd";
	size_t n = 0, whole = 0;
	for (; shape[n] && (shape[n] == 'd' ? isdigit((unsigned char)from[n]) != 0 : from[n] == '-'); n++)
		if (n == 3 || n == 6 || n == 9)
			whole = n + 1;
	memcpy(to, from, whole);
	to[whole] = '\0';
}

static enum err
gather_work(void *arg, const struct work *from)
{
	struct gather *g = arg;
	struct verbatim *v = g->v;
	size_t i = g->n++;
	if (i >= v->corpus.n_works || v->id[i] != from->id ||
		(int64_t)(v->start[i + 1] - v->start[i]) - 1 != from->bytes)
		return err_set(ERR_MISMATCH, "%s: its works are not the store's", v->path);
	struct verbatim_work *w = &v->work[i];
	*w = (struct verbatim_work){ .id = from->id, .bytes = from->bytes, .licence = licence_number(from->licence),
		.author = xcalloc(from->n_authors, sizeof(*w->author)), .n_authors = from->n_authors };
	memcpy(w->sha256, from->sha256, strnlen(from->sha256, HASH_HEX - 1));
	date_copy(w->date, from->date);
	for (size_t a = 0; a < from->n_authors; a++)
		w->author[a] = from->authors[a].contributor;
	return OK;
}

static enum err
open_works(struct verbatim *v, struct store *s)
{
	char corpus[HASH_HEX];
	struct gather g = { .v = v };
	TRY(store_hash(s, corpus));
	if (strcmp(st_meta(&v->file, "corpus"), corpus) != 0)
		return err_set(ERR_MISSING,
			"%s is of other works than the store's: byline verbatim %s --build makes it again", v->path,
			store_dir(s));
	TRY(mem_array(&v->work, v->corpus.n_works, sizeof(*v->work), "works"));
	TRY(mem_array(&v->checked, v->corpus.n_works, sizeof(*v->checked), "works"));
	TRY(store_each_work(s, gather_work, &g));
	return g.n == v->corpus.n_works ? OK : err_set(ERR_MISMATCH, "%s: its works are not the store's", v->path);
}

enum err
verbatim_open(struct store *s, struct verbatim **out)
{
	char *path = path_join(store_dir(s), VERBATIM_FILE);
	struct verbatim *v = xcalloc(1, sizeof(*v));
	enum err err;
	*out = NULL;
	if (!file_exists(path))
		TRY_OUT(err_set(ERR_MISSING, "%s has no " VERBATIM_FILE ": byline verbatim %s --build makes it",
			store_dir(s), store_dir(s)));
	TRY_OUT(verbatim_map(v, path));
	TRY_OUT(open_works(v, s));
	*out = v;
	v = NULL;
out:
	verbatim_close(v);
	free(path);
	return err;
}

void
verbatim_close(struct verbatim *v)
{
	if (!v)
		return;
	for (size_t i = 0; v->work && i < v->corpus.n_works; i++)
		free(v->work[i].author);
	free(v->work);
	free(v->checked);
	verbatim_unmap(v);
	free(v);
}

size_t
verbatim_words(const struct verbatim *v)
{
	return v->corpus.n_words;
}

size_t
verbatim_places_compared(const struct verbatim *v)
{
	return (size_t)v->n_compared;
}
