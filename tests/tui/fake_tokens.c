/* fake_tokens: influence token by token, so made that its sums are the marks of the example. */
#include "fake_parts.h"

#include <stdlib.h>

#include "byline/mem.h"

enum { LAYERS = 4, MODULES = 3, N_LINEARS = LAYERS * MODULES + 1 };

/* What is left after noise that sums to nothing goes evenly over the row. */
static void
column_fill(struct token_influence *t, int j, double sum)
{
	int rows = t->to - t->from;
	double mean = 0;
	for (int i = 0; i < rows; i++)
		mean += fake_noise((uint32_t)(i + 300), (uint32_t)j) / rows;
	for (int i = 0; i < rows; i++)
		t->matrix[i * t->n_in + j] = (float)(sum / rows
			+ 0.002 * (fake_noise((uint32_t)(i + 300), (uint32_t)j) - mean));
}

enum err
fake_tokens(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out)
{
	struct str text = {0};
	uint32_t *byte_of;
	int n;
	float score;
	*out = NULL;
	if (!fake_world(s)->measured)
		return err_set(ERR_MISSING, "this world has no token by token");
	TRY(s->ops->example_text(s, example, &text, &byte_of, &n));
	float *mark = xcalloc((size_t)n + 1, sizeof(*mark));
	TRY(s->ops->marks(s, q, from, to, example, job, &score, mark));
	struct token_influence *t = xcalloc(1, sizeof(*t));
	*t = (struct token_influence){ .example = example, .from = from, .to = to, .n_in = n, .n_layers = N_LINEARS,
		.score = (double)score };
	t->matrix = xcalloc((size_t)(to - from) * (size_t)n + 1, sizeof(*t->matrix));
	for (int j = 0; j < n; j++)
		column_fill(t, j, (double)mark[j]);
	t->linear = xcalloc(N_LINEARS, sizeof(*t->linear));
	t->layer = xcalloc(N_LINEARS, sizeof(*t->layer));
	double left = (double)score;
	for (int i = 0; i < N_LINEARS; i++) {
		t->linear[i] = i;
		t->layer[i] = (float)(i + 1 == N_LINEARS ? left
			: (double)score * (1 + fake_noise(40, (uint32_t)i)) / N_LINEARS);
		left -= (double)t->layer[i];
	}
	str_free(&text);
	free(byte_of);
	free(mark);
	*out = t;
	return OK;
}

void
fake_linear(struct source *s, int i, enum tensor_role *role, int *layer)
{
	static const enum tensor_role roles[MODULES] = { ROLE_GATE, ROLE_UP, ROLE_DOWN };
	(void)s;
	*role = i + 1 < N_LINEARS ? roles[i % MODULES] : ROLE_HEAD;
	*layer = i + 1 < N_LINEARS ? i / MODULES : -1;
}
