/* Open-addressing hash maps of the tokenizer: strings to numbers, pairs of ids to numbers. */
#include "tok.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "byline/mem.h"

/* At most half full. */
static bool
map_full(size_t used, size_t cap)
{
	return (used + 1) * 2 > cap;
}

static uint64_t
str_hash(const char *s, size_t n)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = {0};
	uint64_t h;
	_Static_assert(crypto_shorthash_BYTES == sizeof(h), "one word");
	crypto_shorthash((unsigned char *)&h, (const unsigned char *)s, n, key);
	return h;
}

static struct str_slot *
str_map_at(const struct str_map *m, const char *s, size_t n)
{
	size_t i = str_hash(s, n) & (m->cap - 1);
	while (m->slots[i].s && (m->slots[i].n != n || memcmp(m->slots[i].s, s, n) != 0))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void
str_map_grow(struct str_map *m)
{
	struct str_map bigger = { .cap = m->cap ? m->cap * 2 : 64, .used = m->used };
	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].s)
			*str_map_at(&bigger, m->slots[i].s, m->slots[i].n) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

int32_t
str_map_get(const struct str_map *m, const char *s, size_t n)
{
	const struct str_slot *slot = m->cap ? str_map_at(m, s, n) : NULL;
	return slot && slot->s ? slot->value : -1;
}

bool
str_map_put(struct str_map *m, const char *s, size_t n, int32_t value)
{
	assert(s && n <= UINT32_MAX && value >= 0);
	if (map_full(m->used, m->cap))
		str_map_grow(m);
	struct str_slot *slot = str_map_at(m, s, n);
	if (slot->s)
		return false;
	*slot = (struct str_slot){ .s = s, .n = (uint32_t)n, .value = value };
	m->used++;
	return true;
}

void
str_map_free(struct str_map *m)
{
	free(m->slots);
	*m = (struct str_map){0};
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
pair_hash(int32_t a, int32_t b)
{
	uint64_t x = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static struct pair_slot *
pair_map_at(const struct pair_map *m, int32_t a, int32_t b)
{
	size_t i = pair_hash(a, b) & (m->cap - 1);
	while (m->slots[i].a >= 0 && (m->slots[i].a != a || m->slots[i].b != b))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void
pair_map_grow(struct pair_map *m)
{
	struct pair_map bigger = { .cap = m->cap ? m->cap * 2 : 64, .used = m->used };
	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	for (size_t i = 0; i < bigger.cap; i++)
		bigger.slots[i].a = -1;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].a >= 0)
			*pair_map_at(&bigger, m->slots[i].a, m->slots[i].b) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

struct pair_slot *
pair_map_get(const struct pair_map *m, int32_t a, int32_t b)
{
	struct pair_slot *slot = m->cap ? pair_map_at(m, a, b) : NULL;
	return slot && slot->a >= 0 ? slot : NULL;
}

struct pair_slot *
pair_map_put(struct pair_map *m, int32_t a, int32_t b)
{
	assert(a >= 0 && b >= 0);
	if (map_full(m->used, m->cap))
		pair_map_grow(m);
	struct pair_slot *slot = pair_map_at(m, a, b);
	if (slot->a < 0) {
		*slot = (struct pair_slot){ .a = a, .b = b };
		m->used++;
	}
	return slot;
}

void
pair_map_free(struct pair_map *m)
{
	free(m->slots);
	*m = (struct pair_map){0};
}
