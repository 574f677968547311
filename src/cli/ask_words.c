/* ask_words: the verbatim section of an answer, and the marks of its ranking. */
#include "ask_words.h"
#include "commands.h"

#include <stdlib.h>

#include "byline/mem.h"

enum { WORKS_LISTED = 3 };

enum err
ask_words_find(struct store *s, const struct query *q, struct ask_words *out)
{
	*out = (struct ask_words){0};
	enum err err = verbatim_open(s, &out->v);
	if (err == ERR_MISSING)
		out->why = xstrdup(err_message());
	if (err != OK)
		return err == ERR_MISSING ? OK : err;
	return spans_find(out->v, q->output.s, q->output.len, VERBATIM_WORDS, &out->found);
}

void
ask_words_free(struct ask_words *w)
{
	spans_free(&w->found);
	verbatim_close(w->v);
	free(w->why);
	*w = (struct ask_words){0};
}

const char *
ask_words_mark(const struct ask_words *w, const struct session *s, const struct ranking *r, const struct ranked *one)
{
	return verbatim_mark_names[verbatim_mark(w->v, w->found.text, w->found.v, w->found.n,
		&s->examples[one->example], (double)one->score, r->floor)];
}

static void
mark_list(const struct ask_words *w, const struct session *s, const struct ranking *r, bool top, json_t *list)
{
	const struct ranked *one = top ? r->top : r->bottom;
	size_t i;
	json_t *row;
	json_array_foreach(list, i, row) {
		const char *mark = ask_words_mark(w, s, r, &one[i]);
		json_object_set_new(row, "mark", *mark ? json_string(mark) : json_null());
	}
}

enum err
ask_words_json(const struct ask_words *w, const struct session *s, const struct ranking *r, json_t *o)
{
	json_t *list = NULL;
	if (w->v)
		TRY(spans_json(s->store, &w->found, &list));
	json_object_set_new(o, "verbatim", list ? list : json_null());
	mark_list(w, s, r, true, json_object_get(o, "examples"));
	mark_list(w, s, r, false, json_object_get(o, "opponents"));
	return OK;
}

enum err
ask_words_print(const struct ask_words *w, struct store *s)
{
	say("\nWord for word in the corpus\n");
	if (!w->v)
		say("  not looked up: %s\n", w->why);
	else if (w->found.n == 0)
		say("  no %d words in a row of this output\n", VERBATIM_WORDS);
	return spans_print(s, &w->found, WORKS_LISTED);
}
