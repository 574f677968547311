/*
 * list: a cursor among n rows, of which `height` are seen.
 */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "byline/str.h"
#include "keys.h"

struct list {
	size_t n, cursor, top;
	size_t height;		/* rows on the screen at the last draw */
};

void list_resize(struct list *l, size_t n);		/* keeps the cursor inside */
bool list_act(struct list *l, enum action a);		/* false: not a movement */
void list_show(struct list *l, int height);		/* scrolls so that the cursor is seen */
void list_position(const struct list *l, struct str *out);	/* "12 of 412, 3%"; "none" */

#endif
