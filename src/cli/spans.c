/* spans: the places of a span counted by work, contributor and licence, and printed. */
#include "spans.h"
#include "commands.h"
#include "records.h"

#include <math.h>
#include <stdlib.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"

enum { TEXT_COLUMNS = 160 };

enum err
spans_find(const struct verbatim *v, const char *text, size_t n, int min_words, struct spans *out)
{
	*out = (struct spans){ .text = text ? text : "", .n_text = n };
	return verbatim_spans(v, out->text, n, min_words, &out->v, &out->n);
}

void
spans_free(struct spans *s)
{
	verbatim_spans_free(s->v, s->n);
	*s = (struct spans){0};
}

/* ---- JSON ---- */

/* Adds `places` to the object of `list` whose member `key` is `name`, which is made when there is none. */
static void
count_name(json_t *list, const char *key, const char *name, size_t places)
{
	json_t *want = json_cstr(name), *o;
	size_t i;
	json_array_foreach(list, i, o)
		if (json_equal(json_object_get(o, key), want))
			break;
	if (i == json_array_size(list))
		json_array_append_new(list, json_pack("{s:O, s:i}", key, want, "places", 0));
	o = json_array_get(list, i);
	json_object_set_new(o, "places",
		json_integer(json_integer_value(json_object_get(o, "places")) + (json_int_t)places));
	json_decref(want);
}

static enum err
span_works(struct store *s, const struct verbatim_span *span, json_t *o)
{
	json_t *works = json_array(), *people = json_array(), *licences = json_array();
	json_object_set_new(o, "works", works);
	json_object_set_new(o, "contributors", people);
	json_object_set_new(o, "licences", licences);
	for (size_t i = 0; i < span->n_works; i++) {
		struct work w;
		TRY(store_work(s, span->work[i], &w));
		json_array_append_new(works, json_pack("{s:I, s:o, s:o, s:I, s:b}", "id", (json_int_t)w.id, "title",
			json_cstr(w.title), "date", json_cstr(w.date), "places", (json_int_t)span->work_places[i],
			"opted_out", w.opted_out));
		for (size_t a = 0; a < w.n_authors; a++)
			count_name(people, "name", w.authors[a].name, span->work_places[i]);
		count_name(licences, "licence", w.licence, span->work_places[i]);
		work_free(&w);
	}
	return OK;
}

static json_t *
span_json(const struct spans *spans, const struct verbatim_span *span)
{
	json_t *o = json_pack("{s:I, s:I, s:o, s:I, s:I}", "from", (json_int_t)span->from, "to", (json_int_t)span->to,
		"text", json_text(spans->text + span->from, span->to - span->from), "words",
		(json_int_t)span->n_words, "places", (json_int_t)span->n_places);
	json_object_set_new(o, "first_seen", *span->first_seen ? json_string(span->first_seen) : json_null());
	json_object_set_new(o, "first_work", span->first_work ? json_integer(span->first_work) : json_null());
	json_object_set_new(o, "chance", json_number(span->chance));
	return o;
}

enum err
spans_json(struct store *s, const struct spans *spans, json_t **out)
{
	enum err err = OK;
	*out = json_array();
	for (size_t i = 0; i < spans->n && err == OK; i++) {
		json_t *o = span_json(spans, &spans->v[i]);
		json_array_append_new(*out, o);
		err = span_works(s, &spans->v[i], o);
	}
	if (err != OK) {
		json_decref(*out);
		*out = NULL;
	}
	return err;
}

/* ---- for people ---- */

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static enum err
print_works(struct store *s, const struct verbatim_span *span, size_t most)
{
	for (size_t i = 0; i < span->n_works && i < most; i++) {
		struct work w;
		struct str by = {0}, line = {0};
		TRY(store_work(s, span->work[i], &w));
		record_byline(&by, &w);
		/* A title of several lines could pass for more rows. */
		text_escape(&line, *w.title ? w.title : "untitled", strlen(*w.title ? w.title : "untitled"),
			ESCAPE_NEWLINE);
		say("      work %lld  %s  (%s; %s%s)", (long long)w.id, line.s, by.s, w.licence,
			w.opted_out ? "; opted out" : "");
		if (span->work_places[i] > 1)
			say(", %zu times", span->work_places[i]);
		say("\n");
		str_free(&by);
		str_free(&line);
		work_free(&w);
	}
	if (span->n_works > most)
		say("      and %zu more work%s\n", span->n_works - most, plural(span->n_works - most));
	return OK;
}

static void
print_counts(const struct verbatim_span *span)
{
	say("      %zu place%s in %zu work%s by %zu contributor%s under %zu licence%s", span->n_places,
		plural(span->n_places), span->n_works, plural(span->n_works), span->n_contributors,
		plural(span->n_contributors), span->n_licences, plural(span->n_licences));
	if (*span->first_seen)
		say(", first seen %s", span->first_seen);
	if (isfinite(span->chance))
		say("; works share so long a run at %.2g%% of their places", 100 * span->chance);
	say("\n");
}

enum err
spans_print(struct store *s, const struct spans *spans, size_t most)
{
	for (size_t i = 0; i < spans->n; i++) {
		const struct verbatim_span *span = &spans->v[i];
		struct str line = {0}, cut = {0};
		text_escape(&line, spans->text + span->from, span->to - span->from, ESCAPE_NEWLINE | ESCAPE_TAB);
		text_fit(&cut, line.s, line.len, TEXT_COLUMNS, "...");
		say("%4zu words  \"%s\"\n", span->n_words, cut.s);
		str_free(&line);
		str_free(&cut);
		print_counts(span);
		TRY(print_works(s, span, most));
	}
	return OK;
}
