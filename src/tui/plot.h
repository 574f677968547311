/* plot: points, their axes and a line through the origin, in characters. */
#ifndef TUI_PLOT_H
#define TUI_PLOT_H

#include "canvas.h"

struct plot {
	void *arg;
	void (*point)(void *arg, int i, double *x, double *y);
	int n;
	double slope;			/* of the line; NaN: none */
	const char *x_title, *y_title;
};

/* At least 8 rows and 24 columns are needed; nothing is drawn in fewer. */
void plot_draw(struct canvas *c, struct rect r, const struct plot *p);

#endif
