/* bergson_plan: the modules of an index looked up in a model, and their random projections. See bergson_row.h. */
#include "bergson_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "bergson_random.h"

void
bergson_plan_free(struct bergson_plan *p)
{
	for (int i = 0; p->place && i < p->info->n_blocks; i++) {
		module_free(&p->place[i].module);
		free(p->place[i].left);
		free(p->place[i].right);
	}
	free(p->place);
	*p = (struct bergson_plan){0};
}

/* ---- attention heads: "MODULE.head_N" --------------------------------------------------------------------------- */

/* The length of MODULE, and N; 0 when the name is no head's. */
static size_t
head_split(const char *name, int *head)
{
	static const char mark[] = ".head_";
	const char *at = NULL;
	for (const char *p = name; (p = strstr(p, mark)) != NULL; p++)
		at = p;
	const char *digits = at ? at + strlen(mark) : "";
	size_t n = strspn(digits, "0123456789");
	if (n == 0 || n > 6 || digits[n])
		return 0;
	*head = atoi(digits);
	return (size_t)(at - name);
}

static int
heads_of(const struct bergson_info *info, const char *name, size_t length)
{
	int n = 0, head;
	for (int i = 0; i < info->n_blocks; i++) {
		const char *other = info->block[i].name;
		n += head_split(other, &head) == length && strncmp(other, name, length) == 0;
	}
	return n;
}

static enum err
place_head(struct bergson_place *p, const struct bergson_info *info, const char *name, size_t length, int head)
{
	int heads = heads_of(info, name, length);
	if (p->module.out % heads != 0 || head >= heads)
		return err_set(ERR_MISMATCH, "module %s: %d heads are listed, and the module has %d outputs", name,
			heads, p->module.out);
	p->rows = p->module.out / heads;
	p->from = head * p->rows;
	return OK;
}

/* ---- modules ---------------------------------------------------------------------------------------------------- */

static enum err
place_find(struct bergson_place *p, const struct module_names *names, const struct bergson_info *info, const char *name)
{
	int head = 0;
	size_t length = head_split(name, &head);
	char *base = length ? xstrndup(name, length) : xstrdup(name);
	enum err err = module_find(names, base, &p->module);
	if (err == ERR_MISSING)
		err = err_set(ERR_MISMATCH, "module %s of the index: the checkpoint has no such linear layer", name);
	free(base);
	TRY(err);
	p->rows = p->module.out;
	p->width = p->module.in + (info->projection.bias && p->module.bias ? 1 : 0);
	return length ? place_head(p, info, name, length, head) : OK;
}

static enum err
place_check(const struct bergson_place *p, const struct bergson_info *info, const struct bergson_block *b)
{
	uint64_t dim = (uint64_t)info->projection.dim, want = dim * dim;
	if (dim > 0 && b->size != want)
		return err_set(ERR_MISMATCH, "module %s: %llu columns; a projection to %llu x %llu has %llu", b->name,
			(unsigned long long)b->size, (unsigned long long)dim, (unsigned long long)dim,
			(unsigned long long)want);
	if (dim == 0 && b->size != (uint64_t)p->rows * (uint64_t)p->width)
		return err_set(ERR_MISMATCH, "module %s: %llu columns, and the checkpoint's gradient is %d x %d: "
			"not the checkpoint this index was built with", b->name, (unsigned long long)b->size, p->rows,
			p->width);
	return OK;
}

/* ---- projections ------------------------------------------------------------------------------------------------ */

static void
scale_row(float *row, int n, const struct bergson_projection *p)
{
	double squares = 0;
	for (int i = 0; i < n; i++)
		squares += (double)row[i] * row[i];
	double by = sqrt(p->row_norm ? squares : p->dim);
	for (int i = 0; i < n && by > 0; i++)
		row[i] = (float)(row[i] / by);
}

static enum err
side_make(float **out, const char *name, const char *side, int cols, const struct bergson_projection *p)
{
	struct bergson_matrix m;
	TRY(mem_array(out, (size_t)p->dim * (size_t)cols, sizeof(**out), "a random projection"));
	char *seed = p->seeded ? xasprintf("/seed%lld", (long long)p->seed) : xstrdup("");
	char *id = xasprintf("%s/%s%s", name, side, seed);
	bergson_matrix_begin(&m, id, p->version, p->normal, (size_t)cols);
	for (int i = 0; i < p->dim; i++) {
		float *row = *out + (size_t)i * (size_t)cols;
		bergson_matrix_row(&m, row);
		scale_row(row, cols, p);
	}
	free(id);
	free(seed);
	return OK;
}

/* The heads of a module share its inputs, which are projected before there are heads, by the module's own name; but not
 * where a bias adds a column to them. */
static enum err
place_project(struct bergson_place *p, const char *name, const struct bergson_projection *o)
{
	int head;
	size_t length = p->width > p->module.in ? 0 : head_split(name, &head);
	char *shared = length ? xstrndup(name, length) : xstrdup(name);
	enum err err = side_make(&p->left, name, "left", p->rows, o);
	if (err == OK)
		err = side_make(&p->right, shared, "right", p->width, o);
	free(shared);
	return err;
}

static enum err
plan_fill(struct bergson_plan *p, const struct module_names *names, bool matrices)
{
	const struct bergson_info *info = p->info;
	for (int i = 0; i < info->n_blocks; i++) {
		struct bergson_place *place = &p->place[i];
		const struct bergson_block *b = &info->block[i];
		TRY(place_find(place, names, info, b->name));
		TRY(place_check(place, info, b));
		for (int k = 0; k < place->module.n_parts; k++)
			p->roles |= UINT32_C(1) << p->model->linears[place->module.part[k].linear].role;
		if (matrices && info->projection.dim > 0)
			TRY(place_project(place, b->name, &info->projection));
	}
	return OK;
}

enum err
bergson_plan_make(struct bergson_plan *p, const struct model *m, const struct bergson_info *info, bool matrices)
{
	struct module_names *names;
	*p = (struct bergson_plan){ .model = m, .info = info };
	if (info->projection.global)
		return err_set(ERR_UNSUPPORTED, "projection_target global: byline reads projections of each module");
	TRY(module_names_new(m, &names));
	p->place = xcalloc((size_t)info->n_blocks, sizeof(*p->place));
	enum err err = plan_fill(p, names, matrices);
	module_names_free(names);
	if (err != OK)
		bergson_plan_free(p);
	return err;
}
