/* bank_queries: the queries' tokens as a file: all of them end to end, and where each begins. */
#include "bank_private.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/safetensors.h"

#define QUERIES_FORMAT "byline queries 1"

void
bank_queries_free(struct bank *b)
{
	for (int i = 0; b->query && i < b->n_queries; i++)
		free(b->query[i].token);
	free(b->query);
	b->query = NULL;
}

/* ---- writing ---- */

struct columns {
	int64_t *start;			/* n + 1 */
	int32_t *prompt;
	int64_t *example;
	uint8_t *generated;
};

static void
columns_free(struct columns *c)
{
	free(c->start);
	free(c->prompt);
	free(c->example);
	free(c->generated);
}

static void
columns_fill(struct columns *c, const struct bank *b)
{
	size_t n = (size_t)b->n_queries;
	*c = (struct columns){ xcalloc(n + 1, sizeof(*c->start)), xcalloc(n + 1, sizeof(*c->prompt)),
		xcalloc(n + 1, sizeof(*c->example)), xcalloc(n + 1, sizeof(*c->generated)) };
	for (size_t i = 0; i < n; i++) {
		const struct bank_query *q = &b->query[i];
		c->start[i + 1] = c->start[i] + q->n_prompt + q->n_out;
		c->prompt[i] = q->n_prompt;
		c->example[i] = q->example;
		c->generated[i] = q->generated;
	}
}

static enum err
write_columns(struct st_writer *w, const struct bank *b, const struct columns *c)
{
	const uint64_t n = (uint64_t)b->n_queries, n1 = n + 1, tokens = (uint64_t)c->start[n];
	st_writer_meta(w, "format", QUERIES_FORMAT);
	st_writer_declare(w, "token", ST_I32, 1, &tokens);
	st_writer_declare(w, "start", ST_I64, 1, &n1);
	st_writer_declare(w, "prompt", ST_I32, 1, &n);
	st_writer_declare(w, "example", ST_I64, 1, &n);
	st_writer_declare(w, "generated", ST_U8, 1, &n);
	TRY(st_writer_begin(w));
	for (int i = 0; i < b->n_queries; i++)
		TRY(st_writer_bytes(w, b->query[i].token,
			(uint64_t)(b->query[i].n_prompt + b->query[i].n_out) * sizeof(int32_t)));
	TRY(st_writer_bytes(w, c->start, n1 * sizeof(*c->start)));
	TRY(st_writer_bytes(w, c->prompt, n * sizeof(*c->prompt)));
	TRY(st_writer_bytes(w, c->example, n * sizeof(*c->example)));
	TRY(st_writer_bytes(w, c->generated, n));
	return st_writer_commit(w);
}

enum err
bank_queries_write(const struct bank *b, const char *path)
{
	struct st_writer w = {0};
	struct columns c;
	columns_fill(&c, b);
	enum err err = st_writer_open(&w, path);
	if (err == OK)
		err = write_columns(&w, b, &c);
	st_writer_abort(&w);
	columns_free(&c);
	return err;
}

/* ---- reading ---- */

static enum err
column(const struct st_file *f, const char *name, enum st_dtype dtype, uint64_t n, const uint8_t **data)
{
	const struct st_tensor *t;
	TRY(st_want(f, name, 1, &n, &t));
	if (t->dtype != dtype)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be %s", f->path, name, st_dtype_name(dtype));
	*data = t->data;
	return OK;
}

struct reader { const uint8_t *token, *start, *prompt, *example, *generated; uint64_t tokens; };

static enum err
reader_open(struct reader *r, const struct st_file *f, const struct bank *b)
{
	const char *format = st_meta(f, "format");
	const struct st_tensor *token = st_find(f, "token");
	uint64_t n = (uint64_t)b->n_queries;
	if (!format || strcmp(format, QUERIES_FORMAT) != 0)
		return err_set(ERR_FORMAT, "%s does not hold the queries of a bank", f->path);
	if (!token || token->n_dims != 1 || token->count > BANK_TOKENS_MAX)
		return err_set(ERR_FORMAT, "%s: \"token\" is missing, or not a list of tokens", f->path);
	r->tokens = token->count;
	TRY(column(f, "token", ST_I32, r->tokens, &r->token));
	TRY(column(f, "start", ST_I64, n + 1, &r->start));
	TRY(column(f, "prompt", ST_I32, n, &r->prompt));
	TRY(column(f, "example", ST_I64, n, &r->example));
	return column(f, "generated", ST_U8, n, &r->generated);
}

static int64_t
at_i64(const uint8_t *data, int i)
{
	int64_t v;
	memcpy(&v, data + (size_t)i * sizeof(v), sizeof(v));
	return v;
}

static int32_t
at_i32(const uint8_t *data, int i)
{
	int32_t v;
	memcpy(&v, data + (size_t)i * sizeof(v), sizeof(v));
	return v;
}

static enum err
query_bad(const char *path, int i, const char *what)
{
	return err_set(ERR_FORMAT, "%s: query %d: %s", path, i, what);
}

static enum err
query_read(struct bank *b, const struct reader *r, const char *path, int i)
{
	const struct session *s = b->session;
	const struct model_config *c = &s->model.config;
	struct bank_query *q = &b->query[i];
	int64_t from = at_i64(r->start, i), to = at_i64(r->start, i + 1), example = at_i64(r->example, i);
	int32_t prompt = at_i32(r->prompt, i);
	if (from < 0 || to < from || (uint64_t)to > r->tokens || (i == 0 && from != 0)
		|| (i + 1 == b->n_queries && (uint64_t)to != r->tokens))
		return query_bad(path, i, "its place is not in the file");
	if (to - from > c->n_ctx || prompt < 1 || prompt >= to - from)
		return query_bad(path, i, "its length is none that this model can take");
	if (example < 0 || (uint64_t)example >= s->data.n || r->generated[i] > 1
		|| (s->data.heldout[example] == 0) != (r->generated[i] == 1))
		return query_bad(path, i, "its example is not one of the run, or of the wrong kind");
	*q = (struct bank_query){ .n_prompt = prompt, .n_out = (int)(to - from) - prompt,
		.generated = r->generated[i], .example = (uint32_t)example };
	q->token = xcalloc((size_t)(to - from), sizeof(*q->token));
	memcpy(q->token, r->token + (size_t)from * sizeof(*q->token), (size_t)(to - from) * sizeof(*q->token));
	for (int t = 0; t < to - from; t++)
		if (q->token[t] < 0 || q->token[t] >= c->vocab)
			return query_bad(path, i, "it holds a token that the model does not know");
	return OK;
}

enum err
bank_queries_read(struct bank *b, const char *path)
{
	struct st_file f = {0};
	struct reader r;
	enum err err;
	TRY_OUT(st_open(&f, path));
	TRY_OUT(reader_open(&r, &f, b));
	b->query = xcalloc((size_t)b->n_queries + 1, sizeof(*b->query));
	for (int i = 0; err == OK && i < b->n_queries; i++)
		err = query_read(b, &r, path, i);
out:
	st_close(&f);
	return err;
}
