/* tokenize: what tokens a text is, which bytes each is of, and the way back. */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"

struct tokenize_args { bool json, decode, special; };

#define FIELD(f) offsetof(struct tokenize_args, f)
static const struct option tokenize_table[] = {
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"decode", OPTION_FLAG, FIELD(decode),
		.help = "read token ids, or what --json printed, and write the text"},
	{"special", OPTION_FLAG, FIELD(special),
		.help = "recognise special tokens in the text, and add those that the tokenizer puts around one"},
};

enum { TEXT_MAX = INT32_MAX / 2, JSON_MAX = 256 << 20 };

/* ---- text to tokens ---- */

/* packed: of each token three numbers, its id, the bytes skipped before it and its bytes, low seven bits first */
struct text { const struct tokenizer *t; struct str bytes, packed; bool json; size_t printed, done; };

static void
pack_number(struct str *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		str_addc(out, (char)(v | 0x80));
	str_addc(out, (char)v);
}

static size_t
unpack_number(const char **at)
{
	size_t v = 0;
	for (int shift = 0;; shift += 7) {
		unsigned char byte = (unsigned char)*(*at)++;
		v |= (size_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
}

static void
pack_tokens(void *arg, const struct token_span *v, size_t n)
{
	struct text *x = arg;
	for (size_t i = 0; i < n; i++) {
		pack_number(&x->packed, (uint64_t)v[i].id);
		pack_number(&x->packed, v[i].from - x->done);
		pack_number(&x->packed, v[i].to - v[i].from);
		x->done = v[i].to;
	}
}

static void
print_token(struct text *x, int32_t id, size_t from, size_t to)
{
	if (x->json) {
		printf("%s{\"id\":%" PRId32 ",\"start\":%zu,\"end\":%zu}", x->printed++ ? "," : "", id, from, to);
		return;
	}
	size_t n;
	const char *bytes = tokenizer_bytes(x->t, id, &n);
	struct str shown = {0};
	str_add(&shown, "", 0);
	text_escape(&shown, bytes ? bytes : "", n, ESCAPE_NEWLINE | ESCAPE_TAB);
	printf("%8" PRId32 "  %8zu %8zu  \"", id, from, to);
	fwrite(shown.s, 1, shown.len, stdout);
	puts("\"");
	str_free(&shown);
}

static void
print_around(struct text *x, const int32_t *ids, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		print_token(x, ids[i], at, at);
}

static void
print_packed(struct text *x)
{
	const char *at = x->packed.s;
	for (size_t to = 0; at && at < x->packed.s + x->packed.len;) {
		int32_t id = (int32_t)unpack_number(&at);
		size_t from = to + unpack_number(&at);
		to = from + unpack_number(&at);
		print_token(x, id, from, to);
	}
}

/* Nothing is printed before all is known to be good. */
static void
print_all(struct text *x, bool special)
{
	const int32_t *before, *after;
	size_t n_before = special ? tokenizer_before(x->t, &before) : 0,
		n_after = special ? tokenizer_after(x->t, &after) : 0;
	if (x->json)
		printf("{\"tokens\":[");
	print_around(x, before, n_before, 0);
	print_packed(x);
	print_around(x, after, n_after, x->bytes.len);
	if (x->json)
		puts("]}");
}

static enum err
encode(const struct tokenizer *t, const struct tokenize_args *a)
{
	struct text x = { .t = t, .json = a->json };
	enum err err;
	TRY_OUT(file_read("-", TEXT_MAX, &x.bytes));
	str_add(&x.bytes, "", 0);
	TRY_OUT(tokenizer_encode_each(t, x.bytes.s, x.bytes.len, a->special, pack_tokens, &x));
	print_all(&x, a->special);
out:
	str_free(&x.packed);
	str_free(&x.bytes);
	return err;
}

/* ---- tokens to text ---- */

struct ids { const struct tokenizer *t; int32_t *v; size_t n, cap; };

static enum err
ids_add(struct ids *ids, long long id)
{
	size_t n;
	if (id < 0 || id > INT32_MAX || !tokenizer_bytes(ids->t, (int32_t)id, &n))
		return err_set(ERR_USAGE, "the tokenizer has no token %lld", id);
	mem_grow(&ids->v, &ids->cap, ids->n + 1, sizeof(*ids->v));
	ids->v[ids->n++] = (int32_t)id;
	return OK;
}

static enum err
ids_read(struct ids *ids, const char *text)
{
	static const char between[] = ", \t\r\n";
	for (const char *p = text + strspn(text, between); *p; p += strspn(p, between)) {
		char *end;
		errno = 0;
		long long id = strtoll(p, &end, 10);
		size_t n = strcspn(p, between);
		if (end != p + n || errno)
			return err_set(ERR_USAGE, "%.*s is no token id; give whole numbers, as 1,2,3",
				(int)(n > 40 ? 40 : n), p);
		TRY(ids_add(ids, id));
		p = end;
	}
	return OK;
}

/* {"tokens": [{"id": 1}, ...]}, or the list alone, or numbers for objects. */
static enum err
ids_read_json(struct ids *ids, const struct str *text)
{
	json_t *root;
	enum err err = OK;
	if (text->len > JSON_MAX)
		return err_set(ERR_LIMIT, "JSON of %zu bytes, at most %d are read: give the ids alone", text->len,
			JSON_MAX);
	TRY(json_parse(text->s, text->len, "standard input", &root));
	const json_t *list = json_is_object(root) ? json_object_get(root, "tokens") : root;
	if (!json_is_array(list))
		err = err_set(ERR_USAGE, "standard input: there is no list \"tokens\"");
	for (size_t i = 0; err == OK && i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const json_t *id = json_is_object(item) ? json_object_get(item, "id") : item;
		err = json_is_integer(id) ? ids_add(ids, json_integer_value(id))
			: err_set(ERR_USAGE, "standard input: token %zu has no \"id\"", i);
	}
	json_decref(root);
	return err;
}

static enum err
ids_get(struct ids *ids)
{
	struct str text = {0};
	enum err err;
	TRY_OUT(file_read("-", TEXT_MAX, &text));
	str_add(&text, "", 0);
	if (text.len != strlen(text.s))
		TRY_OUT(err_set(ERR_USAGE, "standard input is not text"));
	const char *start = text.s + strspn(text.s, " \t\r\n");
	err = *start == '{' || *start == '[' ? ids_read_json(ids, &text) : ids_read(ids, text.s);
out:
	str_free(&text);
	return err;
}

static bool
same_ids(const int32_t *a, const int32_t *b, size_t n)
{
	return n == 0 || memcmp(a, b, n * sizeof(*a)) == 0;
}

/* What --special put around the text goes again. */
static void
ids_bare(const struct ids *ids, size_t *from, size_t *to)
{
	const int32_t *before, *after;
	size_t n_before = tokenizer_before(ids->t, &before), n_after = tokenizer_after(ids->t, &after);
	if (ids->n >= n_before && same_ids(ids->v, before, n_before))
		*from = n_before;
	if (*to - *from >= n_after && same_ids(ids->v + *to - n_after, after, n_after))
		*to -= n_after;
}

static enum err
decode(const struct tokenizer *t, const struct tokenize_args *a)
{
	struct ids ids = { .t = t };
	struct str text = {0}, safe = {0};
	enum err err;
	TRY_OUT(ids_get(&ids));
	size_t from = 0, to = ids.n;
	if (a->special)
		ids_bare(&ids, &from, &to);
	str_add(&text, "", 0);
	if (to > from)
		tokenizer_decode(t, ids.v + from, to - from, &text);
	if (isatty(STDOUT_FILENO)) {
		text_escape(&safe, text.s, text.len, 0);
		fwrite(safe.s ? safe.s : "", 1, safe.len, stdout);
	} else
		fwrite(text.s, 1, text.len, stdout);
out:
	free(ids.v);
	str_free(&text);
	str_free(&safe);
	return err;
}

/* ---- the command ---- */

static int
tokenize_run(const void *options, char **args, int n_args)
{
	const struct tokenize_args *a = options;
	struct tokenizer *t = NULL;
	(void)n_args;
	if (a->json && a->decode)
		return fail(err_set(ERR_USAGE, "--decode writes the text, which is no JSON: give one of the two"));
	enum err err = checkpoint_tokenizer(args[0], NULL, &t);
	if (err == OK)
		err = a->decode ? decode(t, a) : encode(t, a);
	tokenizer_free(t);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_tokenize = {
	.name = "tokenize", .group = "Look", .args = "CHECKPOINT",
	.summary = "Print the tokens of a text with their bytes, or turn ids back into text",
	.min_args = 1, .max_args = 1, .run = tokenize_run, OPTIONS(tokenize_table, struct tokenize_args),
};
