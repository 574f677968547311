/* Features: rows against dense gradients, quantisation against its bound, the scan against loops, shards against what can be in them. */
#include <stdio.h>
#include <unistd.h>

#include "byline/features.h"
#include "byline/file.h"
#include "byline/pool.h"
#include "small.h"
#include "unit.h"

#include "../../src/attrib/features_internal.h"

/* ---- rows ---- */

struct setting {
	struct model m;
	struct dataset d;
	struct pool *pool;
	struct curvature c;
	struct feature_layout l;
	struct projector *p;
	struct ragged r;
};

static void
begin(struct setting *s, enum tiny kind, int k)
{
	struct curvature_options o;
	*s = (struct setting){ .pool = pool_new(1) };
	assert_ok(tiny_model(&s->m, kind, 3));
	small_data(&s->d, 12, 4);
	curvature_defaults(&o);
	o.k = k;
	assert_ok(curvature_compute(&s->c, &s->m, s->m.params, &s->d, &o, s->pool, NULL));
	assert_ok(curvature_project_vocabulary(&s->c, k, o.seed));
	feature_layout_make(&s->l, &s->m, &s->c, 8);
	s->p = projector_new(&s->m, &s->l);
	ragged_fill(&s->r, &s->d, (const uint32_t[]){ 3, 0, 7 }, 3);
}

static void
end(struct setting *s)
{
	ragged_free(&s->r);
	projector_free(s->p);
	feature_layout_free(&s->l);
	curvature_free(&s->c);
	dataset_free(&s->d);
	model_free(&s->m);
	pool_free(s->pool);
}

static float *
rows_of(const struct setting *s, const struct batch *b)
{
	float *rows = xcalloc((size_t)b->n_seq * s->l.width, sizeof(*rows));
	assert_ok(projector_rows(s->p, s->m.params, &s->c, b, NULL, 1, rows));
	return rows;
}

static struct batch
only(const struct batch *b, int seq, int32_t start[2])
{
	start[0] = 0;
	start[1] = b->start[seq + 1] - b->start[seq];
	return (struct batch){ .n_seq = 1, .rows = start[1], .start = start, .token = b->token + b->start[seq],
		.target = b->target + b->start[seq] };
}

/* P_S G P_A^T of each layer, from the dense gradient of one sequence; the caller's, (width). */
static double *
dense_row(const struct setting *s, int seq)
{
	int32_t start[2];
	struct batch b = only(&s->r.batch, seq, start);
	struct acts *acts = acts_new(&s->m);
	float *grads = xcalloc(s->m.n_params, sizeof(*grads));
	double *row = xcalloc(s->l.width, sizeof(*row));
	assert_ok(model_forward(&s->m, s->m.params, acts, &b));
	acts_loss(&s->m, acts, &b, NULL, NULL);
	model_backward(&s->m, s->m.params, acts, &b, grads, NULL);
	for (int i = 0; i < s->c.n_layers; i++) {
		const struct curvature_layer *l = &s->c.layers[i];
		double *g = small_doubles(NULL, (size_t)l->in * (size_t)l->out), *half = small_doubles(NULL, (size_t)l->in * (size_t)l->out);
		double *pa = small_doubles(l->a.p, (size_t)l->in * (size_t)l->a.k), *ps = small_doubles(l->s.p, (size_t)l->out * (size_t)l->s.k);
		small_layer_gradient(g, &s->m, grads, l->linear);
		small_product(half, ps, 0, g, 0, l->s.k, l->out, l->in);
		small_product(row + s->l.block[i].at, half, 0, pa, 1, l->s.k, l->in, l->a.k);
		free(g);
		free(half);
		free(pa);
		free(ps);
	}
	acts_free(acts);
	free(grads);
	return row;
}

/* Nothing is lost when k is as wide as the layers: products of features are the traces of products of dense gradients. */
static void
check_lossless(enum tiny kind, int k)
{
	struct setting s;
	begin(&s, kind, k);
	float *rows = rows_of(&s, &s.r.batch);
	double *want[3];
	for (int q = 0; q < 3; q++)
		want[q] = dense_row(&s, q);
	for (int q = 0; q < 9; q++) {
		double got = 0, exact = 0, size = 0;
		for (size_t j = 0; j < s.l.width; j++) {
			got += (double)rows[(size_t)(q / 3) * s.l.width + j] * rows[(size_t)(q % 3) * s.l.width + j];
			exact += want[q / 3][j] * want[q % 3][j];
			size += fabs(want[q / 3][j] * want[q % 3][j]);
		}
		assert_true(fabs(got - exact) < 1e-5 * size);
	}
	for (int q = 0; q < 3; q++)
		free(want[q]);
	free(rows);
	end(&s);
}

/* Untied models, whose head's gradient is not mixed with the embedding's. */
static void
test_lossless(void **state)
{
	(void)state;
	check_lossless(TINY_LLAMA_BIASED, 64);
	check_lossless(TINY_GPT2_ERF, 64);
	check_lossless(TINY_LLAMA_BIASED, 6);
}

static void
test_batches(void **state)
{
	struct setting s;
	(void)state;
	begin(&s, TINY_LLAMA, 8);
	float *together = rows_of(&s, &s.r.batch);
	for (int q = 0; q < 3; q++) {
		int32_t start[2];
		struct batch b = only(&s.r.batch, q, start);
		float *alone = rows_of(&s, &b);
		assert_ok(projector_rows(s.p, s.m.params, &s.c, &b, NULL, 0.5f, alone));	/* added to, scaled */
		for (size_t j = 0; j < s.l.width; j++) {
			float want = 1.5f * together[(size_t)q * s.l.width + j];
			assert_true(fabsf(alone[j] - want) <= 1e-4f * (1 + fabsf(want)));
		}
		free(alone);
	}
	free(together);
	end(&s);
}

/* The row of a whole is the sum of the rows of its targets, taken one at a time. */
static void
test_targets(void **state)
{
	struct setting s;
	int32_t start[2], target[14];
	(void)state;
	begin(&s, TINY_LLAMA, 8);
	struct batch b = only(&s.r.batch, 1, start);
	const int32_t *all = b.target;
	float *whole = rows_of(&s, &b), *parts = xcalloc(s.l.width, sizeof(*parts));
	for (int t = 0; t < b.rows; t++) {
		for (int i = 0; i < b.rows; i++)
			target[i] = i == t ? all[i] : -1;
		b.target = target;
		assert_ok(projector_rows(s.p, s.m.params, &s.c, &b, NULL, 1, parts));
	}
	for (size_t j = 0; j < s.l.width; j++)
		assert_true(fabsf(whole[j] - parts[j]) <= 1e-4f * (1 + fabsf(whole[j])));
	free(whole);
	free(parts);
	end(&s);
}

/* ---- quantisation ---- */

static struct feature_block odd_blocks[] = { { .linear = 0, .ka = 3, .ks = 3 }, { .linear = 1, .ka = 4, .ks = 2, .at = 9 },
	{ .linear = 2, .ka = 1, .ks = 1, .at = 17 } };

static struct feature_layout
odd_layout(int bits)
{
	return (struct feature_layout){ .block = odd_blocks, .n_blocks = 3, .bits = bits, .width = 18, .dense = 18,
		.code_bytes = bits == 8 ? 18 : 5 + 4 + 1 };
}

static void
test_quantise(void **state)
{
	(void)state;
	for (int bits = 4; bits <= 8; bits += 4) {
		struct feature_layout l = odd_layout(bits);
		float row[18], back[18], scale[3];
		uint8_t codes[18];
		struct rng rng;
		rng_init(&rng, 1, 1);
		for (int i = 0; i < 18; i++)
			row[i] = i == 17 ? 0 : (float)rng_normal(&rng);
		features_quantise(&l, row, codes, scale);
		features_dequantise(&l, codes, scale, back);
		for (int i = 0; i < 18; i++) {
			float s = scale[i < 9 ? 0 : i < 17 ? 1 : 2];
			assert_true(fabsf(row[i] - back[i]) <= s * 0.5001f);
		}
		for (int b = 0; b < 2; b++) {
			float most = 0;
			for (int i = b ? 9 : 0; i < (b ? 17 : 9); i++)
				most = fabsf(row[i]) > most ? fabsf(row[i]) : most;
			assert_float_equal(scale[b], most / (bits == 8 ? 127 : 7), 1e-7);
		}
		assert_true(scale[2] == 0 && back[17] == 0);
	}
}

/* ---- shards ---- */

static char folder[64];
static const char sha[] = "0123";

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "test_features.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
drop_folder(void **state)
{
	(void)state;
	return file_remove_tree(folder) == OK ? 0 : -1;
}

/* Shards of 100, 70 and 1 rows, every second example; values (171, 18) are the caller's. */
enum { ROWS = 171 };
/* Too many queries to be few. */
enum { MANY = 17 };
static const size_t shard_rows[] = { 100, 70, 1 };

static float *
write_shards(const struct feature_layout *l)
{
	float *rows = xcalloc(ROWS * l->width, sizeof(*rows));
	uint32_t example[ROWS];
	struct rng rng;
	size_t at = 0;
	rng_init(&rng, 2, (uint64_t)l->bits);
	for (size_t i = 0; i < ROWS * l->width; i++)
		rows[i] = (float)rng_normal(&rng);
	for (uint32_t i = 0; i < ROWS; i++)
		example[i] = 2 * i;
	for (size_t i = 0; i < 3; at += shard_rows[i++]) {
		struct shard_spec spec = { l, sha, i, 3 };
		char *path = shard_path(folder, i);
		assert_ok(shard_write(path, &spec, example + at, shard_rows[i], rows + at * l->width, NULL));
		free(path);
	}
	return rows;
}

/* What a row is after its way to the disk. */
static void
through_codes(const struct feature_layout *l, float *row)
{
	uint8_t codes[18];
	float scale[3];
	features_quantise(l, row, codes, scale);
	features_dequantise(l, codes, scale, row);
}

static void
check_scan(int bits, int nq)
{
	struct feature_layout l = odd_layout(bits);
	float query[MANY * 18], out[3][ROWS * MANY];
	float *rows = write_shards(&l);
	struct features *f;
	struct rng rng;
	rng_init(&rng, 3, 3);
	for (size_t i = 0; i < ARRAY_LEN(query); i++)
		query[i] = (float)rng_normal(&rng);
	assert_ok(features_open(folder, &l, sha, 2 * ROWS, &f));
	assert_int_equal(features_rows(f), ROWS);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(features_example(f, i), 2 * i);
	for (int t = 0; t < 3; t++) {
		struct pool *pool = pool_new(1 + t);
		features_scan(f, query, nq, out[t], pool);
		assert_memory_equal(out[t], out[0], ROWS * (size_t)nq * sizeof(float));
		pool_free(pool);
	}
	for (size_t i = 0; i < ROWS; i++) {
		through_codes(&l, rows + i * 18);
		for (int q = 0; q < nq; q++) {
			double want = 0;
			for (int j = 0; j < 18; j++)
				want += (double)rows[i * 18 + (size_t)j] * query[q * 18 + j];
			assert_true(fabs(out[0][i * (size_t)nq + (size_t)q] - want) < 1e-4);
		}
	}
	features_close(f);
	free(rows);
}

static void
test_scan(void **state)
{
	(void)state;
	static const int nq[] = { 1, 3, 5, 16, MANY };
	for (size_t i = 0; i < ARRAY_LEN(nq); i++) {
		check_scan(4, nq[i]);
		check_scan(8, nq[i]);
	}
}

static void
test_read(void **state)
{
	struct feature_layout l = odd_layout(4);
	float *rows = write_shards(&l), row[18];
	struct features *f;
	(void)state;
	assert_ok(features_open(folder, &l, sha, 2 * ROWS, &f));
	for (uint32_t i = 0; i < ROWS; i++) {
		through_codes(&l, rows + i * 18);
		assert_true(features_read(f, 2 * i, row, NULL));
		assert_memory_equal(row, rows + i * 18, sizeof(row));
		assert_false(features_read(f, 2 * i + 1, row, NULL));
	}
	features_close(f);
	free(rows);
}

/* ---- few queries against many ---- */

static void
rewrite(size_t number, const struct shard_spec *spec, const uint32_t *example, size_t n, const float *rows)
{
	char *path = shard_path(folder, number);
	assert_ok(shard_write(path, spec, example, n, rows, NULL));
	free(path);
}

enum { WIDE_BLOCKS = 9, WIDE_K = 32, WIDE = WIDE_BLOCKS * WIDE_K * WIDE_K, WIDE_ROWS = 150 };

/* Values as gradients have them: most are small, some are not. */
static void
heavy_tailed(struct rng *rng, float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(rng_normal(rng) * exp(rng_normal(rng)));
}

static double
length(const float *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	return sqrt(sum);
}

/* Root mean square, over rows, of what `got` (rows, nq) is away from products in double with the rows as stored, or as
 * they were before; relative to the lengths of both. */
static double
scan_error(const float *rows, const float *query, const float *got, int nq)
{
	double sum = 0;
	for (size_t r = 0; r < WIDE_ROWS; r++) {
		double want = 0;
		for (size_t j = 0; j < WIDE; j++)
			want += (double)rows[r * WIDE + j] * query[j];
		double off = (got[r * (size_t)nq] - want) / (length(rows + r * WIDE, WIDE) * length(query, WIDE));
		sum += off * off;
	}
	return sqrt(sum / WIDE_ROWS);
}

/* features.h says what the digits of a few queries cost: nothing beside the codes of the rows. */
static void
test_few(void **state)
{
	struct feature_block block[WIDE_BLOCKS];
	struct feature_layout l = { .block = block, .n_blocks = WIDE_BLOCKS, .bits = 4, .width = WIDE, .dense = WIDE,
		.code_bytes = WIDE / 2 };
	float *rows = xcalloc(WIDE_ROWS * WIDE, sizeof(*rows)), *query = xcalloc(MANY * WIDE, sizeof(*query));
	float *one = xcalloc(WIDE_ROWS, sizeof(*one)), *many = xcalloc(WIDE_ROWS * MANY, sizeof(*many));
	uint32_t example[WIDE_ROWS];
	struct features *f;
	struct rng rng;
	(void)state;
	rng_init(&rng, 7, 7);
	for (int i = 0; i < WIDE_BLOCKS; i++)
		block[i] = (struct feature_block){ .linear = i, .ka = WIDE_K, .ks = WIDE_K,
			.at = (size_t)i * WIDE_K * WIDE_K };
	for (uint32_t i = 0; i < WIDE_ROWS; i++)
		example[i] = i;
	heavy_tailed(&rng, rows, WIDE_ROWS * WIDE);
	heavy_tailed(&rng, query, WIDE);
	for (int q = 1; q < MANY; q++)
		memcpy(query + q * WIDE, query, WIDE * sizeof(*query));
	rewrite(0, &(struct shard_spec){ &l, sha, 0, 1 }, example, WIDE_ROWS, rows);
	assert_ok(features_open(folder, &l, sha, WIDE_ROWS, &f));
	struct pool *pool = pool_new(2);
	features_scan(f, query, 1, one, pool);
	features_scan(f, query, 16, many, pool);
	for (size_t i = 0; i < WIDE_ROWS * 16; i++)
		assert_true(many[i] == one[i / 16]);
	features_scan(f, query, MANY, many, pool);
	double codes = scan_error(rows, query, one, 1);
	for (uint32_t i = 0; i < WIDE_ROWS; i++)
		assert_true(features_read(f, i, rows + i * WIDE, NULL));
	double few_off = scan_error(rows, query, one, 1), many_off = scan_error(rows, query, many, MANY);
	print_message("# relative to |query| |row|: codes %.1e, few queries %.1e, many %.1e\n", codes, few_off, many_off);
	assert_true(few_off < 2e-8 && many_off < 1e-6 && codes > 1e-3);
	pool_free(pool);
	features_close(f);
	free(rows);
	free(query);
	free(one);
	free(many);
}

static void
check_open(const struct feature_layout *l, const char *hash, size_t n_examples, enum err want)
{
	struct features *f;
	enum err err = features_open(folder, l, hash, n_examples, &f);
	if (err != want)
		fail_msg("code %d instead of %d: %s", (int)err, (int)want, err_message());
	if (err != OK)
		assert_null(f);
	features_close(f);
}

static void
test_hostile_shards(void **state)
{
	struct feature_layout l = odd_layout(4), l8 = odd_layout(8);
	struct feature_layout narrow = { .block = odd_blocks, .n_blocks = 2, .bits = 4, .width = 17, .dense = 17,
		.code_bytes = 9 };
	float *rows = write_shards(&l);
	uint32_t last = 340, again = 338, far = 1000;
	(void)state;
	check_open(&l, sha, 2 * ROWS, OK);
	check_open(&l, "4567", 2 * ROWS, ERR_MISMATCH);
	check_open(&l, sha, 2 * ROWS - 2, ERR_FORMAT);
	check_open(&l8, sha, 2 * ROWS, ERR_MISMATCH);
	check_open(&narrow, sha, 2 * ROWS, ERR_MISMATCH);
	rewrite(2, &(struct shard_spec){ &l, sha, 2, 4 }, &last, 1, rows);	/* of another number of shards */
	check_open(&l, sha, 2 * ROWS, ERR_FORMAT);
	rewrite(2, &(struct shard_spec){ &l, sha, 2, 3 }, &again, 1, rows);	/* an example twice */
	check_open(&l, sha, 2 * ROWS, ERR_FORMAT);
	rewrite(2, &(struct shard_spec){ &l, sha, 2, 3 }, &far, 1, rows);	/* an example there is not */
	check_open(&l, sha, 2 * ROWS, ERR_FORMAT);
	rows[0] = INFINITY;							/* a scale that is none */
	rewrite(2, &(struct shard_spec){ &l, sha, 2, 3 }, &last, 1, rows);
	check_open(&l, sha, 2 * ROWS, ERR_FORMAT);
	char *path = shard_path(folder, 2);
	assert_ok(file_replace(path, "shard", 5));
	check_open(&l, sha, 2 * ROWS, ERR_FORMAT);
	unlink(path);
	check_open(&l, sha, 2 * ROWS, ERR_MISSING);
	free(path);
	free(rows);
}

/* Tensors that are not what they should be: name, type, shape. */
static void
test_hostile_tensors(void **state)
{
	const struct { const char *examples; enum st_dtype dtype; uint64_t codes; } harm[] = {
		{ "examplez", ST_U8, 10 }, { "examples", ST_I8, 10 }, { "examples", ST_U8, 9 }, { "examples", ST_U8, 11 },
	};
	struct feature_layout l = odd_layout(4);
	const uint8_t zeros[64] = { 0 };
	char *path = shard_path(folder, 0);
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(harm); i++) {
		struct st_writer w;
		struct features *f;
		assert_ok(st_writer_open(&w, path));
		const char *meta[][2] = { { "format", FEATURES_FORMAT }, { "curvature_sha256", sha }, { "bits", "4" }, { "width", "18" },
			{ "shard", "0" }, { "shards", "1" } };
		for (size_t j = 0; j < ARRAY_LEN(meta); j++)
			st_writer_meta(&w, meta[j][0], meta[j][1]);
		st_writer_declare(&w, harm[i].examples, ST_U32, 1, (const uint64_t[]){ 1 });
		st_writer_declare(&w, "scales", ST_F32, 2, (const uint64_t[]){ 1, 3 });
		st_writer_declare(&w, "codes", harm[i].dtype, 2, (const uint64_t[]){ 1, harm[i].codes });
		assert_ok(st_writer_begin(&w));
		assert_ok(st_writer_bytes(&w, zeros, 16 + harm[i].codes));
		assert_ok(st_writer_commit(&w));
		assert_int_not_equal(features_open(folder, &l, sha, 9, &f), OK);
		assert_non_null(strstr(err_message(), path));
	}
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lossless),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_quantise),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_hostile_shards),
		cmocka_unit_test(test_hostile_tensors),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
