/* The unembedding's block: which tokens are an example's own, their rows against the dense gradient, a query's side of them, and
 * scores the slow way. */
#include <stdio.h>
#include <unistd.h>

#include "byline/features.h"
#include "byline/file.h"
#include "byline/pool.h"
#include "small.h"
#include "unit.h"

#include "../../src/attrib/features_internal.h"

enum { OWN = 6, K = 5, ROWS = 3 };

struct setting {
	struct model m;
	struct dataset d;
	struct pool *pool;
	struct curvature c;
	struct feature_layout l;
	struct projector *p;
	struct ragged r;
	uint32_t tokens[ROWS * OWN];
	float *rows;			/* (ROWS, width) */
};

static const uint32_t example[ROWS] = { 0, 3, 7 };

static void
begin(struct setting *s, enum tiny kind)
{
	struct curvature_options o;
	uint32_t count[64];
	*s = (struct setting){ .pool = pool_new(1) };
	assert_ok(tiny_model(&s->m, kind, 3));
	small_data(&s->d, 12, 4);
	curvature_defaults(&o);
	o.k = K;
	assert_ok(curvature_compute(&s->c, &s->m, s->m.params, &s->d, &o, s->pool, NULL));
	feature_layout_plan(&s->l, &s->m, K, OWN, 8);
	s->p = projector_new(&s->m, &s->l);
	ragged_fill(&s->r, &s->d, example, ROWS);
	assert_true(s->l.vocab <= 64);
	feature_tokens_count(&s->d, s->l.vocab, count);
	for (int i = 0; i < ROWS; i++)
		feature_tokens(&s->d, example[i], count, OWN, s->tokens + i * OWN);
	s->rows = xcalloc(ROWS * s->l.width, sizeof(*s->rows));
	assert_ok(projector_rows(s->p, s->m.params, &s->c, &s->r.batch, s->tokens, 1, s->rows));
}

static void
end(struct setting *s)
{
	free(s->rows);
	ragged_free(&s->r);
	projector_free(s->p);
	feature_layout_free(&s->l);
	curvature_free(&s->c);
	dataset_free(&s->d);
	model_free(&s->m);
	pool_free(s->pool);
}

/* ---- which tokens ---- */

static void
test_tokens(void **state)
{
	struct dataset d = {0};
	uint32_t count[10], own[5];
	(void)state;
	dataset_add(&d, (const int32_t[]){ 9, 4, 4, 2, 7, 4 }, 6, false);	/* targets 4 4 2 7 4 */
	dataset_add(&d, (const int32_t[]){ 9, 2, 2, 3 }, 4, false);
	dataset_add(&d, (const int32_t[]){ 9, 7, 7, 7, 7, 7 }, 6, true);	/* held out: does not count */
	feature_tokens_count(&d, 10, count);
	assert_int_equal(count[4], 3);
	assert_int_equal(count[2], 3);
	assert_int_equal(count[7], 1);
	assert_int_equal(count[9], 0);
	feature_tokens(&d, 0, count, 5, own);
	assert_memory_equal(own, ((const uint32_t[]){ 2, 4, 7, FEATURE_NONE, FEATURE_NONE }), sizeof(own));
	feature_tokens(&d, 0, count, 2, own);	/* the rarest, of equals the lower, in order */
	assert_memory_equal(own, ((const uint32_t[]){ 2, 7 }), 2 * sizeof(*own));
	dataset_free(&d);
}

/* ---- rows ---- */

/* Of sequence seq, from the dense gradient: w_v sum_t g_tv (P_A a_t). */
static void
check_rows(const struct setting *s, int seq)
{
	const struct feature_block *b = feature_layout_own(&s->l);
	const struct curvature_layer *l = &s->c.layers[s->c.n_layers - 1];
	int from = s->r.start[seq], n = s->r.start[seq + 1] - from;
	int32_t start[2] = { 0, n };
	struct batch batch = { .n_seq = 1, .rows = n, .start = start, .token = s->r.token + from, .target = s->r.target + from };
	struct acts *acts = acts_new(&s->m);
	float *grads = xcalloc(s->m.n_params, sizeof(*grads));
	double *g = small_doubles(NULL, (size_t)l->in * (size_t)l->out), size = 0;
	assert_ok(model_forward(&s->m, s->m.params, acts, &batch));
	acts_loss(&s->m, acts, &batch, NULL, NULL);
	model_backward(&s->m, s->m.params, acts, &batch, grads, NULL);
	small_layer_gradient(g, &s->m, grads, l->linear);
	const float *row = s->rows + (size_t)seq * s->l.width + b->at;
	for (int j = 0; j < b->ks * b->ka; j++)
		size = fmax(size, fabsf(row[j]));
	assert_true(size > 0);
	for (int j = 0; j < b->ks * b->ka; j++) {
		uint32_t v = s->tokens[seq * OWN + j / b->ka];
		double want = 0;
		for (int i = 0; v != FEATURE_NONE && i < l->in; i++)
			want += (double)l->s.weight[v] * g[(int)v * l->in + i] * l->a.p[j % b->ka * l->in + i];
		assert_true(fabs(row[j] - want) < 1e-5 * size);
	}
	acts_free(acts);
	free(grads);
	free(g);
}

static void
test_rows(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct setting s;
		begin(&s, kind ? TINY_GPT2_ERF : TINY_LLAMA_BIASED);
		for (int i = 0; i < ROWS; i++)
			check_rows(&s, i);
		end(&s);
	}
}

/* ---- scores ---- */

/* One query for each sequence, all its targets, taken twice: at two checkpoints of the same weights. */
static void
query_make(const struct setting *s, struct feature_query *q)
{
	assert_ok(feature_query_new(q, &s->l, ROWS, 64));
	for (int k = 0; k < 2; k++)
		assert_ok(projector_query(s->p, s->m.params, &s->c, &s->r.batch, 0.5f, q, 0));
}

/* The table (vocab, ka) of a query, from a layout that keeps every token's row. */
static double
slow_score(const struct setting *s, const float *all, int vocab, int query, int row)
{
	const struct feature_block *b = feature_layout_own(&s->l);
	const float *q = all + (size_t)query * (s->l.dense + (size_t)vocab * (size_t)b->ka), *x = s->rows + (size_t)row * s->l.width;
	double sum = 0;
	for (int i = 0; i < s->l.n_blocks - 1; i++)
		for (size_t j = s->l.block[i].at; j < s->l.block[i].at + block_values(&s->l.block[i]); j++)
			sum += (double)s->l.block[i].weight * q[j] * x[j];
	for (int i = 0; i < OWN && s->tokens[row * OWN + i] != FEATURE_NONE; i++)
		for (int j = 0; j < b->ka; j++)
			sum += (double)b->weight * q[s->l.dense + (size_t)s->tokens[row * OWN + i] * (size_t)b->ka + (size_t)j]
				* x[b->at + (size_t)(i * b->ka + j)];
	return sum;
}

/* Rows of the queries' own sequences with every token of the vocabulary: (ROWS, dense + vocab ka); the caller's. */
static float *
everything(const struct setting *s)
{
	struct feature_layout l;
	feature_layout_plan(&l, &s->m, K, s->l.vocab, 8);
	uint32_t *tokens = xcalloc(ROWS * (size_t)s->l.vocab, sizeof(*tokens));
	for (int i = 0; i < ROWS * s->l.vocab; i++)
		tokens[i] = (uint32_t)(i % s->l.vocab);
	struct projector *p = projector_new(&s->m, &l);
	float *rows = xcalloc(ROWS * l.width, sizeof(*rows));
	assert_ok(projector_rows(p, s->m.params, &s->c, &s->r.batch, tokens, 1, rows));
	projector_free(p);
	feature_layout_free(&l);
	free(tokens);
	return rows;
}

static void
test_row_scores(void **state)
{
	struct setting s;
	struct feature_query q;
	float got[ROWS];
	(void)state;
	begin(&s, TINY_LLAMA_BIASED);
	query_make(&s, &q);
	float *all = everything(&s);
	for (int row = 0; row < ROWS; row++) {
		features_row_scores(&q, s.rows + (size_t)row * s.l.width, s.tokens + row * OWN, got);
		for (int i = 0; i < ROWS; i++) {
			double want = slow_score(&s, all, s.l.vocab, i, row);
			assert_true(fabs(got[i] - want) < 1e-4 * (1 + fabs(want)));
		}
	}
	free(all);
	feature_query_free(&q);
	end(&s);
}

/* ---- on disk ---- */

static char folder[64];
static const char sha[] = "0123";

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "test_own.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
drop_folder(void **state)
{
	(void)state;
	return file_remove_tree(folder) == OK ? 0 : -1;
}

static void
write_shard(const struct setting *s, const uint32_t *tokens)
{
	struct shard_spec spec = { &s->l, sha, 0, 1 };
	char *path = shard_path(folder, 0);
	assert_ok(shard_write(path, &spec, example, ROWS, s->rows, tokens));
	free(path);
}

static void
test_stored_scores(void **state)
{
	struct setting s;
	struct feature_query q;
	struct features *f;
	const int from[] = { 0, 1, 0 }, to[] = { 1, 3, 3 };
	float out[2][ROWS * 3], token[ROWS];
	(void)state;
	begin(&s, TINY_LLAMA_BIASED);
	query_make(&s, &q);
	write_shard(&s, s.tokens);
	assert_ok(features_open(folder, &s.l, sha, 12, &f));
	float *row = xcalloc(s.l.width, sizeof(*row));
	uint32_t tokens[OWN];
	for (int t = 0; t < 2; t++) {
		struct pool *pool = pool_new(1 + t);
		assert_ok(features_scores(f, &q, from, to, 3, out[t], pool, NULL));
		pool_free(pool);
	}
	assert_memory_equal(out[0], out[1], sizeof(out[0]));
	for (int i = 0; i < ROWS; i++) {
		assert_true(features_read(f, example[i], row, tokens));
		assert_memory_equal(tokens, s.tokens + i * OWN, sizeof(tokens));
		features_row_scores(&q, row, tokens, token);
		const double want[3] = { token[0], (double)token[1] + token[2], (double)token[0] + token[1] + token[2] };
		for (int j = 0; j < 3; j++)
			assert_true(fabs(out[0][i * 3 + j] - want[j]) < 1e-4 * (1 + fabs(want[j])));
	}
	free(row);
	features_close(f);
	feature_query_free(&q);
	end(&s);
}

static void
test_hostile_tokens(void **state)
{
	struct setting s;
	struct features *f;
	uint32_t harm[3][2] = { { 0, UINT32_MAX - 1 }, { 1, 0 }, { 5, 50 } };	/* place, token */
	(void)state;
	begin(&s, TINY_LLAMA_BIASED);
	for (int i = 0; i < 3; i++) {
		uint32_t tokens[ROWS * OWN];
		memcpy(tokens, s.tokens, sizeof(tokens));
		tokens[harm[i][0]] = harm[i][1];
		write_shard(&s, tokens);
		assert_err(features_open(folder, &s.l, sha, 12, &f), ERR_FORMAT);
	}
	end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_row_scores),
		cmocka_unit_test_setup_teardown(test_stored_scores, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_hostile_tokens, make_folder, drop_folder),
	};
	return cmocka_run_group_tests_name("attrib/own", tests, NULL, NULL);
}
