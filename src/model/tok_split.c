/* Cutting a text into the pieces that merges stay within. */
#include "tok.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

void
splitter_init(struct splitter *s)
{
	memset(s, 0, sizeof(*s));
	tok_matcher_init(&s->matcher);
}

void
splitter_free(struct splitter *s)
{
	tok_matcher_free(&s->matcher);
	free(s->pieces[0].v);
	free(s->pieces[1].v);
	rewrite_free(&s->side[0]);
	rewrite_free(&s->side[1]);
	rewrite_free(&s->whole);
}

/* ---- what becomes of matches ---- */

/* Joins v[i] into the one kept last when `join` says so; hits of `removed` are dropped. */
static void
join_forward(struct tok_matches *m, enum split_behavior behavior)
{
	size_t kept = 0;
	bool before = false;
	for (size_t i = 0; i < m->n; i++) {
		bool hit = m->v[i].hit;
		bool join = behavior == SPLIT_CONTIGUOUS ? hit == before : hit && !before;
		if (join && kept > 0)
			m->v[kept - 1].to = m->v[i].to;
		else
			m->v[kept++] = m->v[i];
		before = hit;
	}
	m->n = kept;
}

static void
join_backward(struct tok_matches *m)
{
	size_t kept = m->n;
	bool after = false;
	for (size_t i = m->n; i-- > 0;) {
		bool hit = m->v[i].hit;
		if (hit && !after && kept < m->n)
			m->v[kept].from = m->v[i].from;
		else
			m->v[--kept] = m->v[i];
		after = hit;
	}
	memmove(m->v, m->v + kept, (m->n - kept) * sizeof(*m->v));
	m->n -= kept;
}

static void
split_behave(struct tok_matches *m, enum split_behavior behavior)
{
	size_t kept = 0;
	if (behavior == SPLIT_CONTIGUOUS || behavior == SPLIT_PREVIOUS)
		join_forward(m, behavior);
	else if (behavior == SPLIT_NEXT)
		join_backward(m);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].to > m->v[i].from && !(behavior == SPLIT_REMOVED && m->v[i].hit))
			m->v[kept++] = m->v[i];
	m->n = kept;
}

/* ---- one step ---- */

static void
pieces_add(struct pieces *p, struct piece piece)
{
	mem_grow(&p->v, &p->cap, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = piece;
}

/* What the matcher found in the piece. */
static void
split_found(struct splitter *s, const struct split_step *step, const struct piece *piece, struct pieces *out)
{
	const struct tok_matches *found = &s->matcher.found;
	for (size_t i = 0; step->invert && i < found->n; i++)
		found->v[i].hit = !found->v[i].hit;
	split_behave(&s->matcher.found, step->behavior);
	for (size_t i = 0; i < found->n; i++)
		pieces_add(out, (struct piece){
			.from = piece->from + found->v[i].from, .to = piece->from + found->v[i].to,
			.glued = piece->glued && found->v[i].from == 0,
		});
}

static enum err
split_piece(struct splitter *s, const struct split_step *step, const char *text, const struct piece *piece,
	struct pieces *out)
{
	TRY(tok_matcher_run(&s->matcher, step->re, text + piece->from, piece->to - piece->from));
	split_found(s, step, piece, out);
	return OK;
}

/* ---- steps that change the text ---- */

static bool
begins_with(const char *s, size_t n, const char *what)
{
	size_t k = strlen(what);
	return n >= k && memcmp(s, what, k) == 0;
}

static bool
piece_needs_mark(const struct split_step *step, const struct mapped *m, const struct piece *p, uint32_t first)
{
	const char *s = m->s + p->from;
	if (step->prefix == PREFIX_NEVER || p->glued || begins_with(s, p->to - p->from, step->mark) ||
		(step->replace && *s == ' '))
		return false;
	return step->prefix == PREFIX_ALWAYS || mapped_source(m, p->from) < first;
}

static void
rewrite_spaces(struct rewrite *r, const struct split_step *step, const struct mapped *m, size_t from, size_t to)
{
	const char *space;
	while (step->replace && (space = memchr(m->s + from, ' ', to - from)) != NULL) {
		size_t at = (size_t)(space - m->s);
		rewrite_add(r, m, m->s + from, at - from, from, at);
		rewrite_add(r, m, step->mark, strlen(step->mark), at, at + 1);
		from = at + 1;
	}
	rewrite_add(r, m, m->s + from, to - from, from, to);
}

/* The text anew, of `now` alone, which comes to lie in it. */
static enum err
split_rewrite(struct rewrite *r, const struct split_step *step, struct mapped *text, struct pieces *now,
	uint32_t first)
{
	struct mapped before = *text;
	size_t to = now->n > 0 ? now->v[now->n - 1].to : text->n;
	rewrite_begin(r);
	for (size_t i = 0; i < now->n; i++) {
		struct piece *p = &now->v[i];
		size_t start = r->text.len;
		if (piece_needs_mark(step, &before, p, first))
			rewrite_add(r, &before, step->mark, strlen(step->mark), p->from, p->from);
		rewrite_spaces(r, step, &before, p->from, p->to);
		p->from = (uint32_t)start;
		p->to = (uint32_t)r->text.len;
	}
	return rewrite_end(r, &before, to, text);
}

static bool
changes_text(const struct split_step *step, const struct mapped *text, const struct pieces *now, uint32_t first)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct piece *p = &now->v[i];
		if (piece_needs_mark(step, text, p, first) ||
			(step->replace && memchr(text->s + p->from, ' ', p->to - p->from)))
			return true;
	}
	return false;
}

/* The steps from `from` on, on the pieces that are in s->pieces[0]. */
static enum err
split_steps(struct splitter *s, int from, struct mapped *text, const struct pieces **out)
{
	struct pieces *now = &s->pieces[0], *next = &s->pieces[1];
	int side = 0;
	for (int i = from; i < s->n_steps; i++) {
		const struct split_step *step = &s->steps[i];
		if (changes_text(step, text, now, s->first)) {
			TRY(split_rewrite(&s->side[side], step, text, now, s->first));
			side = !side;
		}
		if (!step->re)
			continue;
		next->n = 0;
		for (size_t k = 0; k < now->n; k++)
			TRY(split_piece(s, step, text->s, &now->v[k], next));
		struct pieces *swap = now;
		now = next;
		next = swap;
	}
	*out = now;
	return OK;
}

enum err
splitter_begin(struct splitter *s, const struct split_step *steps, int n_steps, const struct mapped *text, bool glued)
{
	struct pieces *now = &s->pieces[0];
	s->steps = steps;
	s->n_steps = n_steps;
	s->text = *text;
	s->glued = glued;
	s->scan = (struct tok_scan){ .end = text->n == 0 };
	now->n = 0;
	if (s->scan.end || n_steps == 0)
		return OK;
	pieces_add(now, (struct piece){ .to = (uint32_t)text->n, .glued = glued });
	return changes_text(steps, text, now, s->first) ? split_rewrite(&s->whole, steps, &s->text, now, s->first) : OK;
}

enum err
splitter_next(struct splitter *s, struct mapped *part, const struct pieces **out)
{
	enum { SOME = 4096 };
	const struct split_step *step = s->n_steps > 0 ? s->steps : NULL;
	struct piece all = { .to = (uint32_t)s->text.n, .glued = s->glued };
	*out = NULL;
	*part = s->text;
	if (s->scan.end)
		return OK;
	s->pieces[0].n = 0;
	if (!step || !step->re) {
		s->scan.end = true;
		pieces_add(&s->pieces[0], all);
		return split_steps(s, step ? 1 : 0, part, out);
	}
	/* Where pieces join others all are needed at once. */
	bool joins = step->behavior != SPLIT_ISOLATED && step->behavior != SPLIT_REMOVED;
	TRY(tok_matcher_some(&s->matcher, step->re, s->text.s, s->text.n, &s->scan, joins ? SIZE_MAX : SOME));
	split_found(s, step, &all, &s->pieces[0]);
	return split_steps(s, 1, part, out);
}

enum err
split_gpt2(struct split_step *step)
{
	/* Radford et al. 2019: contractions, then letters, digits or the rest after at most one space, then white
	 * space. */
	static const char pattern[] =
		"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
	*step = (struct split_step){ .behavior = SPLIT_ISOLATED, .only = -1 };
	return tok_regex(&step->re, pattern, sizeof(pattern) - 1, false, "ByteLevel");
}
