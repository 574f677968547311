/* view_output: shared by the files of the output view: what it holds, and how it is drawn. */
#ifndef TUI_VIEW_OUTPUT_H
#define TUI_VIEW_OUTPUT_H

#include "edit.h"
#include "flow.h"
#include "people.h"
#include "rows.h"
#include "view.h"

enum pane { PANE_PROMPT, PANE_TEXT, PANE_EXAMPLES, PANE_CONTRIBUTORS, PANES };
enum ribbon { RIBBON_INFLUENCE, RIBBON_SURPRISE, RIBBON_VERBATIM, RIBBON_NONE, RIBBONS };

struct output_view {
	struct view v;
	struct edit prompt;
	enum pane pane;
	bool asked;			/* at the last update */
	enum ribbon ribbon;
	int cursor;			/* output token */
	int anchor;			/* where a span began; -1: none is being selected */
	int top;			/* first text row seen */
	struct rows rows;
	struct people people;
	struct str text;		/* prompt and output */
	uint32_t *byte_of;
	int n;				/* tokens by now */
	struct flow flow;
};

enum { SIDE_COLS = 34 };	/* of the choices beside the text */

/* Where everything is; rows = 0: not shown. */
struct plan { struct rect prompt, settings, text, side, facts, examples, people; };

void output_draw(struct view *v, struct canvas *c, struct rect r);
void output_draw_facts(struct output_view *o, struct canvas *c, const struct plan *p);
void output_draw_side(struct output_view *o, struct canvas *c, struct rect r);

#endif
