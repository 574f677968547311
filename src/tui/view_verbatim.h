/* view_verbatim: shared by the two files of the verbatim view. */
#ifndef TUI_VIEW_VERBATIM_H
#define TUI_VIEW_VERBATIM_H

#include "flow.h"
#include "listing.h"
#include "view.h"

struct verbatim_view {
	struct view v;
	struct listing spans, places;
	bool second;			/* the works have the focus */
	uint64_t seen;			/* version of the inquiry, plus one */
	size_t shown;			/* span whose works are listed */
	struct flow flow;
};

const struct verbatim_span *verbatim_span_shown(const struct verbatim_view *k);	/* NULL: none */
/* The work of row i of the span shown; NULL: there is none. */
const struct work *verbatim_place_work(const struct verbatim_view *k, size_t i);
void verbatim_draw(struct view *v, struct canvas *c, struct rect r);

#endif
