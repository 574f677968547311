/* records: one form for works and contributors in everything the commands print. */
#include "records.h"
#include "commands.h"

#include <inttypes.h>
#include <string.h>

#include "byline/json.h"
#include "byline/utf8.h"

void
record_work(json_t *o, const struct work *w)
{
	json_t *people = json_array();
	json_object_set_new(o, "work", w ? json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)w->id, "title",
		json_cstr(w->title), "licence", json_cstr(w->licence), "date", json_cstr(w->date), "source",
		json_cstr(w->source))
		: json_null());
	json_object_set_new(o, "contributors", people);
	for (size_t i = 0; w && i < w->n_authors; i++)
		json_array_append_new(people, json_pack("{s:o, s:f}", "name", json_cstr(w->authors[i].name), "share",
			w->authors[i].share));
}

void
record_title(struct str *out, const struct work *w)
{
	if (w && w->title && *w->title)
		text_escape(out, w->title, strlen(w->title), ESCAPE_NEWLINE);
	else
		str_addf(out, "work %" PRId64 ", untitled", w ? w->id : 0);
}

void
record_byline(struct str *out, const struct work *w)
{
	for (size_t i = 0; w && i < w->n_authors; i++) {
		if (i > 0)
			str_adds(out, i + 1 == w->n_authors ? " and " : ", ");
		str_adds(out, w->authors[i].name);
	}
	if (!w || w->n_authors == 0)
		str_adds(out, UNKNOWN);
}
