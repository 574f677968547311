/*
 * page: a text with tables and plots in it, longer than the screen, of which a part is seen. It is written from top to
 * bottom whenever something may have changed, and scrolls.
 */
#ifndef TUI_PAGE_H
#define TUI_PAGE_H

#include "table.h"

enum { PAGE_MEASURE = 96 };	/* longer lines of prose are hard to read */

struct page {
	struct canvas canvas;
	int row, cols;			/* what is written next; width */
	int top, height;		/* what is seen of it */
};

/* Between the two: writing. The page is as wide as the screen, whose first and last line, and one for a heading, are
 * not its own. */
void page_begin(struct page *p, const struct canvas *screen);
void page_end(struct page *p);
void page_free(struct page *p);

void page_words(struct page *p, enum ink ink, const char *s, size_t n);
void page_say(struct page *p, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void page_heading(struct page *p, const char *title, const char *note);
void page_fact(struct page *p, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void page_table(struct page *p, const struct table *t, size_t n);

bool page_act(struct page *p, enum action a);	/* scrolls; false: no movement */
/* The heading, with what is seen of how much, and below it the page. */
void page_show(const struct page *p, struct canvas *c, struct rect r, const char *title);

#endif
