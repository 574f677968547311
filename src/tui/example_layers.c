/* example_layers: through which layers and modules an example acts on the span. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "describe.h"
#include "table.h"
#include "view_example.h"

static const struct { enum tensor_role role; const char *title; } modules[] = {
	{ ROLE_QKV, "attention" }, { ROLE_ATTN_OUT, "attn out" }, { ROLE_GATE, "gate" }, { ROLE_UP, "up" },
	{ ROLE_DOWN, "down" }, { ROLE_HEAD, "head" },
};
enum { N_MODULES = ARRAY_LEN(modules), COLUMNS_MAX = N_MODULES + 3 };

struct layer_sum { int layer; double by[N_MODULES], sum; };

struct layers {
	struct layer_sum *row;
	size_t n;
	int column_of[COLUMNS_MAX];	/* module; -1: another */
	int n_columns, decimals;
	double least, most;
};

/* Layers in the order of the forward pass, what is outside them last. */
static struct layer_sum *
layers_row(struct layers *l, int layer)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->row[i].layer == layer)
			return &l->row[i];
	l->row[l->n].layer = layer;
	return &l->row[l->n++];
}

static void
layers_sum(struct layers *l, struct source *s, const struct token_influence *t)
{
	l->row = xcalloc((size_t)t->n_layers + 1, sizeof(*l->row));
	for (int i = 0; i < t->n_layers; i++) {
		enum tensor_role role = ROLES;
		int layer = -1;
		s->ops->linear(s, t->linear[i], &role, &layer);
		struct layer_sum *row = layers_row(l, layer);
		row->sum += (double)t->layer[i];
		for (size_t k = 0; k < N_MODULES; k++)
			row->by[k] += modules[k].role == role ? (double)t->layer[i] : 0;
	}
	double largest = 0;
	for (size_t i = 0; i < l->n; i++) {
		l->least = fmin(l->least, l->row[i].sum);
		l->most = fmax(l->most, l->row[i].sum);
		largest = fmax(largest, fabs(l->row[i].sum));
	}
	l->decimals = describe_decimals(largest);
}

enum { LAYER_NAME = -1, LAYER_SUM = -2, LAYER_BAR = -3 };

static void
layer_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct layers *l = arg;
	const struct layer_sum *row = &l->row[i];
	int what = l->column_of[column];
	double v = what >= 0 ? row->by[what] : row->sum;
	out->ink = v < 0 ? INK_OPPOSED : INK_TEXT;
	if (what == LAYER_BAR) {
		out->whiskered = true;
		out->whisker = (struct whisker){ v, v, v, l->least, l->most };
	} else if (what == LAYER_NAME && row->layer < 0)
		str_adds(&out->text, "head");
	else if (what == LAYER_NAME)
		str_addf(&out->text, "layer %d", row->layer);
	else if (v != 0)
		str_addf(&out->text, "%+.*f", l->decimals, v);
	out->ink = what == LAYER_NAME ? INK_TEXT : out->ink;
}

static void
layers_column(struct layers *l, struct column *columns, int what, struct column column)
{
	l->column_of[l->n_columns] = what;
	columns[l->n_columns++] = column;
}

static void
layers_columns(struct layers *l, struct column columns[COLUMNS_MAX])
{
	layers_column(l, columns, LAYER_NAME, (struct column){ "", 8, 0, false, false, 9 });
	for (int k = 0; k < (int)N_MODULES; k++) {
		bool any = false;
		for (size_t i = 0; i < l->n; i++)
			any |= l->row[i].by[k] != 0;
		if (any)
			layers_column(l, columns, k, (struct column){ modules[k].title, 9, 0, true, false, 4 });
	}
	layers_column(l, columns, LAYER_SUM, (struct column){ "sum", 9, 0, true, false, 8 });
	layers_column(l, columns, LAYER_BAR, (struct column){ "", 6, 1, false, false, 7 });
}

void
example_layers_draw(struct example_view *e, struct canvas *c, struct rect r)
{
	const struct token_influence *t = example_tokens(e);
	struct layers l = {0};
	struct column columns[COLUMNS_MAX];
	if (!t) {
		canvas_str(c, r.row, r.col, r.cols, INK_DIM, "being worked out");
		return;
	}
	layers_sum(&l, e->v.q->source, t);
	layers_columns(&l, columns);
	const struct table table = { .columns = columns, .n = l.n_columns, .cell = layer_cell, .arg = &l };
	int fits = r.rows - 1, most = (int)l.n > fits ? (int)l.n - fits : 0;
	e->layer_top = e->layer_top > most ? most : e->layer_top;
	table_draw_head(&table, c, r.row, r.col - 1, r.cols, -1, false);
	for (int i = 0; i < fits && e->layer_top + i < (int)l.n; i++)
		table_draw_row(&table, c, r.row + 1 + i, r.col - 1, r.cols, (size_t)(e->layer_top + i), false);
	free(l.row);
}
