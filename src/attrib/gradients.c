/* gradients: see gradients.h. */
#include "gradients.h"

#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

static const size_t block_bytes = (size_t)64 << 20;

struct forming { const struct gradients *g; float *buffer; };

static int
block_of(size_t size)
{
	size_t n = block_bytes / sizeof(float) / size;
	return n < 1 ? 1 : n < GRADIENTS_BLOCK ? (int)n : GRADIENTS_BLOCK;
}

static void
form_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct forming *f = arg;
	const struct layer_set *layers = f->g->layers;
	int layer = layers->layer_of[index];
	if (layer < 0)
		return;
	const struct linear *l = &layers->model->linears[index];
	size_t size = layer_set_size(layers, layer);
	int block = block_of(size);
	for (int first = 0; first < b->n_seq; first += block) {
		int n = b->n_seq - first < block ? b->n_seq - first : block;
		for (int s = 0; s < n; s++) {
			size_t from = (size_t)b->start[first + s];
			mm_at(l->out, l->in, b->start[first + s + 1] - (int)from, 1, g + from * (size_t)l->out, l->out,
				a + from * (size_t)l->in, l->in, 0, f->buffer + (size_t)s * size, l->in);
		}
		f->g->take(f->g->arg, layer, first, n, f->buffer);
	}
}

enum err
gradients_back(const struct gradients *g, const float *params, struct acts *acts, const struct batch *b)
{
	struct forming f = { .g = g };
	const struct tap tap = { .arg = &f, .linear = form_linear, .roles = g->layers->roles };
	size_t values = 0;
	for (int i = 0; i < g->layers->n; i++) {
		size_t size = layer_set_size(g->layers, i), more = (size_t)block_of(size) * size;
		values = more > values ? more : values;
	}
	TRY(mem_array(&f.buffer, values, sizeof(*f.buffer), "gradients of examples"));
	model_backward(g->layers->model, params, acts, b, NULL, &tap);
	free(f.buffer);
	return OK;
}
