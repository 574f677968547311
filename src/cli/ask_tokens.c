/* ask_tokens: see ask_tokens.h. */
#include "ask_tokens.h"
#include "commands.h"

#include <inttypes.h>
#include <math.h>

#include "byline/json.h"
#include "byline/utf8.h"

enum { TOKENS_LISTED = 3 };

/* Target j of the example, borrowed: its first token is none. */
static const char *
target_bytes(const struct token_influence *t, const struct session *s, int j, size_t *n)
{
	int32_t id = s->data.token[s->data.start[t->example] + 1 + (uint64_t)j];
	const char *bytes = tokenizer_is_special(s->tokenizer, id) ? NULL : tokenizer_bytes(s->tokenizer, id, n);
	if (!bytes)
		*n = 0;
	return bytes ? bytes : "";
}

static double
column_sum(const struct token_influence *t, int j)
{
	double sum = 0;
	for (int i = 0; i < t->to - t->from; i++)
		sum += (double)t->matrix[(size_t)i * (size_t)t->n_in + (size_t)j];
	return sum;
}

/* "attn.qkv" of "layers.3.attn.qkv". */
static const char *
module_name(const struct linear *l)
{
	const char *first = l->layer >= 0 ? strchr(l->name, '.') : NULL;
	const char *second = first ? strchr(first + 1, '.') : NULL;
	return second ? second + 1 : l->name;
}

/* ---- JSON ---- */

static json_t *
tokens_json(const struct token_influence *t, const struct session *s)
{
	json_t *list = json_array();
	for (int j = 0; j < t->n_in; j++) {
		size_t n;
		const char *bytes = target_bytes(t, s, j, &n);
		json_array_append_new(list, json_pack("{s:o, s:o}", "text", json_text(bytes, n), "score",
			json_number(column_sum(t, j))));
	}
	return list;
}

static json_t *
matrix_json(const struct token_influence *t)
{
	json_t *rows = json_array();
	const float *v = t->matrix;
	for (int i = t->from; i < t->to; i++) {
		json_t *row = json_array();
		for (int j = 0; j < t->n_in; j++)
			json_array_append_new(row, json_number((double)*v++));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *
layers_json(const struct token_influence *t, const struct session *s)
{
	json_t *list = json_array();
	for (int i = 0; i < t->n_layers; i++) {
		const struct linear *l = &s->model.linears[t->linear[i]];
		json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "layer",
			l->layer >= 0 ? json_integer(l->layer) : json_null(), "module", module_name(l), "score",
			json_number((double)t->layer[i])));
	}
	return list;
}

json_t *
ask_tokens_json(const struct token_influence *t, const struct session *s)
{
	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o}", "example", (json_int_t)t->example, "method", "ekfac",
		"score", json_number(t->score), "tokens", tokens_json(t, s), "matrix", matrix_json(t), "layers",
		layers_json(t, s));
}

/* ---- for people ---- */

static void
add_quoted(struct str *out, const char *bytes, size_t n)
{
	str_adds(out, "\"");
	text_escape(out, bytes, n, ESCAPE_NEWLINE | ESCAPE_TAB);
	str_adds(out, "\"");
}

/* The strongest of row (n) in either direction, strongest first; how many. The last place is for sorting. */
static int
strongest(const float *row, int n, int out[TOKENS_LISTED + 1])
{
	int k = 0;
	for (int j = 0; j < n; j++) {
		int at = k;
		for (; at > 0 && fabsf(row[j]) > fabsf(row[out[at - 1]]); at--)
			out[at] = out[at - 1];
		out[at] = j;
		k += k < TOKENS_LISTED;
	}
	return k;
}

/* One output token, what the example adds to it, and the tokens of the example that add or take most. */
static void
token_print(const struct token_influence *t, const struct query *q, int i)
{
	const float *row = t->matrix + (size_t)i * (size_t)t->n_in;
	uint32_t from = q->byte_of[t->from + i], to = q->byte_of[t->from + i + 1];
	int most[TOKENS_LISTED + 1], n_most = strongest(row, t->n_in, most);
	struct str line = {0};
	double sum = 0;
	for (int j = 0; j < t->n_in; j++)
		sum += (double)row[j];
	add_quoted(&line, q->output.s + from, to - from);
	for (int k = 0; k < n_most; k++) {
		size_t n;
		const char *bytes = target_bytes(t, q->session, most[k], &n);
		str_adds(&line, k ? ", " : "  from ");
		add_quoted(&line, bytes, n);
		str_addf(&line, " %+.3g", (double)row[most[k]]);
	}
	say("  %+10.4g  %s\n", sum, line.s);
	str_free(&line);
}

/* The modules of one layer, from the i-th; where the next layer begins. */
static int
layer_print(const struct token_influence *t, const struct session *s, int i)
{
	const struct linear *linears = s->model.linears;
	int layer = linears[t->linear[i]].layer;
	struct str line = {0};
	double sum = 0;
	if (layer >= 0)
		str_addf(&line, "layer %d: ", layer);
	for (bool first = true; i < t->n_layers && linears[t->linear[i]].layer == layer; i++, first = false) {
		sum += (double)t->layer[i];
		str_addf(&line, "%s%s", first ? "" : ", ", module_name(&linears[t->linear[i]]));
		if (layer >= 0)
			str_addf(&line, " %+.3g", (double)t->layer[i]);
	}
	say("  %+10.4g  %s\n", sum, line.s);
	str_free(&line);
	return i;
}

void
ask_tokens_print(const struct token_influence *t, const struct query *q)
{
	say("\nToken by token, example %" PRIu32 " in run %s: %+.4g nats of influence\n", t->example,
		q->session->run.name, t->score);
	for (int i = 0; i < t->to - t->from; i++)
		token_print(t, q, i);
	say("\nThrough the layers\n");
	for (int i = 0; i < t->n_layers;)
		i = layer_print(t, q->session, i);
}
