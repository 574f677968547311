/* list: moving and scrolling. */
#include "list.h"

#include "byline/mem.h"

void
list_resize(struct list *l, size_t n)
{
	l->n = n;
	if (l->cursor >= n)
		l->cursor = n > 0 ? n - 1 : 0;
}

/* step: rows, in units of a half or a whole page where page is 1 or 2. */
static void
list_by(struct list *l, bool down, size_t step)
{
	if (down)
		l->cursor = l->n - l->cursor > step ? l->cursor + step : l->n > 0 ? l->n - 1 : 0;
	else
		l->cursor = l->cursor > step ? l->cursor - step : 0;
}

bool
list_act(struct list *l, enum action a)
{
	size_t page = l->height > 1 ? l->height - 1 : 1, half = page > 1 ? page / 2 : 1;
	const struct { enum action action; bool down; size_t step; } moves[] = {
		{ ACT_UP, false, 1 }, { ACT_DOWN, true, 1 }, { ACT_HALF_UP, false, half },
		{ ACT_HALF_DOWN, true, half },
		{ ACT_PAGE_UP, false, page }, { ACT_PAGE_DOWN, true, page }, { ACT_TOP, false, l->n },
		{ ACT_BOTTOM, true, l->n },
	};
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].action == a) {
			list_by(l, moves[i].down, moves[i].step);
			return true;
		}
	return false;
}

void
list_show(struct list *l, int height)
{
	l->height = height > 0 ? (size_t)height : 0;
	if (l->height == 0)
		return;
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + l->height)
		l->top = l->cursor - l->height + 1;
	/* No empty rows below while there are rows above. */
	if (l->top + l->height > l->n)
		l->top = l->n > l->height ? l->n - l->height : 0;
}

void
list_position(const struct list *l, struct str *out)
{
	if (l->n == 0)
		str_adds(out, "none");
	else if (l->n <= l->height)
		str_addf(out, "%zu of %zu", l->cursor + 1, l->n);
	else
		str_addf(out, "%zu of %zu, %zu%%", l->cursor + 1, l->n, (l->cursor + 1) * 100 / l->n);
}
