/* dataset: examples end to end in one array, and ragged batches cut from them. */
#include "byline/dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* Room for n elements under doubling; a pure function of n, so that the struct need not carry it. */
static size_t
room(size_t n)
{
	size_t cap = 64;
	while (cap < n)
		cap *= 2;
	return cap;
}

static void *
grown(void *p, size_t had, size_t need, size_t size)
{
	return p && room(had) == room(need) ? p : xreallocarray(p, room(need), size);
}

void
dataset_free(struct dataset *d)
{
	free(d->start);
	free(d->token);
	free(d->heldout);
	*d = (struct dataset){0};
}

void
dataset_add(struct dataset *d, const int32_t *token, size_t n, bool heldout)
{
	assert(n >= 2);
	size_t at = d->n ? (size_t)d->start[d->n] : 0;
	d->start = grown(d->start, d->n + 1, d->n + 2, sizeof(*d->start));
	d->heldout = grown(d->heldout, d->n, d->n + 1, sizeof(*d->heldout));
	d->token = grown(d->token, at, at + n, sizeof(*d->token));
	memcpy(d->token + at, token, n * sizeof(*token));
	d->heldout[d->n] = heldout;
	d->start[d->n++] = at;
	d->start[d->n] = at + n;
}

void
dataset_hash(const struct dataset *d, char hex[HASH_HEX])
{
	struct hash_state h;
	hash_init(&h);
	if (d->n > 0) {
		hash_add(&h, d->start, (d->n + 1) * sizeof(*d->start));
		hash_add(&h, d->token, (size_t)d->start[d->n] * sizeof(*d->token));
		hash_add(&h, d->heldout, d->n * sizeof(*d->heldout));
	}
	hash_final(&h, hex);
}

size_t
dataset_tokens(const struct dataset *d, bool heldout)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (d->heldout[i] == heldout)
			n += (size_t)(d->start[i + 1] - d->start[i]) - 1;
	return n;
}

static void
ragged_reserve(struct ragged *r, size_t rows, size_t n)
{
	size_t cap = r->cap_rows;
	mem_grow(&r->token, &r->cap_rows, rows, sizeof(*r->token));
	mem_grow(&r->target, &cap, rows, sizeof(*r->target));
	cap = r->cap_seq;
	mem_grow(&r->start, &r->cap_seq, n + 1, sizeof(*r->start));
	mem_grow(&r->example, &cap, n + 1, sizeof(*r->example));
}

void
ragged_fill(struct ragged *r, const struct dataset *d, const uint32_t *example, size_t n)
{
	size_t rows = 0;
	for (size_t i = 0; i < n; i++)
		rows += (size_t)(d->start[example[i] + 1] - d->start[example[i]]) - 1;
	assert(rows <= INT32_MAX && n < INT32_MAX);
	ragged_reserve(r, rows, n);
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		const int32_t *token = d->token + d->start[example[i]];
		size_t length = (size_t)(d->start[example[i] + 1] - d->start[example[i]]) - 1;
		memcpy(r->token + at, token, length * sizeof(*token));
		memcpy(r->target + at, token + 1, length * sizeof(*token));
		r->example[i] = example[i];
		r->start[i] = (int32_t)at;
		at += length;
	}
	r->start[n] = (int32_t)at;
	r->batch = (struct batch){
		.n_seq = (int)n, .rows = (int)rows, .start = r->start, .token = r->token, .target = r->target,
	};
}

void
ragged_free(struct ragged *r)
{
	free(r->start);
	free(r->token);
	free(r->target);
	free(r->example);
	*r = (struct ragged){0};
}
