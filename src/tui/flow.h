/*
 * flow: text wrapped to a width, every cell of it knowing the byte and the token it came from, with room for a ribbon
 * of marks under each line.
 */
#ifndef TUI_FLOW_H
#define TUI_FLOW_H

#include <stdint.h>

#include "canvas.h"

struct flow_item {
	uint32_t at, len;	/* bytes of `shown` */
	uint32_t byte;		/* of the text */
	int32_t token;		/* -1 before the first token */
	int row, col;
	uint8_t width;		/* 0: nothing is seen of it (a line end, a space at the edge) */
	bool space, newline;
};

struct flow {
	struct str shown;
	struct flow_item *item;
	size_t n, cap;
	int rows, cols;
	uint8_t *height;	/* rows: screen rows that each takes, as last measured */
	size_t height_cap;
};

struct flow_text {
	const char *s;
	size_t n;
	const uint32_t *byte_of;	/* n_tokens + 1, ascending: token i covers bytes [byte_of[i], byte_of[i + 1]) */
	int n_tokens;
	bool ascii;
	bool line_ends;			/* shown as a mark */
};
void flow_lay(struct flow *f, const struct flow_text *t, int cols);
void flow_free(struct flow *f);

/* How to paint. level: -8..8 under each token; under: bytes that get a line of their own kind below that. NULL: none.
 * Text rows without tokens take no row for a ribbon, those without such bytes none for lines. */
struct flow_paint {
	void *arg;
	enum ink (*ink)(void *arg, int32_t token, uint32_t byte);
	int (*level)(void *arg, int32_t token);
	bool (*under)(void *arg, int32_t token, uint32_t byte);
};
/* Paints from text row `top` on, whole rows while there is room; returns how many text rows were seen. */
int flow_draw(struct flow *f, struct canvas *c, struct rect r, int top, const struct flow_paint *p);
/* How high rows will be when painted so; the next three go by it. */
void flow_measure(struct flow *f, const struct flow_paint *p);
int flow_seen(const struct flow *f, int top, int rows);		/* text rows seen from `top` on, at least 1 */
int flow_below(const struct flow *f, int top, int row);		/* screen rows from `top` to `row` */
/* The first row to show so that `row` is seen and nothing is empty that need not be. */
int flow_scroll(const struct flow *f, int top, int rows, int row);

int flow_token_row(const struct flow *f, int32_t token);		/* of its first cell; 0 when it has none */
int flow_token_col(const struct flow *f, int32_t token);
int flow_byte_row(const struct flow *f, uint32_t byte);
/* The token nearest to a place; -1 when no token is on that row. */
int32_t flow_token_at(const struct flow *f, int row, int col);

#endif
