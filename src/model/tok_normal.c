/*
 * Normalisation of texts, keeping track of where each byte came from. Done a cluster at a time: a code point and what
 * may combine with it, so that joined clusters are the normal form of the whole (Unicode Standard Annex 15, section 9).
 */
#include "config.h"	/* _GNU_SOURCE, for memmem */

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

/* ---- the steps ---- */

struct working { struct rewrite *out; const struct mapped *in; struct tok_matcher *matcher; };

static void
put(struct working *w, const char *s, size_t k, size_t from, size_t to)
{
	rewrite_add(w->out, w->in, s, k, from, to);
}

/* In fresh memory; negative: not UTF-8, or no memory. */
static utf8proc_ssize_t
form_of(const char *s, size_t n, enum normal_form form, utf8proc_uint8_t **out)
{
	static const int options[] = {
		[NORMAL_NFC] = UTF8PROC_COMPOSE, [NORMAL_NFD] = UTF8PROC_DECOMPOSE,
		[NORMAL_NFKC] = UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
		[NORMAL_NFKD] = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
	};
	*out = NULL;
	return utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, out,
		(utf8proc_option_t)(UTF8PROC_STABLE | options[form]));
}

static void
normal_cluster(struct working *w, size_t from, size_t to, enum normal_form form)
{
	utf8proc_uint8_t *done;
	const char *s = w->in->s + from;
	utf8proc_ssize_t n = form_of(s, to - from, form, &done);
	if (n >= 0)
		put(w, (const char *)done, (size_t)n, from, to);
	else
		put(w, s, to - from, from, to);		/* as it was */
	free(done);
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
step_form(struct working *w, const struct normal_step *step)
{
	const char *s = w->in->s;
	size_t n = w->in->n;
	for (size_t i = 0; i < n;) {
		size_t plain = ascii_length(s + i, n - i);
		/* The last one may be combined with what follows. */
		if (plain > 1 || (plain == 1 && i + 1 == n)) {
			plain -= i + plain < n;
			put(w, s + i, plain, i, i + plain);
			i += plain;
			continue;
		}
		size_t used = cluster_length(s + i, n - i, is_compat(step->form));
		normal_cluster(w, i, i + used, step->form);
		i += used;
	}
}

static void
step_lower(struct working *w)
{
	char buf[8];
	int32_t cp;
	for (size_t i = 0, used; i < w->in->n; i += used) {
		used = utf8_decode(w->in->s + i, w->in->n - i, &cp);
		/* The one code point whose lower case is two. */
		size_t n = cp == 0x130 ? (memcpy(buf, "i\xcc\x87", 3), 3) : utf8_encode(utf8proc_tolower(cp), buf);
		put(w, buf, n, i, i + used);
	}
}

static void
step_prepend(struct working *w, const struct normal_step *step)
{
	put(w, step->with, step->n_with, 0, 0);
	put(w, w->in->s, w->in->n, 0, w->in->n);
}

static void
step_replace_literal(struct working *w, const struct normal_step *step)
{
	const char *s = w->in->s, *hit;
	size_t done = 0, n = w->in->n;
	while ((hit = memmem(s + done, n - done, step->what, step->n_what)) != NULL) {
		size_t at = (size_t)(hit - s);
		put(w, s + done, at - done, done, at);
		done = at + step->n_what;
		put(w, step->with, step->n_with, at, done);
	}
	put(w, s + done, n - done, done, n);
}

static enum err
step_replace(struct working *w, const struct normal_step *step)
{
	const struct tok_matches *found = &w->matcher->found;
	TRY(tok_matcher_run(w->matcher, step->re, w->in->s, w->in->n));
	for (size_t i = 0; i < found->n; i++) {
		size_t from = found->v[i].from, to = found->v[i].to;
		if (found->v[i].hit)
			put(w, step->with, step->n_with, from, to);
		else
			put(w, w->in->s + from, to - from, from, to);
	}
	return OK;
}

static void
step_strip(struct working *w, const struct normal_step *step)
{
	size_t from = 0, to = w->in->n;
	int32_t cp;
	while (step->left && from < to) {
		size_t used = utf8_decode(w->in->s + from, to - from, &cp);
		if (!tok_is_space(cp))
			break;
		from += used;
	}
	while (step->right && to > from) {
		size_t used = tok_decode_back(w->in->s, to, &cp);
		if (!tok_is_space(cp))
			break;
		to -= used;
	}
	put(w, w->in->s + from, to - from, from, to);
}

/* Most texts are in their normal form already, and need no copy with a map. */
static bool
has_form(const char *s, size_t n, enum normal_form form)
{
	for (size_t i = 0, used; i < n; i += used) {
		utf8proc_uint8_t *done;
		if ((unsigned char)s[i] < 0x80 && (i + 1 == n || (unsigned char)s[i + 1] < 0x80)) {
			used = 1;
			continue;
		}
		used = cluster_length(s + i, n - i, is_compat(form));
		utf8proc_ssize_t k = form_of(s + i, used, form, &done);
		bool same = k < 0 || ((size_t)k == used && memcmp(done, s + i, used) == 0);
		free(done);
		if (!same)
			return false;
	}
	return true;
}

/* Would it change nothing? */
static bool
step_idle(const struct normal_step *step, const struct mapped *m, bool glued)
{
	switch (step->form) {
	case NORMAL_PREPEND: return glued || m->n == 0;
	case NORMAL_REPLACE: return m->n == 0 || (!step->re && !memmem(m->s, m->n, step->what, step->n_what));
	case NORMAL_STRIP: case NORMAL_LOWER: return false;
	default: return has_form(m->s, m->n, step->form);
	}
}

static enum err
step_do(struct working *w, const struct normal_step *step)
{
	switch (step->form) {
	case NORMAL_PREPEND: step_prepend(w, step); return OK;
	case NORMAL_STRIP: step_strip(w, step); return OK;
	case NORMAL_LOWER: step_lower(w); return OK;
	case NORMAL_REPLACE:
		if (step->re)
			return step_replace(w, step);
		step_replace_literal(w, step);
		return OK;
	default: step_form(w, step); return OK;
	}
}

enum err
normal_apply(const struct normal *normal, struct normal_buf *buf, const struct mapped *in, bool glued,
	struct mapped *out)
{
	*out = *in;
	for (int i = 0, side = 0; i < normal->n; i++) {
		if (step_idle(&normal->steps[i], out, glued))
			continue;
		struct mapped before = *out;
		struct working w = { .out = &buf->side[side], .in = &before, .matcher = &buf->matcher };
		rewrite_begin(w.out);
		TRY(step_do(&w, &normal->steps[i]));
		TRY(rewrite_end(w.out, &before, before.n, out));
		side = !side;
	}
	return OK;
}

void
normal_free(struct normal *normal)
{
	for (int i = 0; i < normal->n; i++) {
		pcre2_code_free(normal->steps[i].re);
		free(normal->steps[i].what);
		free(normal->steps[i].with);
	}
}

void
normal_buf_init(struct normal_buf *buf)
{
	*buf = (struct normal_buf){0};
	tok_matcher_init(&buf->matcher);
}

void
normal_buf_free(struct normal_buf *buf)
{
	rewrite_free(&buf->side[0]);
	rewrite_free(&buf->side[1]);
	tok_matcher_free(&buf->matcher);
}
