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
	str_free(&s->scratch);
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

/* A piece of m->found, cut out of `whole`; positions count the space that was put before it, if one was. */
static struct piece
piece_cut(const struct piece *whole, const struct tok_match *m, bool space)
{
	uint32_t shift = space;
	return (struct piece){
		.from = whole->from + (m->from > shift ? m->from - shift : 0),
		.to = whole->from + m->to - shift,
		.space = space && m->from == 0,
		.glued = whole->glued && m->from == 0,
	};
}

static enum err
split_piece(struct splitter *s, const struct split_step *step, const char *text, const struct piece *piece,
	struct pieces *out)
{
	const char *at = text + piece->from;
	size_t n = piece->to - piece->from;
	struct tok_matches *found = &s->matcher.found;
	bool space = step->prefix && !piece->glued && *at != ' ';
	if (space) {
		str_clear(&s->scratch);
		str_addc(&s->scratch, ' ');
		str_add(&s->scratch, at, n);
		at = s->scratch.s;
		n++;
	}
	if (!step->re) {
		struct tok_match all = { .to = (uint32_t)n };
		pieces_add(out, piece_cut(piece, &all, space));
		return OK;
	}
	TRY(tok_matcher_run(&s->matcher, step->re, at, n));
	for (size_t i = 0; step->invert && i < found->n; i++)
		found->v[i].hit = !found->v[i].hit;
	split_behave(found, step->behavior);
	for (size_t i = 0; i < found->n; i++)
		pieces_add(out, piece_cut(piece, &found->v[i], space));
	return OK;
}

enum err
splitter_run(struct splitter *s, const struct split_step *steps, int n_steps, const struct mapped *text, bool glued,
	const struct pieces **out)
{
	struct pieces *now = &s->pieces[0], *next = &s->pieces[1];
	now->n = 0;
	if (text->n > 0)
		pieces_add(now, (struct piece){ .to = (uint32_t)text->n, .glued = glued });
	for (int i = 0; i < n_steps; i++) {
		next->n = 0;
		for (size_t k = 0; k < now->n; k++)
			TRY(split_piece(s, &steps[i], text->s, &now->v[k], next));
		struct pieces *swap = now;
		now = next;
		next = swap;
	}
	*out = now;
	return OK;
}

enum err
split_gpt2(struct split_step *step)
{
	/* Radford et al. 2019: contractions, then letters, digits or the rest after at most one space, then white
	 * space. */
	static const char pattern[] =
		"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
	*step = (struct split_step){ .behavior = SPLIT_ISOLATED };
	return tok_regex(&step->re, pattern, sizeof(pattern) - 1, false, "ByteLevel");
}
