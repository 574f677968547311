/*
 * listing: a table one can walk, sort, filter and search. No view draws a list of its own.
 */
#ifndef TUI_LISTING_H
#define TUI_LISTING_H

#include "table.h"

struct listing {
	struct table table;
	struct list list;
	/* <0, 0, >0 as row a comes before b in the natural direction of the column; NULL: nothing sorts. */
	int (*compare)(void *arg, int column, size_t a, size_t b);
	/* Neighbours of one group are joined by a rail while they stand as they come; -1: alone. May be NULL. */
	int64_t (*group)(void *arg, size_t row);
	size_t n_all;
	size_t *order, cap;	/* the rows that are seen, in order; list.n of them */
	bool *hit;		/* which of them the search matches */
	size_t hit_cap;
	int sort;		/* column, -1: as they come */
	bool reversed;
	char *filter, *search;	/* NULL: none */
	size_t matches, match;	/* of the search among the rows seen; match counts from 1 */
};

void listing_init(struct listing *l, const struct column *columns, int n, void *arg,
	void (*cell)(void *arg, size_t row, int column, struct table_cell *out),
	int (*compare)(void *arg, int column, size_t a, size_t b));
void listing_free(struct listing *l);
/* There are n rows now; the cursor stays on the row it was on when `keep` is that row's new number, else at the top. */
void listing_fill(struct listing *l, size_t n, size_t keep);
size_t listing_row(const struct listing *l);			/* under the cursor; (size_t)-1 when there is none */
bool listing_select(struct listing *l, size_t row);		/* false when it is filtered away */
bool listing_act(struct listing *l, enum action a);
void listing_filter(struct listing *l, const char *text);	/* "" or NULL: all */
bool listing_search(struct listing *l, const char *text);	/* false: no match */

/* Draws the head, when there are at least 3 rows, and the rows; parks the cursor when focused. */
void listing_draw(struct listing *l, struct canvas *c, struct rect r, bool focus);
/* "3 of 412, 1%", and what filter and search do. */
void listing_status(const struct listing *l, struct str *out);

#endif
