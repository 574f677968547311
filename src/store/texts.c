/* texts: compression, dictionary, and reading back with every claim checked. */
#include "texts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zdict.h>
#include <zstd.h>

#include "byline/mem.h"
#include "db.h"

enum {
	LEVEL = 15,
	DICT_FROM = 200,		/* texts; tried again at every doubling should training fail */
	DICT_SAMPLES = 4 << 20,		/* bytes of text it is trained on */
	DICT_MIN = 4 << 10,
	DICT_MAX = 112 << 10,
	DICT_LIMIT = 16 << 20		/* largest we take from a store that others wrote */
};

struct codec {
	ZSTD_CCtx *in;
	ZSTD_DCtx *out;
	int64_t in_id, out_id;		/* dictionaries loaded, 0: none */
	ZSTD_CDict *in_dict;
	ZSTD_DDict *out_dict;
	bool looked;			/* whether in_id is known to be the newest */
	int64_t work;			/* whose text is in `last`, 0: nobody's */
	struct str last;
};

void
texts_reset(struct store *s)
{
	struct codec *c = s->codec;
	if (!c)
		return;
	ZSTD_freeCCtx(c->in);
	ZSTD_freeDCtx(c->out);
	ZSTD_freeCDict(c->in_dict);
	ZSTD_freeDDict(c->out_dict);
	str_free(&c->last);
	free(c);
	s->codec = NULL;
}

static enum err
codec_get(struct store *s, struct codec **out)
{
	if (!s->codec) {
		s->codec = xcalloc(1, sizeof(*s->codec));
		s->codec->in = ZSTD_createCCtx();
		s->codec->out = ZSTD_createDCtx();
	}
	*out = s->codec;
	if (!s->codec->in || !s->codec->out)
		return err_set(ERR_MEMORY, "%s: no memory for compressing texts", s->path);
	return OK;
}

/* ---- dictionaries ---- */

static enum err
dictionary_read(struct store *s, int64_t id, struct str *data)
{
	bool found;
	char want[HASH_HEX], got[HASH_HEX];
	TRY(db_one(s, &found, "SELECT sha256, data FROM dictionaries WHERE id = ?1", "i>hb", id, want, data));
	if (!found)
		return db_damaged(s, "dictionary %" PRId64 " is missing", id);
	hash_bytes(data->s, data->len, got);
	if (strcmp(want, got) != 0 || data->len > DICT_LIMIT)
		return db_damaged(s, "dictionary %" PRId64 " is not the one its texts were compressed with", id);
	return OK;
}

/* The newest dictionary, for texts to come; none is fine. */
static enum err
codec_in(struct store *s, struct codec *c)
{
	struct str data = {0};
	int64_t id = 0;
	bool found;
	enum err err = OK;
	if (c->looked)
		return OK;
	TRY(db_one(s, &found, "SELECT ifnull(max(id), 0) FROM dictionaries", ">n", &id));
	if (id > 0) {
		TRY_OUT(dictionary_read(s, id, &data));
		c->in_dict = ZSTD_createCDict(data.s, data.len, LEVEL);
		if (!c->in_dict) {
			err = db_damaged(s, "dictionary %" PRId64 " cannot be used", id);
			goto out;
		}
	}
	c->in_id = id;
	c->looked = true;
out:
	str_free(&data);
	return err;
}

static enum err
codec_out(struct store *s, struct codec *c, int64_t id)
{
	struct str data = {0};
	enum err err = OK;
	if (c->out_id == id)
		return OK;
	ZSTD_freeDDict(c->out_dict);
	c->out_dict = NULL;
	c->out_id = 0;
	TRY_OUT(dictionary_read(s, id, &data));
	c->out_dict = ZSTD_createDDict(data.s, data.len);
	if (c->out_dict)
		c->out_id = id;
	else
		err = db_damaged(s, "dictionary %" PRId64 " cannot be used", id);
out:
	str_free(&data);
	return err;
}

/* ---- frames ---- */

static enum err
frame_make(struct store *s, struct codec *c, const char *text, size_t n, struct str *frame)
{
	size_t room = ZSTD_compressBound(n), got;
	char *buf = xmalloc(room);
	if (c->in_dict)
		got = ZSTD_compress_usingCDict(c->in, buf, room, text, n, c->in_dict);
	else
		got = ZSTD_compressCCtx(c->in, buf, room, text, n, LEVEL);
	enum err err = OK;
	if (ZSTD_isError(got))
		err = err_set(ERR_MEMORY, "%s: a text cannot be compressed: %s", s->path, ZSTD_getErrorName(got));
	else
		str_add(frame, buf, got);
	free(buf);
	return err;
}

static enum err
frame_open(struct store *s, int64_t id, int64_t dictionary, const struct str *frame, size_t bytes, struct str *out)
{
	struct codec *c;
	TRY(codec_get(s, &c));
	if (dictionary)
		TRY(codec_out(s, c, dictionary));
	/* Asked before anything is allocated: the frame must claim what the row claims. */
	if (bytes > TEXT_MAX || ZSTD_getFrameContentSize(frame->s, frame->len) != bytes)
		return db_damaged(s, "text %" PRId64 " is not as long as it says", id);
	char *buf = malloc(bytes + 1);
	if (!buf)
		return err_set(ERR_MEMORY, "%s: no memory for a text of %zu bytes", s->path, bytes);
	size_t got = ZSTD_decompress_usingDDict(c->out, buf, bytes, frame->s, frame->len,
		dictionary ? c->out_dict : NULL);
	enum err err = OK;
	if (ZSTD_isError(got) || got != bytes)
		err = db_damaged(s, "text %" PRId64 " cannot be decompressed", id);
	else
		str_add(out, buf, bytes);
	free(buf);
	return err;
}

enum err
texts_read(struct store *s, int64_t id, struct str *out)
{
	struct str frame = {0};
	char want[HASH_HEX], got[HASH_HEX];
	int64_t bytes, dictionary;
	bool found;
	size_t from = out->len;
	str_add(out, "", 0);
	enum err err = db_one(s, &found, "SELECT sha256, bytes, ifnull(dictionary, 0), frame FROM texts WHERE id = ?1",
		"i>hnnb", id, want, &bytes, &dictionary, &frame);
	if (err == OK && !found)
		err = db_damaged(s, "text %" PRId64 " is missing", id);
	if (err == OK)
		err = frame_open(s, id, dictionary, &frame, (size_t)bytes, out);
	if (err == OK) {
		hash_bytes(out->s + from, out->len - from, got);
		if (strcmp(want, got) != 0)
			err = db_damaged(s, "text %" PRId64 " is not the one that was stored (its SHA-256 differs)",
				id);
	}
	str_free(&frame);
	return err;
}

enum err
texts_of_work(struct store *s, int64_t work, const struct str **out)
{
	struct codec *c;
	TRY(codec_get(s, &c));
	if (c->work != work) {
		c->work = 0;
		str_clear(&c->last);
		TRY(store_work_text(s, work, &c->last));
		c->work = work;
	}
	*out = &c->last;
	return OK;
}

/* ---- training a dictionary ---- */

struct samples {
	struct str bytes;
	size_t *size;
	size_t n, cap;
};

/* The first texts, up to DICT_SAMPLES bytes of them. */
static enum err
samples_read(struct store *s, struct samples *in)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err;
	str_add(&in->bytes, "", 0);
	TRY_OUT(db_query(s, &st, "SELECT id FROM texts ORDER BY id", ""));
	while ((err = db_next(s, st, &row)) == OK && row && in->bytes.len < DICT_SAMPLES) {
		int64_t id;
		size_t from = in->bytes.len;
		TRY_OUT(db_read(s, st, "i", &id));
		TRY_OUT(texts_read(s, id, &in->bytes));
		mem_grow(&in->size, &in->cap, in->n + 1, sizeof(*in->size));
		in->size[in->n++] = in->bytes.len - from;
	}
out:
	sqlite3_finalize(st);
	return err;
}

static void
samples_free(struct samples *in)
{
	str_free(&in->bytes);
	free(in->size);
}

/* *size is 0 when the texts are too few or too unlike each other; that is no error. */
static void
samples_train(const struct samples *in, char *dict, size_t *size)
{
	size_t want = in->bytes.len / 64;
	*size = 0;
	if (want < DICT_MIN)
		return;
	size_t got = ZDICT_trainFromBuffer(dict, want < DICT_MAX ? want : DICT_MAX, in->bytes.s, in->size,
		(unsigned)in->n);
	if (!ZDICT_isError(got))
		*size = got;
}

/* The texts that are there already are compressed again: it was for them that the dictionary was made. */
static enum err
texts_recompress(struct store *s)
{
	struct codec *c;
	int64_t last = 0;
	bool row = true;
	TRY(codec_get(s, &c));
	TRY(codec_in(s, c));
	for (;;) {
		struct str text = {0}, frame = {0};
		int64_t id;
		TRY(db_one(s, &row, "SELECT id FROM texts WHERE id > ?1 ORDER BY id LIMIT 1", "i>i", last, &id));
		if (!row)
			return OK;
		last = id;
		enum err err = texts_read(s, id, &text);
		if (err == OK)
			err = frame_make(s, c, text.s, text.len, &frame);
		if (err == OK)
			err = db_run(s, "UPDATE texts SET frame = ?1, dictionary = ?2 WHERE id = ?3", "bii",
				frame.s, frame.len, c->in_id, id);
		str_free(&text);
		str_free(&frame);
		TRY(err);
	}
}

static enum err
texts_train(struct store *s)
{
	struct samples in = {0};
	char hex[HASH_HEX], *dict = xmalloc(DICT_MAX);
	size_t n = 0;
	enum err err;
	TRY_OUT(samples_read(s, &in));
	samples_train(&in, dict, &n);
	if (n == 0)
		goto out;
	hash_bytes(dict, n, hex);
	TRY_OUT(db_run(s, "INSERT INTO dictionaries(sha256, data) VALUES (?1, ?2)", "tb", hex, dict, n));
	texts_reset(s);
	err = texts_recompress(s);
out:
	samples_free(&in);
	free(dict);
	return err;
}

static bool
time_to_train(const struct codec *c, int64_t n_texts)
{
	for (int64_t at = DICT_FROM; !c->in_id && at <= n_texts; at *= 2)
		if (at == n_texts)
			return true;
	return false;
}

/* ---- adding ---- */

static enum err
texts_insert(struct store *s, struct codec *c, const char *text, size_t n, const char *sha256, int64_t *id)
{
	struct str frame = {0};
	enum err err = frame_make(s, c, text, n, &frame);
	if (err == OK)
		err = db_run(s,
			"INSERT INTO texts(sha256, bytes, dictionary, frame) VALUES (?1, ?2, nullif(?3, 0), ?4)",
			"tiib", sha256, (int64_t)n, c->in_id, frame.s, frame.len);
	*id = sqlite3_last_insert_rowid(s->db);
	str_free(&frame);
	return err;
}

enum err
texts_add(struct store *s, const char *text, size_t n, const char *sha256, int64_t *id)
{
	struct codec *c;
	bool found;
	int64_t count;
	assert(n <= TEXT_MAX);
	TRY(db_one(s, &found, "SELECT id FROM texts WHERE sha256 = ?1", "t>i", sha256, id));
	if (found)
		return OK;
	TRY(codec_get(s, &c));
	TRY(codec_in(s, c));
	TRY(texts_insert(s, c, text, n, sha256, id));
	/* Texts are never deleted, so the newest id is their number. */
	count = *id;
	return time_to_train(c, count) ? texts_train(s) : OK;
}
