/* scores_queries: prompts and outputs that imported scores are of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "scores_private.h"

enum { OUTPUT_TOKENS_MOST = 65536 };
static const size_t file_most = (size_t)1 << 30;

static void
scored_query_free(struct scored_query *q)
{
	free(q->prompt);
	free(q->output);
	free(q->byte_of);
	*q = (struct scored_query){0};
}

void
scored_queries_free(struct scored_queries *q)
{
	for (size_t i = 0; i < q->n; i++)
		scored_query_free(&q->v[i]);
	free(q->v);
	*q = (struct scored_queries){0};
}

void
scores_tensor_name(size_t query, char name[32])
{
	snprintf(name, 32, "query.%zu", query);
}

/* ---- a line ---- */

static enum err
want_text(const json_t *o, const char *key, const char *def, char **out)
{
	const json_t *v = json_object_get(o, key);
	if ((!v || json_is_null(v)) && def) {
		*out = xstrdup(def);
		return OK;
	}
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
		return err_set(ERR_FORMAT, "\"%s\" must be a string%s", key, json_is_string(v) ? " without NUL" : "");
	*out = xstrdup(json_string_value(v));
	return OK;
}

static void
one_token(struct scored_query *q)
{
	q->n_out = 1;
	q->byte_of = xcalloc(2, sizeof(*q->byte_of));
	q->byte_of[1] = (uint32_t)strlen(q->output);
}

/* The output's tokens, as pieces that are the output when put together. */
static enum err
read_tokens(const json_t *list, uint64_t most, struct scored_query *q)
{
	size_t n = json_array_size(list), at = 0, length = strlen(q->output);
	if (!json_is_array(list) || n == 0)
		return err_set(ERR_FORMAT, "\"tokens\" is needed beside scores of each token: a list of the pieces of"
			" \"output\"");
	if (n > most || n > OUTPUT_TOKENS_MOST)
		return err_set(ERR_MISMATCH, "%zu tokens, and scores of %" PRIu64, n, most);
	q->n_out = (int)n;
	q->byte_of = xcalloc(n + 1, sizeof(*q->byte_of));
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		size_t size = json_string_length(v);
		if (!json_is_string(v) || size > length - at || memcmp(q->output + at, json_string_value(v), size) != 0)
			return err_set(ERR_MISMATCH, "token %zu of \"tokens\" is not what follows in \"output\"", i);
		at += size;
		q->byte_of[i + 1] = (uint32_t)at;
	}
	return at == length ? OK : err_set(ERR_MISMATCH, "\"tokens\" end before \"output\" does");
}

static enum err
read_line(const char *line, size_t n, uint64_t most, struct scored_query *q)
{
	json_t *o;
	enum err err;
	TRY(json_parse(line, n, "record", &o));
	if (!json_is_object(o))
		TRY_OUT(err_set(ERR_FORMAT, "not a JSON object"));
	TRY_OUT(want_text(o, "prompt", "", &q->prompt));
	TRY_OUT(want_text(o, "output", NULL, &q->output));
	if (!*q->output)
		TRY_OUT(err_set(ERR_FORMAT, "\"output\" is empty"));
	if (most > 0)
		err = read_tokens(json_object_get(o, "tokens"), most, q);
	else
		one_token(q);
out:
	json_decref(o);
	return err;
}

/* ---- the file ---- */

static int
query_cmp(const void *a, const void *b)
{
	const struct scored_query *x = *(const struct scored_query *const *)a;
	const struct scored_query *y = *(const struct scored_query *const *)b;
	int by_prompt = strcmp(x->prompt, y->prompt);
	return by_prompt ? by_prompt : strcmp(x->output, y->output);
}

/* They are found again by what they say. */
static enum err
check_distinct(const char *path, const struct scored_queries *q)
{
	const struct scored_query **sorted = xcalloc(q->n + 1, sizeof(*sorted));
	enum err err = OK;
	for (size_t i = 0; i < q->n; i++)
		sorted[i] = &q->v[i];
	qsort(sorted, q->n, sizeof(*sorted), query_cmp);
	for (size_t i = 1; err == OK && i < q->n; i++)
		if (query_cmp(&sorted[i - 1], &sorted[i]) == 0)
			err = err_set(ERR_MISMATCH, "%s: queries %zu and %zu (counting from 0) are the same", path,
				(size_t)(sorted[i - 1] - q->v), (size_t)(sorted[i] - q->v));
	free(sorted);
	return err;
}

enum err
scored_queries_read(const char *path, uint64_t most, struct scored_queries *out)
{
	struct str text = {0};
	enum err err;
	size_t number = 1;
	TRY_OUT(file_read(path, file_most, &text));
	for (size_t at = 0; at < text.len; number++) {
		const char *line = text.s + at, *end = memchr(line, '\n', text.len - at);
		size_t n = end ? (size_t)(end - line) : text.len - at;
		at += n + 1;
		size_t blank = strspn(line, " \t\r");
		if (blank >= n)
			continue;
		mem_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v));
		out->v[out->n] = (struct scored_query){ .number = out->n };
		err = read_line(line, n, most, &out->v[out->n++]);
		if (err != OK)
			TRY_OUT(err_prefix(err, "%s:%zu", path, number));
	}
	err = out->n > 0 ? check_distinct(path, out) : err_set(ERR_FORMAT, "%s: there is no query in it", path);
out:
	str_free(&text);
	return err;
}

/* ---- as a saved query ---- */

char *
scored_query_settings(const struct scored_query *q, size_t number, bool tokens)
{
	struct str text = {0};
	json_t *o = json_pack("{s:o, s:s, s:I}", "target", json_text(q->output, strlen(q->output)), "method",
		"imported", "imported", (json_int_t)number);
	if (tokens) {
		json_t *ends = json_array();
		for (int i = 1; i <= q->n_out; i++)
			json_array_append_new(ends, json_integer(q->byte_of[i]));
		json_object_set_new(o, "ends", ends);
	}
	json_print(&text, o, 0);
	json_decref(o);
	return str_take(&text);
}

static bool
take_ends(const json_t *ends, struct scored_query *q)
{
	size_t n = json_array_size(ends), length = strlen(q->output);
	if (!ends) {
		one_token(q);
		return true;
	}
	if (n == 0 || n > OUTPUT_TOKENS_MOST)
		return false;
	q->n_out = (int)n;
	q->byte_of = xcalloc(n + 1, sizeof(*q->byte_of));
	for (size_t i = 0; i < n; i++) {
		json_int_t end = json_integer_value(json_array_get(ends, i));
		if (end < (json_int_t)q->byte_of[i] || end > (json_int_t)length)
			return false;
		q->byte_of[i + 1] = (uint32_t)end;
	}
	return q->byte_of[n] == length;
}

bool
scored_query_take(const struct saved_query *from, struct scored_query *out)
{
	json_t *o = NULL;
	*out = (struct scored_query){0};
	bool good = from->settings && json_parse(from->settings, strlen(from->settings), "settings", &o) == OK
		&& json_is_integer(json_object_get(o, "imported"))
		&& json_integer_value(json_object_get(o, "imported")) >= 0 && from->output && *from->output;
	if (good) {
		*out = (struct scored_query){ .id = from->id, .prompt = xstrdup(from->prompt ? from->prompt : ""),
			.output = xstrdup(from->output),
			.number = (size_t)json_integer_value(json_object_get(o, "imported")) };
		good = take_ends(json_object_get(o, "ends"), out);
	}
	if (!good)
		scored_query_free(out);
	json_decref(o);
	err_clear();
	return good;
}
