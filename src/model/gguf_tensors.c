/* gguf: the list of tensors, and where they lie. */
#include "byline/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "gguf_parts.h"

#define READ_TYPES "F32, F16, BF16 and Q8_0 are: take such a file of the same model, or widen this one with " \
	"`llama-quantize --allow-requantize FILE NEW F16`"

enum { TENSORS_MAX = 1 << 20, NAME_BYTES_MAX = 255 };

/* ---- types of tensors: those with a size are read ---- */

static const struct { const char *name; uint32_t block, bytes; } types[] = {
	[GGUF_TYPE_F32] = {"F32", 1, 4}, [GGUF_TYPE_F16] = {"F16", 1, 2}, [2] = {"Q4_0"}, [3] = {"Q4_1"},
	[4] = {"Q4_2"}, [5] = {"Q4_3"}, [6] = {"Q5_0"}, [7] = {"Q5_1"}, [GGUF_TYPE_Q8_0] = {"Q8_0", 32, 34},
	[9] = {"Q8_1"}, [10] = {"Q2_K"}, [11] = {"Q3_K"}, [12] = {"Q4_K"}, [13] = {"Q5_K"}, [14] = {"Q6_K"},
	[15] = {"Q8_K"}, [16] = {"IQ2_XXS"}, [17] = {"IQ2_XS"}, [18] = {"IQ3_XXS"}, [19] = {"IQ1_S"}, [20] = {"IQ4_NL"},
	[21] = {"IQ3_S"}, [22] = {"IQ2_S"}, [23] = {"IQ4_XS"}, [24] = {"I8"}, [25] = {"I16"}, [26] = {"I32"},
	[27] = {"I64"}, [28] = {"F64"}, [29] = {"IQ1_M"}, [GGUF_TYPE_BF16] = {"BF16", 1, 2}, [31] = {"Q4_0_4_4"},
	[32] = {"Q4_0_4_8"}, [33] = {"Q4_0_8_8"}, [34] = {"TQ1_0"}, [35] = {"TQ2_0"}, [36] = {"IQ4_NL_4_4"},
	[37] = {"IQ4_NL_4_8"}, [38] = {"IQ4_NL_8_8"}, [39] = {"MXFP4"}, [40] = {"NVFP4"}, [41] = {"Q1_0"},
};

const char *
gguf_type_name(uint32_t type)
{
	return type < ARRAY_LEN(types) ? types[type].name : NULL;
}

/* ---- tensors ---- */

static enum err
bad(const struct gguf *g, const struct gguf_tensor *t, const char *what)
{
	return err_set(ERR_FORMAT, "%s: tensor \"%s\": %s", g->path, t->name, what);
}

static enum err
parse_dims(const struct gguf *g, struct gguf_cursor *c, struct gguf_tensor *t)
{
	uint32_t n = 0;
	TRY(gguf_take(c, &n, sizeof(n), t->name));
	if (n < 1 || n > GGUF_MAX_DIMS)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" has %" PRIu32 " dimensions, must have from 1 to %d",
			g->path, t->name, n, GGUF_MAX_DIMS);
	t->n_dims = (int)n;
	t->count = 1;
	for (uint32_t i = 0; i < n; i++) {
		TRY(gguf_take(c, &t->dims[i], sizeof(t->dims[i]), t->name));
		if (t->dims[i] == 0)
			return bad(g, t, "a dimension is 0");
		if (__builtin_mul_overflow(t->count, t->dims[i], &t->count))
			return bad(g, t, "the product of its dimensions overflows");
	}
	return OK;
}

static enum err
parse_type(const struct gguf *g, struct gguf_cursor *c, struct gguf_tensor *t)
{
	uint32_t type = 0;
	TRY(gguf_take(c, &type, sizeof(type), t->name));
	const char *name = gguf_type_name(type);
	if (!name)
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" is of type %" PRIu32 ", which is not known here: "
			"newer than this program, or broken; " READ_TYPES, g->path, t->name, type);
	if (types[type].bytes == 0)
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" is of type %s, which is not supported; "
			READ_TYPES, g->path, t->name, name);
	t->type = (int)type;
	if (t->dims[0] % types[type].block != 0)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" is of type %s and %" PRIu64 " wide, which is no multiple "
			"of %" PRIu32, g->path, t->name, name, t->dims[0], types[type].block);
	if (__builtin_mul_overflow(t->count / types[type].block, (uint64_t)types[type].bytes, &t->size))
		return bad(g, t, "its size in bytes overflows");
	return OK;
}

static enum err
parse_tensor(const struct gguf *g, struct gguf_cursor *c, struct gguf_tensor *t)
{
	TRY(gguf_take_name(c, &t->name, NAME_BYTES_MAX, "the list of tensors"));
	TRY(parse_dims(g, c, t));
	TRY(parse_type(g, c, t));
	TRY(gguf_take(c, &t->offset, sizeof(t->offset), t->name));
	return t->offset % g->alignment == 0 ? OK : err_set(ERR_FORMAT,
		"%s: tensor \"%s\" begins at byte %" PRIu64 " of the data, which is no multiple of %" PRIu64,
		g->path, t->name, t->offset, g->alignment);
}

static int
name_cmp(const void *a, const void *b)
{
	const struct gguf_tensor *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static enum err
check_names(struct gguf *g)
{
	if (g->n_tensors > 0)
		qsort(g->tensors, g->n_tensors, sizeof(*g->tensors), name_cmp);
	for (size_t i = 1; i < g->n_tensors; i++)
		if (strcmp(g->tensors[i - 1].name, g->tensors[i].name) == 0)
			return bad(g, &g->tensors[i], "is there twice");
	return OK;
}

enum err
gguf_parse_tensors(struct gguf *g, struct gguf_cursor *c, uint64_t n)
{
	enum { SMALLEST = 8 + 1 + 4 + 8 + 4 + 8 };
	if (n > TENSORS_MAX)
		return err_set(ERR_LIMIT, "%s: says it has %" PRIu64 " tensors, at most %d are read", g->path, n,
			TENSORS_MAX);
	if (n > gguf_room(c) / SMALLEST)
		return gguf_cut_short(c, "the list of tensors");
	TRY(mem_array(&g->tensors, n, sizeof(*g->tensors), "tensor table"));
	while (g->n_tensors < n)
		TRY(parse_tensor(g, c, &g->tensors[g->n_tensors++]));
	return check_names(g);
}

/* ---- where they lie ---- */

static int
offset_cmp(const void *a, const void *b)
{
	const struct gguf_tensor *x = a, *y = b;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* n rounded up to the alignment, or all ones when that is not a number. */
static uint64_t
aligned(const struct gguf *g, uint64_t n)
{
	uint64_t up;
	return __builtin_add_overflow(n, g->alignment - 1, &up) ? UINT64_MAX : up & ~(g->alignment - 1);
}

/* Nothing but padding may lie between the tensors and after them: it would travel with the file unseen. */
enum err
gguf_place_tensors(struct gguf *g, uint64_t begin)
{
	uint64_t data = aligned(g, begin), space = g->map.size > data ? g->map.size - data : 0, at = 0;
	if (g->n_tensors > 0)
		qsort(g->tensors, g->n_tensors, sizeof(*g->tensors), offset_cmp);
	for (size_t i = 0; i < g->n_tensors; i++) {
		struct gguf_tensor *t = &g->tensors[i];
		if (t->offset != aligned(g, at))
			return bad(g, t, t->offset < at ? "overlaps the one before it" : "leaves a gap before it");
		if (t->offset > space || t->size > space - t->offset)
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" ends %" PRIu64 " bytes after the file: it is "
				"truncated or broken", g->path, t->name,
				t->size - (space - (t->offset < space ? t->offset
				: space)));
		t->data = g->map.data + data + t->offset;
		at = t->offset + t->size;
	}
	if (space > at && space - at >= g->alignment)
		return err_set(ERR_FORMAT, "%s: %" PRIu64 " bytes follow the last tensor", g->path, space - at);
	return OK;
}
