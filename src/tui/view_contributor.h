/* view_contributor: shared by the two files of the contributor view. */
#ifndef TUI_VIEW_CONTRIBUTOR_H
#define TUI_VIEW_CONTRIBUTOR_H

#include "appearances.h"
#include "flow.h"
#include "view.h"

struct contributor_view {
	struct view v;
	int64_t contributor;
	uint64_t seen;			/* version of the inquiry, plus one */
	struct work_score *work;
	size_t n;
	double threshold;		/* of the ranking */
	int decimals;
	struct listing works;
	struct appearances where;
	bool second;			/* the pane of appearances has the focus */
	struct contribution now;	/* in this ranking */
	size_t rank, of;
	int n_runs;
	bool ranked;
	struct str words;
	struct flow flow;
};

void contributor_draw(struct view *v, struct canvas *c, struct rect r);

#endif
