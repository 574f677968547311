/* capture_watch: from a layer of somebody's backward pass to the sums of its examples. Runs on the lanes' threads; an
 * example is in one lane of a step. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "capture_internal.h"
#include "features_internal.h"
#include "indexing.h"

static void
note(struct capture *c, enum err err)
{
	fault_set(&c->fault, err);
}

/* What the example left at the visit before. */
static float *
block_open(void *arg, int block, int sequence)
{
	const struct capture_worker *w = arg;
	struct capture *c = w->c;
	float *values = capture_slot_values(w->slot);
	if (!fault_go(&c->fault))
		return NULL;
	if (c->visit == 0) {
		memset(values, 0, block_values(&c->layout.block[block]) * sizeof(*values));
		return values;
	}
	enum err err = capture_rows_read(&c->rows, c->row_of[w->example[sequence]], block, c->visit - 1, w->slot);
	note(c, err);
	return err == OK ? values : NULL;
}

static void
block_done(void *arg, int block, int sequence, float *values)
{
	const struct capture_worker *w = arg;
	struct capture *c = w->c;
	(void)values;
	note(c, capture_rows_write(&c->rows, c->row_of[w->example[sequence]], block, c->visit, w->slot));
}

static const uint32_t *
block_tokens(void *arg, int sequence)
{
	const struct capture_worker *w = arg;
	return w->c->tokens + (size_t)w->example[sequence] * (size_t)w->c->options.own;
}

/* The inputs of the unembedding are the final hidden states. */
static void
take_hidden(const struct capture_worker *w, const float *hidden, const struct batch *b)
{
	struct capture *c = w->c;
	size_t width = c->rows.hidden;
	for (int s = 0; s < b->n_seq && fault_go(&c->fault); s++) {
		float *mean = capture_slot_values(w->slot);
		memset(mean, 0, width * sizeof(*mean));
		indexing_mean(mean, hidden + (size_t)b->start[s] * width, b->start[s + 1] - b->start[s], width);
		note(c, capture_rows_write(&c->rows, c->row_of[w->example[s]], c->layout.n_blocks, 0, w->slot));
	}
}

static void
pass_begin(struct capture_worker *w, const uint32_t *example)
{
	struct capture *c = w->c;
	const struct projector_sink sink = { .arg = w, .open = block_open, .done = block_done,
		.tokens = block_tokens };
	w->example = example;
	if (!w->slot)
		note(c, mem_array(&w->slot, capture_slot_floats(&c->layout, c->rows.hidden), sizeof(float),
			"a block of features"));
	if (!w->projector)
		w->projector = projector_new(c->model, &c->layout);
	if (c->visit >= 0)
		projector_begin(w->projector, &c->projections, 1, &sink);
}

void
capture_watch_linear(void *arg, int worker, const uint32_t *example, int index, const float *a, const float *g,
	const struct batch *b)
{
	struct capture *c = arg;
	struct capture_worker *w = &c->worker[worker];
	bool head = index == c->model->n_linears - 1;	/* the first layer of the way back */
	if (head)
		pass_begin(w, example);
	if (!fault_go(&c->fault))
		return;
	if (head && c->last)
		take_hidden(w, a, b);
	if (c->visit >= 0)
		projector_tap(w->projector, index, a, g, b);
}
