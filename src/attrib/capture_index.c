/* capture_index: what was captured, as the stages of the index ask for it. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "capture_internal.h"
#include "features_internal.h"

enum err
capture_kept(const struct capture *c, const char *name, int *kept)
{
	for (*kept = 0; *kept < c->plan.n_kept; ++*kept) {
		char mine[CAPTURE_NAME];
		capture_part_name(c, *kept, mine);
		if (strcmp(mine, name) == 0)
			return OK;
	}
	return err_set(ERR_MISMATCH, "run %s: checkpoints/%s is none that its training kept; move it away", c->run.name,
		name);
}

static enum err
row_read(const struct capture *c, uint32_t example, float *slot, float *row)
{
	const float scale = 1 / (float)c->plan.visits;
	for (int i = 0; i < c->layout.n_blocks; i++) {
		const struct feature_block *b = &c->layout.block[i];
		const float *sum = capture_slot_values(slot);
		TRY(capture_rows_read(&c->rows, c->row_of[example], i, c->plan.visits - 1, slot));
		for (size_t j = 0; j < block_values(b); j++)
			row[b->at + j] = scale * sum[j];
	}
	return OK;
}

static enum err
hidden_read(const struct capture *c, uint32_t example, float *slot, float *mean)
{
	TRY(capture_rows_read(&c->rows, c->row_of[example], c->layout.n_blocks, 0, slot));
	memcpy(mean, capture_slot_values(slot), c->rows.hidden * sizeof(*mean));
	return OK;
}

static enum err
read_all(const struct capture *c, const uint32_t *example, size_t n, size_t width, float *to,
	enum err (*read)(const struct capture *c, uint32_t example, float *slot, float *to))
{
	float *slot = NULL;
	enum err err = OK;
	if (c->rows.fd < 0)
		return err_set(ERR_MISSING, "run %s: what was captured of it is gone; index it with"
			" `byline index --force`", c->run.name);
	TRY(mem_array(&slot, capture_slot_floats(&c->layout, c->rows.hidden), sizeof(*slot), "a block of features"));
	for (size_t i = 0; err == OK && i < n; i++)
		err = c->row_of[example[i]] != UINT32_MAX ? read(c, example[i], slot, to + i * width)
			: err_set(ERR_MISMATCH, "run %s was not trained on example %u", c->run.name, example[i]);
	free(slot);
	return err;
}

enum err
capture_features(const struct capture *c, const uint32_t *example, size_t n, float *rows)
{
	return read_all(c, example, n, c->layout.width, rows, row_read);
}

enum err
capture_hidden(const struct capture *c, const uint32_t *example, size_t n, float *mean)
{
	return read_all(c, example, n, c->rows.hidden, mean, hidden_read);
}
