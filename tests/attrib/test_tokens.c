/* Influence between tokens: against exact scores in every direction it can be summed, and cell by cell by force. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "dense.h"
#include "session_index.h"
#include "toy.h"
#include "unit.h"

enum { FROM = 1, TO = 5, EXAMPLE = 3 };

struct world { struct toy toy; struct session *s; struct query *q; };

static int
world_new(void **state)
{
	struct toy_options o = toy_small;
	struct world *w = xcalloc(1, sizeof(*w));
	o.n_layer = 2;
	toy_new(&w->toy, &o);
	w->s = toy_session(&w->toy, 2);
	w->q = toy_query(w->s, "the boat", " and the tide. no sail");
	assert_true(w->q->n_out > TO);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	query_free(w->q);
	session_close(w->s);
	toy_free(&w->toy);
	free(w);
	return 0;
}

static struct token_influence *
tokens(struct query *q, int from, int to, uint32_t example)
{
	struct token_influence *t;
	assert_ok(query_tokens(q, from, to, example, NULL, &t));
	assert_true(t->example == example && t->from == from && t->to == to);
	assert_int_equal(t->n_in, (int)q->session->examples[example].n_tokens - 1);
	return t;
}

/* What all cells add up to without their signs: what rounding is measured by. */
static double
size_of(const struct token_influence *t)
{
	double sum = 0;
	for (int i = 0; i < (t->to - t->from) * t->n_in; i++)
		sum += fabs((double)t->matrix[i]);
	return sum;
}

static double
sum_of(const float *v, int n, int stride)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += v[i * stride];
	return sum;
}

static void
check_sums(struct query *q, int from, int to, uint32_t example)
{
	struct token_influence *t = tokens(q, from, to, example);
	float score, *per_token = xcalloc((size_t)t->n_in, sizeof(*per_token));
	double near = 1e-5 * size_of(t);
	assert_true(near > 0);
	assert_ok(query_exact(q, from, to, &example, 1, &score, &per_token, NULL));
	assert_true(fabs(t->score - score) <= near);
	assert_true(fabs(sum_of(t->layer, t->n_layers, 1) - t->score) <= near);
	for (int j = 0; j < t->n_in; j++)
		assert_true(fabs(sum_of(t->matrix + j, to - from, t->n_in) - per_token[j]) <= near);
	for (int i = 0; i < to - from; i++) {
		assert_ok(query_exact(q, from + i, from + i + 1, &example, 1, &score, NULL, NULL));
		assert_true(fabs(sum_of(t->matrix + i * t->n_in, t->n_in, 1) - score) <= near);
	}
	free(per_token);
	token_influence_free(t);
}

static void
test_sums(void **state)
{
	struct world *w = *state;
	check_sums(w->q, FROM, TO, EXAMPLE);
	check_sums(w->q, 0, w->q->n_out, 0);
	check_sums(w->q, 2, 3, (uint32_t)w->s->data.n - 1);
}

/* ---- by force ---------------------------------------------------------------------------------------------------------- */

struct layer_view { int n; const int *linear; };
struct rows { const struct layer_view *v; const struct model *m; float *const *direction; double *row, *layer; };

/* row_t += g_t^T V a_t, with V in the coordinates of the weights. */
static void
rows_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct rows *r = arg;
	const struct linear *l = &r->m->linears[index];
	int layer = 0;
	while (layer < r->v->n && r->v->linear[layer] != index)
		layer++;
	if (layer == r->v->n)
		return;
	for (int t = 0; t < b->rows; t++)
		for (int o = 0; o < l->out; o++)
			for (int i = 0; i < l->in; i++) {
				double x = (double)g[t * l->out + o] * r->direction[layer][o * l->in + i] * a[t * l->in + i];
				r->row[t] += x;
				r->layer[layer] += x;
			}
}

static void
solve_token(const struct query *q, const struct model *m, const struct curvature *c, int o, float **direction)
{
	float *grad = span_gradient(q, m->params, o, o + 1);
	for (int l = 0; l < c->n_layers; l++) {
		size_t n = (size_t)c->layers[l].out * (size_t)c->layers[l].in;
		float *scratch = xcalloc(2 * n, sizeof(*scratch));
		direction[l] = xcalloc(n, sizeof(**direction));
		memcpy(direction[l], grad + m->linears[c->layers[l].linear].w, n * sizeof(**direction));
		curvature_solve(&c->layers[l], direction[l], scratch);
		free(scratch);
	}
	free(grad);
}

/* One output token against every row of the example at one checkpoint; row (n_in) and layer are added to. */
static void
force_token(const struct query *q, const struct model *m, const struct curvature *c, const int *linear, int o, double *row,
	double *layer)
{
	const struct session *s = q->session;
	uint64_t at = s->data.start[EXAMPLE];
	int32_t start[2] = { 0, (int32_t)(s->data.start[EXAMPLE + 1] - at) - 1 };
	struct batch b = { .n_seq = 1, .rows = start[1], .start = start, .token = s->data.token + at,
		.target = s->data.token + at + 1 };
	float *direction[16];
	struct layer_view view = { c->n_layers, linear };
	struct rows r = { &view, m, direction, row, layer };
	struct tap tap = { .arg = &r, .linear = rows_linear };
	struct acts *acts = acts_new(m);
	solve_token(q, m, c, o, direction);
	assert_ok(model_forward(m, m->params, acts, &b));
	acts_loss(m, acts, &b, NULL, NULL);
	model_backward(m, m->params, acts, &b, NULL, &tap);
	acts_free(acts);
	for (int l = 0; l < c->n_layers; l++)
		free(direction[l]);
}

static void
force_point(const struct query *q, int point, double *matrix, int n_in, double *layer)
{
	const struct session *s = q->session;
	const struct index_checkpoint *k = &s->index->info.checkpoint[point];
	struct model m;
	struct curvature c;
	int linear[16];
	char *dir = path_join(s->run.dir, k->path);
	assert_ok(checkpoint_load(dir, &m));
	assert_ok(curvature_load(&s->index->curvature, k->name, &s->model, NULL, &c));
	assert_true(c.n_layers <= 16);
	for (int l = 0; l < c.n_layers; l++)
		linear[l] = c.layers[l].linear;
	for (int o = FROM; o < TO; o++)
		force_token(q, &m, &c, linear, o, matrix + (o - FROM) * n_in, layer);
	curvature_free(&c);
	model_free(&m);
	free(dir);
}

static void
test_by_force(void **state)
{
	struct world *w = *state;
	struct token_influence *t = tokens(w->q, FROM, TO, EXAMPLE);
	int cells = (TO - FROM) * t->n_in;
	double *matrix = xcalloc((size_t)cells, sizeof(*matrix)), layer[16] = {0}, largest = 0;
	double scale = 1.0 / (double)w->s->run.n_train / w->s->index->n_points;
	for (int k = 0; k < w->s->index->n_points; k++)
		force_point(w->q, k, matrix, t->n_in, layer);
	for (int i = 0; i < cells; i++)
		largest = fmax(largest, fabs(scale * matrix[i]));
	for (int i = 0; i < cells; i++)
		assert_true(fabs(scale * matrix[i] - t->matrix[i]) <= 1e-4 * largest);
	for (int l = 0; l < t->n_layers; l++)
		assert_true(fabs(scale * layer[l] - t->layer[l]) <= 1e-4 * size_of(t));
	assert_int_equal(w->s->model.linears[t->linear[t->n_layers - 1]].role, ROLE_HEAD);
	free(matrix);
	token_influence_free(t);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------ */

static void
test_threads(void **state)
{
	struct world *w = *state;
	struct token_influence *t = tokens(w->q, FROM, TO, EXAMPLE);
	struct session *one = toy_session(&w->toy, 1);
	struct query *q = toy_query(one, "the boat", " and the tide. no sail");
	struct token_influence *u = tokens(q, FROM, TO, EXAMPLE);
	assert_memory_equal(t->matrix, u->matrix, (size_t)((TO - FROM) * t->n_in) * sizeof(float));
	assert_memory_equal(t->layer, u->layer, (size_t)t->n_layers * sizeof(float));
	assert_true(t->score == u->score);
	token_influence_free(t);
	token_influence_free(u);
	query_free(q);
	session_close(one);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	struct token_influence *t = (struct token_influence *)w;
	static const int span[][2] = { { -1, 1 }, { 2, 2 }, { 3, 2 }, { 0, 1000 } };
	for (size_t i = 0; i < ARRAY_LEN(span); i++) {
		assert_err(query_tokens(w->q, span[i][0], span[i][1], 0, NULL, &t), ERR_USAGE);
		assert_null(t);
	}
	assert_err(query_tokens(w->q, 0, 1, (uint32_t)w->s->data.n, NULL, &t), ERR_USAGE);
	struct job job;
	job_init(&job);
	job_cancel(&job);
	assert_err(query_tokens(w->q, 0, 1, 0, &job, &t), ERR_CANCELLED);
	assert_null(t);
	job_done(&job);
	token_influence_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_by_force),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
