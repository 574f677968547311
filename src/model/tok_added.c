/* Finding added tokens in a text: of those that begin leftmost the longest, by narrowing a sorted list a byte at a
 * time. */
#include "tok.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "byline/mem.h"
#include "byline/utf8.h"

static int
added_cmp(const void *a, const void *b)
{
	const struct added *x = a, *y = b;
	int c = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);
	if (c != 0 || x->n != y->n)
		return c ? c : x->n < y->n ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void
added_set_put(struct added_set *set, const char *s, size_t n, int32_t id, unsigned flags)
{
	if (n == 0)
		return;
	mem_grow(&set->v, &set->cap, set->n + 1, sizeof(*set->v));
	char *copy = memcpy(xmalloc(n), s, n);
	set->v[set->n++] = (struct added){ .s = copy, .n = n, .id = id, .flags = flags };
}

enum err
added_set_seal(struct added_set *set, const char *name)
{
	if (set->n == 0)
		return OK;
	qsort(set->v, set->n, sizeof(*set->v), added_cmp);
	for (size_t i = 0; i < set->n; i++)
		set->first[(unsigned char)set->v[i].s[0]] = true;
	/* Which of them `tokenizers` finds changes from one run to the next. */
	for (size_t i = 1; i < set->n; i++)
		if (set->v[i - 1].n == set->v[i].n && memcmp(set->v[i - 1].s, set->v[i].s, set->v[i].n) == 0)
			return err_set(ERR_UNSUPPORTED,
				"%s: added tokens %d and %d are the same when normalized, which is not supported",
				name, (int)set->v[i - 1].id, (int)set->v[i].id);
	return OK;
}

void
added_set_cut(struct added_set *set, int32_t end)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].id < end)
			set->v[kept++] = set->v[i];
		else
			free(set->v[i].s);
	set->n = kept;
}

void
added_set_free(struct added_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->v[i].s);
	free(set->v);
	*set = (struct added_set){0};
}

/* The first of v[low..high), which agree on `depth` bytes, whose next byte is at least `byte`. */
static size_t
added_bound(const struct added *v, size_t low, size_t high, size_t depth, int byte)
{
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if ((unsigned char)v[mid].s[depth] < byte)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct added *
added_longest(const struct added_set *set, const char *s, size_t n)
{
	const struct added *best = NULL;
	size_t low = 0, high = set->n;
	for (size_t depth = 0;; depth++) {
		for (; low < high && set->v[low].n == depth; low++)
			best = &set->v[low];
		if (low == high || depth == n)
			return best;
		int byte = (unsigned char)s[depth];
		low = added_bound(set->v, low, high, depth, byte);
		high = added_bound(set->v, low, high, depth, byte + 1);
	}
}

/* ---- what may stand around one ---- */

bool
tok_is_space(int32_t cp)
{
	utf8proc_category_t c = utf8proc_category(cp);
	return (cp >= 9 && cp <= 13) || cp == 0x85 || c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL ||
		c == UTF8PROC_CATEGORY_ZP;
}

/* A word character, as Unicode Technical Standard 18 has it. */
static bool
is_word(int32_t cp)
{
	utf8proc_category_t c = utf8proc_category(cp);
	return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NL) || c == UTF8PROC_CATEGORY_PC || cp == 0x200c ||
		cp == 0x200d || (cp >= 0x24b6 && cp <= 0x24e9);
}

size_t
tok_decode_back(const char *s, size_t n, int32_t *cp)
{
	size_t used = 1;
	while (used < n && used < 4 && ((unsigned char)s[n - used] & 0xc0) == 0x80)
		used++;
	utf8_decode(s + n - used, used, cp);
	return used;
}

static bool
stands_alone(const char *s, size_t n, size_t from, size_t to)
{
	int32_t before = ' ', after = ' ';
	if (from > 0)
		tok_decode_back(s, from, &before);
	if (to < n)
		utf8_decode(s + to, n - to, &after);
	return !is_word(before) && !is_word(after);
}

/* Where the spaces from scan->to on end. Tokens that are spaces ask it over and over of the same ones. */
static size_t
spaces_end(struct added_scan *scan, const char *s, size_t n)
{
	size_t to = scan->to;
	int32_t cp;
	if (to >= scan->spaces && to < scan->spaces_end)
		return scan->spaces_end;
	while (to < n) {
		size_t used = utf8_decode(s + to, n - to, &cp);
		if (!tok_is_space(cp))
			break;
		to += used;
	}
	scan->spaces = scan->to;
	scan->spaces_end = to;
	return to;
}

static void
take_spaces(const struct added *token, const char *s, size_t n, size_t done, struct added_scan *scan)
{
	int32_t cp;
	if ((token->flags & ADDED_LSTRIP) && scan->from < done)
		scan->from = done;
	while ((token->flags & ADDED_LSTRIP) && scan->from > done) {
		size_t used = tok_decode_back(s, scan->from, &cp);
		if (!tok_is_space(cp))
			break;
		scan->from -= used;
	}
	if (token->flags & ADDED_RSTRIP)
		scan->to = spaces_end(scan, s, n);
}

const struct added *
added_set_next(const struct added_set *set, const char *s, size_t n, size_t done, bool special,
	struct added_scan *scan)
{
	while (set->n > 0 && scan->at < n) {
		bool may = set->first[(unsigned char)s[scan->at]];
		const struct added *hit = may ? added_longest(set, s + scan->at, n - scan->at) : NULL;
		if (!hit) {
			scan->at++;
			continue;
		}
		/* A token that is passed over still hides those that begin inside it. One that begins in the spaces
		 * that the one before it took is a token nevertheless, as in `tokenizers`, unless it takes them too. */
		scan->from = scan->at;
		scan->to = scan->at += hit->n;
		if (!special && (hit->flags & ADDED_SPECIAL))
			continue;
		if ((hit->flags & ADDED_WORD) && !stands_alone(s, n, scan->from, scan->to))
			continue;
		take_spaces(hit, s, n, done, scan);
		return hit;
	}
	return NULL;
}
