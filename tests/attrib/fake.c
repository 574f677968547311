/* fake: see fake.h. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

void
fake_session(struct session *s)
{
	memset(s, 0, sizeof(*s));
}

int64_t
fake_contributor(struct session *s, const char *name, bool opted_out)
{
	s->contributors = xreallocarray(s->contributors, s->n_contributors + 1, sizeof(*s->contributors));
	struct contributor *c = &s->contributors[s->n_contributors++];
	*c = (struct contributor){ .id = (int64_t)s->n_contributors, .name = xstrdup(name), .opted_out = opted_out };
	return c->id;
}

int64_t
fake_work(struct session *s, const struct fake_author *author, size_t n)
{
	s->works = xreallocarray(s->works, s->n_works + 1, sizeof(*s->works));
	struct work *w = &s->works[s->n_works++];
	*w = (struct work){ .id = 10 * (int64_t)s->n_works, .n_authors = n };
	w->authors = xcalloc(n + 1, sizeof(*w->authors));
	for (size_t i = 0; i < n; i++) {
		w->authors[i].contributor = author[i].contributor;
		w->authors[i].share = author[i].share;
		s->contributors[author[i].contributor - 1].n_works++;
	}
	return w->id;
}

size_t
fake_example(struct session *s, int64_t work, bool heldout, bool opted_out)
{
	static const int32_t token[] = { 0, 1, 2 };
	s->examples = xreallocarray(s->examples, s->data.n + 1, sizeof(*s->examples));
	s->examples[s->data.n] = (struct example){ .work = work, .n_tokens = 3, .heldout = heldout, .opted_out = opted_out };
	dataset_add(&s->data, token, 3, heldout);
	return s->data.n - 1;
}

void
fake_free(struct session *s)
{
	for (size_t i = 0; i < s->n_contributors; i++)
		free(s->contributors[i].name);
	for (size_t i = 0; i < s->n_works; i++)
		free(s->works[i].authors);
	free(s->contributors);
	free(s->works);
	free(s->examples);
	dataset_free(&s->data);
}
