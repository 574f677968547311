/* people: the authors of one record on their way into the store, and the record's memory. */
#include "importer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

static void
people_push(struct people *p, const char *name, size_t n, double share)
{
	mem_grow(&p->v, &p->cap, p->n + 1, sizeof(*p->v));
	mem_grow(&p->owned, &p->cap_owned, p->n + 1, sizeof(*p->owned));
	p->owned[p->n] = xstrndup(name, n);
	p->v[p->n] = (struct work_author){ p->owned[p->n], share };
	p->n++;
}

/* Where `between` begins in s[0..n), or n. */
static size_t
find_between(const char *s, size_t n, const char *between)
{
	size_t m = between ? strlen(between) : 0;
	for (size_t i = 0; m > 0 && i + m <= n; i++)
		if (memcmp(s + i, between, m) == 0)
			return i;
	return n;
}

void
people_add(struct people *p, const char *name, size_t n, double share, const char *between)
{
	size_t first = p->n;
	for (;;) {
		size_t at = find_between(name, n, between);
		people_push(p, name, at, share);
		if (at == n)
			break;
		name += at + strlen(between);
		n -= at + strlen(between);
	}
	for (size_t i = first; i < p->n; i++)
		p->v[i].share = share / (double)(p->n - first);
}

void
people_add_once(struct people *p, const char *name, size_t n)
{
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->owned[i]) == n && memcmp(p->owned[i], name, n) == 0)
			return;
	people_push(p, name, n, 1);
}

void
record_free(struct record *r)
{
	for (size_t i = 0; i < r->people.n; i++)
		free(r->people.owned[i]);
	free(r->people.owned);
	free(r->people.v);
	str_free(&r->text);
	free(r->title);
	free(r->licence);
	free(r->licence_from);
	free(r->source);
	free(r->date);
	*r = (struct record){0};
}
