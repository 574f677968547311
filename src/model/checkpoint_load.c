/* checkpoint: reading a model whose config and weights agree, or running it from where they lie. */
#include "byline/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "checkpoint_parts.h"
#include "stored.h"

/* Parameters beyond which weights are not copied out of their file, unless $BYLINE_MAP_ABOVE says otherwise. */
#define MAP_ABOVE ((size_t)1 << 25)

enum err
checkpoint_check_finite(const struct weights_tensor *t, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" holds %s: the weights are broken",
				t->path, t->name, isnan(v[i]) ? "NaN" : "infinity");
	return OK;
}

/* The file's row c is our column c. */
static enum err
read_transposed(const struct weights_tensor *t, const struct file_tensor *want, float *out)
{
	float *line;
	size_t rows = (size_t)want->rows, cols = (size_t)want->cols;
	enum err err = OK;
	TRY(mem_array(&line, rows, sizeof(*line), "tensor row"));
	for (size_t c = 0; err == OK && c < cols; c++) {
		err = weights_read_f32(t, c * (size_t)want->file_rows + (size_t)want->from, rows, line);
		for (size_t r = 0; r < rows; r++)
			out[r * cols + c] = line[r];
	}
	free(line);
	return err;
}

/* Of each head the file has row 0, row n/2, row 1 and so on. */
static enum err
read_paired(const struct weights_tensor *t, const struct file_tensor *want, float *out)
{
	size_t cols = (size_t)want->cols, head = (size_t)(want->rows / want->paired), half = head / 2;
	for (size_t r = 0; r < (size_t)want->rows; r++) {
		size_t in = r % head, from = r - in + 2 * (in % half) + in / half;
		TRY(weights_read_f32(t, from * cols, cols, out + r * cols));
	}
	return OK;
}

enum err
checkpoint_read_rows(const struct file_tensor *want, const struct weights_tensor *t, float *out)
{
	size_t cols = (size_t)want->cols, n = (size_t)want->rows * cols;
	TRY(want->transposed ? read_transposed(t, want, out) : want->paired > 0 ? read_paired(t, want, out)
		: weights_read_f32(t, (size_t)want->from * cols, n, out));
	for (size_t i = 0; want->plus != 0 && i < n; i++)
		out[i] += want->plus;
	return checkpoint_check_finite(t, out, n);
}

enum err
checkpoint_read(const struct checkpoint *c, float *params)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct file_tensor *f = &c->wanted[i];
		if (!f->optional)
			TRY(checkpoint_read_rows(f, c->found[i],
				params + f->tensor->at + (size_t)f->row * (size_t)f->cols));
	}
	return OK;
}

/* A stretch at a time: the whole need not fit into memory. */
static enum err
tensor_finite(const struct weights_tensor *t)
{
	enum { STRETCH = 1 << 14 };
	float some[STRETCH];
	for (uint64_t i = 0, n; i < t->count; i += n) {
		n = t->count - i < STRETCH ? t->count - i : STRETCH;
		TRY(weights_read_f32(t, i, n, some));
		TRY(checkpoint_check_finite(t, some, n));
	}
	return OK;
}

enum err
checkpoint_finite(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->wanted[i].optional)
			TRY(tensor_finite(c->found[i]));
	return OK;
}

static enum err
map(struct checkpoint *c, struct model *m)
{
	TRY(model_new(m, &c->plan.config, false));
	enum err err = stored_new(&m->stored, c);
	if (err != OK)
		model_free(m);
	return err;
}

static enum err
load(const struct checkpoint *c, struct model *m)
{
	TRY(model_new(m, &c->plan.config, true));
	enum err err = checkpoint_read(c, m->params);
	if (err != OK)
		model_free(m);
	return err;
}

enum err
checkpoint_map(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = map(&c, m);
	checkpoint_close(&c);
	return err;
}

enum err
checkpoint_load(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = load(&c, m);
	checkpoint_close(&c);
	return err;
}

static size_t
map_above(void)
{
	const char *wish = getenv("BYLINE_MAP_ABOVE");
	char *end;
	if (!wish || *wish < '0' || *wish > '9')
		return MAP_ABOVE;
	unsigned long long n = strtoull(wish, &end, 10);
	return *end == '\0' ? (size_t)n : MAP_ABOVE;
}

enum err
checkpoint_run(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = c.plan.n_params > map_above() ? map(&c, m) : load(&c, m);
	if (err == ERR_UNSUPPORTED)
		err = load(&c, m);
	checkpoint_close(&c);
	return err;
}

enum err
checkpoint_verify(const char *path)
{
	struct checkpoint c;
	TRY(checkpoint_open(&c, path));
	enum err err = checkpoint_finite(&c);
	checkpoint_close(&c);
	return err;
}
