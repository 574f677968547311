/* view_example: shared by the files of the example view. */
#ifndef TUI_VIEW_EXAMPLE_H
#define TUI_VIEW_EXAMPLE_H

#include "flow.h"
#include "view.h"

/* What the arrows move: the page, a cursor on the output's tokens, or one on the example's. */
enum example_focus { FOCUS_READ, FOCUS_OUT, FOCUS_IN, FOCUSES };

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

	enum example_focus focus;
	int out, in;			/* the cursors: token of the span, target token of the example */
	struct str passage;		/* the span */
	uint32_t *passage_at;
	int n_passage, strip_top;
	struct flow strip;
	bool layers;			/* instead of the text */
	int layer_top;
	bool *same;			/* text.len: bytes that stand in the output; NULL: none */
	uint64_t seen;			/* version of the inquiry plus one, when `same` was worked out */
};

const struct work *example_work(const struct example_view *e);	/* may be NULL */
/* Its place in the ranking, counting from 1; NULL when it is in none. */
const struct ranked *example_ranked(const struct example_view *e, size_t *rank);
void example_draw(struct view *v, struct canvas *c, struct rect r);

/* example_tokens.c: from the output's tokens to the example's and back */
const struct token_influence *example_tokens(const struct example_view *e);	/* NULL: not there */
void example_tokens_update(struct example_view *e);
bool example_tokens_act(struct example_view *e, enum action a);
/* What each token of the example adds: to the span, or to the token of it that was chosen. false: not known. */
bool example_mark(const struct example_view *e, int token, double *out);
int example_strip_rows(struct example_view *e, const struct canvas *c, int rows, int cols);	/* 0: no room */
void example_strip_draw(struct example_view *e, struct canvas *c, struct rect r);

/* example_layers.c */
void example_layers_draw(struct example_view *e, struct canvas *c, struct rect r);

#endif
