/* examples: cutting works into token sequences, and reading a run's sequences back with every claim checked. */
#include "byline/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "cut.h"
#include "db.h"
#include "runs.h"
#include "texts.h"

enum { WIDE_FROM = 65536 };		/* vocabularies above this take four bytes a token, others two */

static size_t
token_width(int64_t vocab)
{
	return vocab <= WIDE_FROM ? 2 : 4;
}

/* ---- cutting ---- */

struct cutter {
	struct store *s;
	const struct run_spec *spec;
	struct dataset *data;
	int64_t run;
	size_t width;
	sqlite3_stmt *words;
	uint64_t *draws;		/* of all works, ascending; the first n_heldout are held out */
	size_t n_draws, cap_draws, n_heldout;
	int32_t *ids;			/* the example being made */
	struct str blob;
	struct job *job;
	uint64_t done;
};

/* By seed and text alone: two works with one text get one draw, whatever the order of the works. */
static uint64_t
heldout_draw(const struct run_spec *spec, const char *sha256)
{
	struct hash_state h;
	char hex[HASH_HEX];
	unsigned char seed[8];
	for (int i = 0; i < 8; i++)
		seed[i] = (unsigned char)(spec->seed >> (8 * i));
	hash_init(&h);
	hash_add(&h, seed, sizeof(seed));
	hash_add(&h, sha256, HASH_HEX - 1);
	hash_final(&h, hex);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

static int
compare_draws(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void
blob_make(struct str *blob, const int32_t *ids, size_t n, size_t width)
{
	str_clear(blob);
	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < width; b++)
			str_addc(blob, (char)((uint32_t)ids[i] >> (8 * b)));
}

static enum err
words_add(struct cutter *c, int64_t id, const char *text, size_t n)
{
	bool row;
	sqlite3_reset(c->words);
	sqlite3_bind_int64(c->words, 1, id);
	sqlite3_bind_text64(c->words, 2, text, n, SQLITE_STATIC, SQLITE_UTF8);
	return db_next(c->s, c->words, &row);
}

/* Tokens [from, to) of a work; too few to have a loss make no example. */
static enum err
piece_add(struct cutter *c, int64_t work, bool heldout, const char *text, const struct token_span *token, size_t from,
	size_t to)
{
	size_t n = 0;
	if (c->spec->bos >= 0)
		c->ids[n++] = c->spec->bos;
	for (size_t i = from; i < to; i++)
		c->ids[n++] = token[i].id;
	if (n < 2)
		return OK;
	uint32_t at = token[from].from, end = token[to - 1].to;
	assert(at <= end);
	blob_make(&c->blob, c->ids, n, c->width);
	TRY(db_run(c->s,
		"INSERT INTO examples(run, work, byte_from, byte_to, heldout, tokens) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		"iiiiib", c->run, work, (int64_t)at, (int64_t)end, (int64_t)heldout, c->blob.s, c->blob.len));
	TRY(words_add(c, sqlite3_last_insert_rowid(c->s->db), text + at, end - at));
	dataset_add(c->data, c->ids, n, heldout);
	return OK;
}

static enum err
work_cut(struct cutter *c, int64_t work, int64_t text_id, bool heldout)
{
	struct str text = {0};
	struct token_span *token = NULL;
	size_t n = 0, room = (size_t)c->spec->max_tokens - (c->spec->bos >= 0);
	enum err err;
	TRY_OUT(texts_read(c->s, text_id, &text));
	TRY_OUT(tokenizer_encode(c->spec->tokenizer, text.s, text.len, false, &token, &n));
	for (size_t from = 0, to; err == OK && from < n; from = to) {
		to = cut_next(text.s, text.len, token, n, from, room);
		err = piece_add(c, work, heldout, text.s, token, from, to);
	}
out:
	free(token);
	str_free(&text);
	return err;
}

/* Every work nobody opted out of, in order of ids. */
static enum err
works_each(struct cutter *c, enum err (*fn)(struct cutter *c, int64_t work, int64_t text, const char *sha256))
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(c->s, &st, "SELECT w.id, w.text, t.sha256 FROM works w JOIN texts t ON t.id = w.text"
		" WHERE NOT EXISTS (SELECT 1 FROM shares h JOIN contributors k ON k.id = h.contributor"
		" WHERE h.work = w.id AND k.opted_out = 1) ORDER BY w.id", "");
	while (err == OK && (err = db_next(c->s, st, &row)) == OK && row) {
		int64_t work, text;
		char sha256[HASH_HEX];
		err = db_read(c->s, st, "iih", &work, &text, sha256);
		if (err == OK)
			err = fn(c, work, text, sha256);
	}
	sqlite3_finalize(st);
	return err;
}

static enum err
work_draw(struct cutter *c, int64_t work, int64_t text, const char *sha256)
{
	(void)work;
	(void)text;
	mem_grow(&c->draws, &c->cap_draws, c->n_draws + 1, sizeof(*c->draws));
	c->draws[c->n_draws++] = heldout_draw(c->spec, sha256);
	return OK;
}

/* The fraction is of the works there are, not a chance for each: a small corpus asked for some gets some. */
static enum err
heldout_choose(struct cutter *c)
{
	TRY(works_each(c, work_draw));
	if (c->n_draws > 0)
		qsort(c->draws, c->n_draws, sizeof(*c->draws), compare_draws);
	c->n_heldout = (size_t)(c->spec->heldout * (double)c->n_draws + 0.5);
	if (c->spec->heldout > 0 && c->n_heldout == 0 && c->n_draws > 1)
		c->n_heldout = 1;
	return OK;
}

static enum err
work_take(struct cutter *c, int64_t work, int64_t text, const char *sha256)
{
	bool heldout = c->n_heldout > 0 && heldout_draw(c->spec, sha256) <= c->draws[c->n_heldout - 1];
	TRY(work_cut(c, work, text, heldout));
	job_step(c->job, ++c->done);
	return job_check(c->job);
}

enum err
examples_cut(struct store *s, int64_t run, const struct run_spec *spec, struct job *job, struct dataset *data)
{
	struct cutter c = { .s = s, .spec = spec, .data = data, .run = run, .job = job,
		.width = token_width(tokenizer_size(spec->tokenizer)) };
	struct store_totals totals;
	TRY(store_count(s, &totals));
	job_phase(job, "cutting works into examples", (uint64_t)totals.works);
	TRY(words_insert(s, run, &c.words));
	c.ids = xcalloc((size_t)spec->max_tokens, sizeof(*c.ids));
	enum err err = heldout_choose(&c);
	if (err == OK)
		err = works_each(&c, work_take);
	sqlite3_finalize(c.words);
	str_free(&c.blob);
	free(c.ids);
	free(c.draws);
	return err;
}

/* ---- reading ---- */

struct reader {
	struct run_shape shape;
	size_t width;
	struct dataset *data;
	struct example *v;
	size_t cap;
	int32_t *ids;
	int64_t first;
};

static enum err
tokens_read(struct store *s, struct reader *r, int64_t id, const struct str *blob, uint32_t *n)
{
	*n = (uint32_t)(blob->len / r->width);
	if (blob->len % r->width || *n < 2 || *n > (size_t)r->shape.n_ctx)
		return db_damaged(s, "example %" PRId64 " has %zu bytes of tokens", id, blob->len);
	const unsigned char *p = (const unsigned char *)blob->s;
	for (size_t i = 0; i < *n; i++, p += r->width) {
		uint32_t token = (uint32_t)p[0] | (uint32_t)p[1] << 8;
		if (r->width == 4)
			token |= (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		if (token >= r->shape.vocab)
			return db_damaged(s, "example %" PRId64 " holds token %" PRIu32 " of a vocabulary of %" PRId64,
				id, token, r->shape.vocab);
		r->ids[i] = (int32_t)token;
	}
	return OK;
}

static enum err
example_read(struct store *s, sqlite3_stmt *st, struct reader *r, struct str *blob)
{
	struct example e = {0};
	int64_t id, bytes;
	str_clear(blob);
	TRY(db_read(s, st, "iiuufbn", &id, &e.work, &e.from, &e.to, &e.heldout, blob, &bytes));
	if (e.from > e.to || e.to > bytes)
		return db_damaged(s, "example %" PRId64 " is bytes %" PRIu32 " to %" PRIu32 " of a text of %" PRId64,
			id, e.from, e.to, bytes);
	if (r->data->n == 0)
		r->first = id;
	if (id != r->first + (int64_t)r->data->n)
		return db_damaged(s, "the examples of run %" PRId64 " have a gap before %" PRId64, r->shape.id, id);
	TRY(tokens_read(s, r, id, blob, &e.n_tokens));
	mem_grow(&r->v, &r->cap, r->data->n + 1, sizeof(*r->v));
	r->v[r->data->n] = e;
	dataset_add(r->data, r->ids, e.n_tokens, e.heldout);
	return OK;
}

static enum err
examples_read(struct store *s, struct reader *r)
{
	sqlite3_stmt *st = NULL;
	struct str blob = {0};
	char hex[HASH_HEX];
	bool row;
	enum err err = db_query(s, &st,
		"SELECT e.id, e.work, e.byte_from, e.byte_to, e.heldout, e.tokens, t.bytes FROM examples e"
		" JOIN works w ON w.id = e.work JOIN texts t ON t.id = w.text WHERE e.run = ?1 ORDER BY e.id", "i",
		r->shape.id);
	while (err == OK && (err = db_next(s, st, &row)) == OK && row)
		err = example_read(s, st, r, &blob);
	sqlite3_finalize(st);
	str_free(&blob);
	TRY(err);
	dataset_hash(r->data, hex);
	if ((int64_t)r->data->n != r->shape.n_examples || strcmp(hex, r->shape.dataset) != 0)
		return db_damaged(s, "the examples of run %" PRId64 " are not those it was made with", r->shape.id);
	return OK;
}

enum err
store_run_dataset(struct store *s, int64_t run, struct dataset *data, struct example **examples)
{
	struct reader r = { .data = data };
	*data = (struct dataset){0};
	*examples = NULL;
	TRY(run_shape(s, run, &r.shape));
	r.width = token_width(r.shape.vocab);
	r.ids = xcalloc((size_t)r.shape.n_ctx, sizeof(*r.ids));
	enum err err = examples_read(s, &r);
	free(r.ids);
	if (err != OK) {
		dataset_free(data);
		free(r.v);
		return err;
	}
	*examples = r.v;
	return OK;
}

enum err
examples_first(struct store *s, int64_t run, int64_t *id)
{
	bool found;
	return db_one(s, &found, "SELECT ifnull(min(id), 0) FROM examples WHERE run = ?1", "i>i", run, id);
}

enum err
store_example_text(struct store *s, const struct example *e, struct str *out)
{
	const struct str *text;
	TRY(texts_of_work(s, e->work, &text));
	str_add(out, "", 0);
	if (e->from > e->to || e->to > text->len)
		return db_damaged(s, "an example is bytes %" PRIu32 " to %" PRIu32 " of a text of %zu", e->from, e->to,
			text->len);
	str_add(out, text->s + e->from, e->to - e->from);
	return OK;
}
