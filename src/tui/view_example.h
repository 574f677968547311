/* view_example: shared by the two files of the example view. */
#ifndef TUI_VIEW_EXAMPLE_H
#define TUI_VIEW_EXAMPLE_H

#include "flow.h"
#include "view.h"

struct example_view {
	struct view v;
	uint32_t example;
	struct str text;
	uint32_t *byte_of;
	int n;
	struct flow flow;
	int top, rows_seen;
	char *search;
	size_t match, match_len;	/* bytes; match == -1: none */
};

const struct work *example_work(const struct example_view *e);	/* may be NULL */
/* Its place in the ranking, counting from 1; NULL when it is in none. */
const struct ranked *example_ranked(const struct example_view *e, size_t *rank);
void example_draw(struct view *v, struct canvas *c, struct rect r);

#endif
