/* fake_verbatim: what of the output stands in the works, found by trying everything. */
#include "fake_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

enum { WORDS_MAX = 64, PLACES_MAX = 16 };

struct words { uint32_t from[WORDS_MAX], to[WORDS_MAX]; int n; };

static void
words_cut(struct words *w, const char *s, size_t n)
{
	for (size_t i = 0; i < n && w->n < WORDS_MAX;) {
		size_t end = i;
		while (end < n && isalpha((unsigned char)s[end]))
			end++;
		if (end > i) {
			w->from[w->n] = (uint32_t)i;
			w->to[w->n++] = (uint32_t)end;
		}
		i = end > i ? end : i + 1;
	}
}

static const char *
found_in(const char *text, const char *s, size_t n, const char *from)
{
	for (const char *p = from ? from : text; strlen(p) >= n; p++)
		if (memcmp(p, s, n) == 0)
			return p;
	return NULL;
}

static void
places_fill(struct source *s, struct verbatim_span *v, const char *text)
{
	v->place = xcalloc(PLACES_MAX, sizeof(*v->place));
	v->work = xcalloc(N_WORKS, sizeof(*v->work));
	v->work_places = xcalloc(N_WORKS, sizeof(*v->work_places));
	for (int i = 0; i < N_WORKS; i++) {
		const struct work *w = s->ops->work(s, i + 1);
		const char *whole = fake_text(i), *at = NULL;
		size_t before = v->n_places;
		while ((at = found_in(whole, text + v->from, v->to - v->from, at ? at + 1 : NULL))
			&& v->n_listed < PLACES_MAX) {
			v->place[v->n_listed++] = (struct verbatim_place){ i + 1, (uint32_t)(at - whole) };
			v->n_places++;
		}
		if (v->n_places == before)
			continue;
		v->work[v->n_works] = i + 1;
		v->work_places[v->n_works++] = v->n_places - before;
		if (w->date && (!*v->first_seen || strcmp(w->date, v->first_seen) < 0)) {
			v->first_work = i + 1;
			snprintf(v->first_seen, sizeof(v->first_seen), "%s", w->date);
		}
	}
	v->n_contributors = v->n_licences = v->n_works;
	v->chance = 0.08 / (double)(v->n_words * v->n_words);
}

static bool
stands_somewhere(const char *s, size_t n)
{
	for (int i = 0; i < N_WORKS; i++)
		if (found_in(fake_text(i), s, n, NULL))
			return true;
	return false;
}

enum err
fake_verbatim(struct source *s, const struct query *q, struct job *job, struct verbatim_span **out, size_t *n)
{
	struct words w = { .n = 0 };
	int before = 0;
	(void)job;
	*n = 0;
	*out = NULL;
	if (!fake_world(s)->measured)
		return err_set(ERR_MISSING, "the store has no index of its texts: 'byline index' makes it");
	words_cut(&w, q->output.s, q->output.len);
	*out = xcalloc(WORDS_MAX, sizeof(**out));
	for (int i = 0; i < w.n; i++) {
		int end = i;
		while (end < w.n && stands_somewhere(q->output.s + w.from[i], w.to[end] - w.from[i]))
			end++;
		if (end - i >= VERBATIM_WORDS && end > before) {
			struct verbatim_span *v = &(*out)[(*n)++];
			*v = (struct verbatim_span){ .from = w.from[i], .to = w.to[end - 1],
				.n_words = (size_t)(end - i) };
			places_fill(s, v, q->output.s);
		}
		before = end > before ? end : before;
	}
	return OK;
}

void
fake_free_spans(struct verbatim_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(spans[i].place);
		free(spans[i].work);
		free(spans[i].work_places);
	}
	free(spans);
}

int64_t
fake_verbatim_in(struct source *s, const struct query *q, const struct verbatim_span *span, uint32_t example,
	uint32_t from)
{
	const struct example *e = s->ops->example(s, example);
	const char *text = fake_text((int)e->work - 1);
	const char *at = found_in(text, q->output.s + span->from, span->to - span->from, text + e->from + from);
	return at && at + (span->to - span->from) <= text + e->to ? at - text - (int64_t)e->from : -1;
}

enum verbatim_mark
fake_evidence(struct source *s, const struct query *q, const struct verbatim_span *spans, size_t n, uint32_t example,
	double score, double floor)
{
	bool verbatim = false, influential = score > NOISE_FLOORS * floor;
	for (size_t i = 0; i < n; i++)
		verbatim |= fake_verbatim_in(s, q, &spans[i], example, 0) >= 0;
	return (enum verbatim_mark)(MARK_VERBATIM * verbatim + MARK_INFLUENTIAL * influential);
}
