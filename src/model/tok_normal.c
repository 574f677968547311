/*
 * Normalisation of texts, keeping track of where each byte came from. Done a cluster at a time: a code point and what
 * may combine with it, so that joined clusters are the normal form of the whole (Unicode Standard Annex 15, section 9).
 */
#include "tok.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "byline/mem.h"
#include "byline/utf8.h"

/* Sorting the marks of a cluster is quadratic, and no writing system has clusters of this length. */
enum { CLUSTER_MAX = 256 };

static bool
is_compat(enum normal_form form)
{
	return form == NORMAL_NFKC || form == NORMAL_NFKD;
}

/* May cp, or what it decomposes to, join with what stands before it? Marks, the later letters of a Hangul syllable, and
 * the vowel signs of Kirat Rai, which are letters that compose. */
static bool
joins_before(int32_t cp, bool compat)
{
	if (cp < 0x300)
		return false;
	int32_t parts[32];
	int last = UTF8PROC_BOUNDCLASS_START;
	utf8proc_ssize_t n = utf8proc_decompose_char(cp, parts, 32,
		UTF8PROC_DECOMPOSE | (compat ? UTF8PROC_COMPAT : 0), &last);
	if (n > 0)
		cp = parts[0];
	utf8proc_category_t category = utf8proc_category(cp);
	return utf8proc_get_property(cp)->combining_class != 0 || category == UTF8PROC_CATEGORY_MN ||
		category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME ||
		(cp >= 0x1160 && cp <= 0x11ff) || (cp >= 0x16d40 && cp <= 0x16d7f);
}

/* Bytes of the cluster at the start of s[0..n). */
static size_t
cluster_length(const char *s, size_t n, bool compat)
{
	int32_t cp;
	size_t used = utf8_decode(s, n, &cp);
	for (int i = 1; i < CLUSTER_MAX && used < n; i++) {
		size_t next = utf8_decode(s + used, n - used, &cp);
		if (!joins_before(cp, compat))
			break;
		used += next;
	}
	return used;
}

/* ---- output ---- */

/* One step's text and map being built, from the text and map before it. */
struct growing { struct str *text; uint32_t **at; size_t *cap; const struct mapped *in; };

/* k bytes that stand for source bytes [from, to): spread evenly, so that maps never run backwards. */
static void
grow_by(struct growing *g, const char *s, size_t k, size_t from, size_t to)
{
	size_t start = g->text->len;
	mem_grow(g->at, g->cap, start + k + 1, sizeof(**g->at));
	for (size_t i = 0; i < k; i++)
		(*g->at)[start + i] = mapped_source(g->in, from + i * (to - from) / k);
	str_add(g->text, s, k);
}

/* ---- the steps ---- */

static void
normal_cluster(struct growing *g, size_t from, size_t to, enum normal_form form)
{
	static const int options[] = {
		[NORMAL_NFC] = UTF8PROC_COMPOSE, [NORMAL_NFD] = UTF8PROC_DECOMPOSE,
		[NORMAL_NFKC] = UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
		[NORMAL_NFKD] = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
	};
	utf8proc_uint8_t *done = NULL;
	const char *s = g->in->s + from;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(to - from), &done,
		(utf8proc_option_t)(UTF8PROC_STABLE | options[form]));
	if (n >= 0)
		grow_by(g, (const char *)done, (size_t)n, from, to);
	else
		grow_by(g, s, to - from, from, to);	/* not UTF-8 or no memory: as it was */
	free(done);
}

static void
lower_cluster(struct growing *g, size_t from, size_t to)
{
	char buf[8];
	int32_t cp;
	utf8_decode(g->in->s + from, to - from, &cp);
	/* The one code point whose lower case is two. */
	size_t n = cp == 0x130 ? (memcpy(buf, "i\xcc\x87", 3), 3) : utf8_encode(utf8proc_tolower(cp), buf);
	grow_by(g, buf, n, from, to);
}

static size_t
ascii_length(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && (unsigned char)s[i] < 0x80)
		i++;
	return i;
}

static void
normal_step(struct growing *g, enum normal_form form)
{
	const char *s = g->in->s;
	size_t n = g->in->n;
	for (size_t i = 0; i < n;) {
		size_t plain = form == NORMAL_LOWER ? 0 : ascii_length(s + i, n - i);
		/* The last one may be combined with what follows. */
		if (plain > 1 || (plain == 1 && i + 1 == n)) {
			plain -= i + plain < n;
			grow_by(g, s + i, plain, i, i + plain);
			i += plain;
			continue;
		}
		int32_t cp;
		size_t used = form == NORMAL_LOWER ? utf8_decode(s + i, n - i, &cp)
			: cluster_length(s + i, n - i, is_compat(form));
		if (form == NORMAL_LOWER)
			lower_cluster(g, i, i + used);
		else
			normal_cluster(g, i, i + used, form);
		i += used;
	}
	mem_grow(g->at, g->cap, g->text->len + 1, sizeof(**g->at));
	(*g->at)[g->text->len] = mapped_source(g->in, n);
}

void
normal_apply(const struct normal *normal, struct normal_buf *buf, const struct mapped *in, struct mapped *out)
{
	*out = *in;
	for (int i = 0, side = 0; i < normal->n; i++) {
		if (normal->steps[i] != NORMAL_LOWER && ascii_length(out->s, out->n) == out->n)
			continue;
		struct mapped before = *out;
		struct growing g = { .text = &buf->text[side], .at = &buf->at[side], .cap = &buf->cap[side],
			.in = &before };
		str_clear(g.text);
		str_add(g.text, "", 0);
		normal_step(&g, normal->steps[i]);
		*out = (struct mapped){ .s = g.text->s, .n = g.text->len, .at = *g.at };
		side = !side;
	}
}

void
normal_buf_free(struct normal_buf *buf)
{
	for (int i = 0; i < 2; i++) {
		str_free(&buf->text[i]);
		free(buf->at[i]);
	}
	*buf = (struct normal_buf){0};
}
