/* score_matrix: a file of scores, whoever wrote it, a query at a time. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/half.h"
#include "byline/mem.h"
#include "byline/scores.h"

/* Scores are kept in single precision, which ends at 3.4e38. */
static const double score_most = 3e38;

static enum err
take_shape(struct score_matrix *m, int n_dims, const uint64_t *shape)
{
	if (n_dims != 2 && n_dims != 3)
		return err_set(ERR_FORMAT, "%s: scores of %d dimensions; they are (queries, examples), perhaps with"
			" tokens as a third", m->path, n_dims);
	m->queries = shape[0];
	m->examples = shape[1];
	m->tokens = n_dims == 3 ? shape[2] : 0;
	if (m->queries == 0 || m->examples == 0 || (n_dims == 3 && m->tokens == 0))
		return err_set(ERR_FORMAT, "%s: there is no score in it", m->path);
	return OK;
}

/* ---- safetensors ---- */

static enum err
check_module(const struct score_matrix *m, const struct st_tensor *t)
{
	const struct st_tensor *first = m->module[0];
	if (t->dtype != ST_F32 && t->dtype != ST_F16 && t->dtype != ST_BF16 && t->dtype != ST_F64)
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" holds %s; scores are floats", m->path, t->name,
			st_dtype_name(t->dtype));
	if (t->n_dims != first->n_dims || memcmp(t->shape, first->shape, (size_t)t->n_dims * sizeof(*t->shape)) != 0)
		return err_set(ERR_MISMATCH, "%s: \"%s\" and \"%s\" are of different shapes", m->path, first->name,
			t->name);
	return OK;
}

static enum err
open_safetensors(struct score_matrix *m)
{
	TRY(st_open(&m->file, m->path));
	const struct st_tensor *all = st_find(&m->file, "all_modules");
	m->module = xcalloc(m->file.n_tensors + 1, sizeof(struct st_tensor *));
	if (all)
		m->module[m->n_modules++] = all;
	for (size_t i = 0; !all && i < m->file.n_tensors; i++)
		m->module[m->n_modules++] = &m->file.tensors[i];
	if (m->n_modules == 0)
		return err_set(ERR_FORMAT, "%s: there is no score in it", m->path);
	for (size_t i = 0; i < m->n_modules; i++)
		TRY(check_module(m, m->module[i]));
	return take_shape(m, m->module[0]->n_dims, m->module[0]->shape);
}

static enum err
read_modules(const struct score_matrix *m, uint64_t query, size_t n, double *out)
{
	float *row = NULL;
	enum err err = OK;
	TRY(mem_array(&row, n, sizeof(*row), "scores of a query"));
	memset(out, 0, n * sizeof(*out));
	for (size_t k = 0; err == OK && k < m->n_modules; k++) {
		err = st_read_f32(&m->file, m->module[k], query * n, n, row);
		for (size_t i = 0; err == OK && i < n; i++)
			out[i] += row[i];
	}
	free(row);
	return err;
}

/* ---- .npy ---- */

static double
element(const struct npy *a, uint64_t i)
{
	const uint8_t *at = a->data + i * st_dtype_size(a->dtype);
	uint16_t half;
	float single;
	double real;
	if (a->dtype == ST_F16) {
		memcpy(&half, at, sizeof(half));
		return half_from_f16(half);
	}
	if (a->dtype == ST_F32) {
		memcpy(&single, at, sizeof(single));
		return single;
	}
	memcpy(&real, at, sizeof(real));
	return real;
}

static void
read_npy(const struct score_matrix *m, uint64_t query, double *out)
{
	uint64_t tokens = m->tokens ? m->tokens : 1;
	for (uint64_t e = 0; e < m->examples; e++)
		for (uint64_t t = 0; t < tokens; t++)
			*out++ = element(&m->npy, m->npy.fortran ? query + m->queries * (e + m->examples * t)
				: (query * m->examples + e) * tokens + t);
}

/* ---- both ---- */

/* Whether the file begins with these bytes. */
static bool
begins(const struct score_matrix *m, const char *magic, size_t n)
{
	return m->map.size >= n && memcmp(m->map.data, magic, n) == 0;
}

/* The length of a header, and that header: before it nothing else can be told from a length. */
static bool
is_safetensors(const struct score_matrix *m)
{
	uint64_t n;
	if (m->map.size < 9 || m->map.data[8] != '{')
		return false;
	memcpy(&n, m->map.data, sizeof(n));
	return n <= m->map.size - 8;
}

static enum err
open_npy(struct score_matrix *m)
{
	TRY(npy_parse(m->map.data, m->map.size, m->path, &m->npy));
	return take_shape(m, m->npy.n_dims, m->npy.shape);
}

/* What no first byte tells is what its name says, and broken; or something else. */
static enum err
open_by_name(struct score_matrix *m)
{
	const char *dot = strrchr(path_base(m->path), '.');
	if (m->map.size == 0)
		return err_set(ERR_FORMAT, "%s: the file is empty", m->path);
	if (dot && strcmp(dot, ".npy") == 0)
		return open_npy(m);
	if (dot && strcmp(dot, ".safetensors") == 0)
		return open_safetensors(m);
	return err_set(ERR_UNSUPPORTED, "%s: neither a NumPy array nor a safetensors file; save the scores with "
		"numpy.save, as float32", m->path);
}

enum err
score_matrix_open(const char *path, struct score_matrix *m)
{
	*m = (struct score_matrix){ .path = xstrdup(path) };
	TRY(file_map_open(path, &m->map));
	if (begins(m, "\x93NUMPY", 6))
		return open_npy(m);
	if (is_safetensors(m))
		return open_safetensors(m);
	if (begins(m, "version https://git-lfs", 23))
		return err_set(ERR_FORMAT, "%s: is a Git LFS pointer, not the scores: run `git lfs pull` where it came "
			"from", path);
	if (begins(m, "PK", 2) || begins(m, "\x80", 1))
		return err_set(ERR_UNSUPPORTED, "%s: a pickle or an archive, which is never opened here; save the "
			"scores with numpy.save, as float32", path);
	return open_by_name(m);
}

void
score_matrix_close(struct score_matrix *m)
{
	free(m->path);
	free(m->module);
	st_close(&m->file);
	file_map_close(&m->map);
	*m = (struct score_matrix){0};
}

static enum err
bad_score(const struct score_matrix *m, uint64_t query, size_t example, double score)
{
	char what[96];
	if (isnan(score))
		snprintf(what, sizeof(what), "is not a number");
	else if (isinf(score))
		snprintf(what, sizeof(what), "is infinite");
	else
		snprintf(what, sizeof(what), "is %.6g, too large for single precision: scale the scores down", score);
	return err_set(ERR_FORMAT, "%s: the score of query %" PRIu64 " and example %zu (counting from 0) %s", m->path,
		query, example, what);
}

enum err
score_matrix_read(const struct score_matrix *m, uint64_t query, double *out)
{
	uint64_t tokens = m->tokens ? m->tokens : 1;
	size_t n = (size_t)(m->examples * tokens);
	if (m->module)
		TRY(read_modules(m, query, n, out));
	else
		read_npy(m, query, out);
	for (size_t i = 0; i < n; i++)
		if (!(fabs(out[i]) <= score_most))
			return bad_score(m, query, i / (size_t)tokens, out[i]);
	return OK;
}
