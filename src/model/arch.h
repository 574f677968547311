/*
 * arch: what the files of each family call things. One table a family for config.json's keys and one for the tensors of
 * the weights file; private to the model floor (model, checkpoint).
 */
#ifndef BYLINE_MODEL_ARCH_H
#define BYLINE_MODEL_ARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "byline/model.h"

/*
 * One tensor of a weights file and where it lives in the flat vector. A matrix of the file is (rows, cols), or (cols,
 * rows) when `transposed`; a vector (`n_dims` 1) has rows elements. Its row r is row `row` + r of our tensor:
 *   our element (r, c) = params[tensor->at + (size_t)(row + r) * tensor->cols + c].
 * Every element of the flat vector is covered by exactly one file tensor that is not optional.
 */
struct file_tensor {
	char name[64];			/* as we write it: "model.layers.3.self_attn.q_proj.weight" */
	const struct tensor *tensor;	/* ours, of the model's table: role, bias and layer are there */
	int row, rows, cols, n_dims;
	bool transposed;
	int paired;			/* the rows of each of so many heads are in the order of rotary pairs:
					 * 0, n/2, 1, n/2 + 1...; 0: as ours */
	float excess;			/* by which the file's numbers are larger than ours */
	bool optional;			/* never written; if a file has it, it must have this shape, and its values are
					 * not read */
};

/* What a key of config.json sets: a field of struct model_config. */
enum key_kind { KEY_INT, KEY_REAL, KEY_BOOL, KEY_ACT, KEY_TOKEN };

struct config_key {
	const char *name;
	enum key_kind kind;
	size_t at;			/* offset of the field */
	bool required;
	double fallback;		/* when the key is absent; 0 for an int: worked out from the other fields */
};

/* A key whose value, if there at all, must be this: what it would change is not in our forward pass. */
struct config_must {
	const char *name;
	bool value;
};

enum part { WHOLE, PART_Q, PART_K, PART_V };	/* of our fused tensor */

struct tensor_name {
	const char *pattern;		/* '#' stands for the layer */
	enum tensor_role role;
	bool bias;
	enum part part;
	bool transposed;
};

/* One family of models. The tables end with a NULL name. */
struct arch {
	const char *family, *class_name;
	const char *prefix;		/* that files may leave out */
	enum norm_kind norm;
	enum pos_kind pos;
	enum mlp_kind mlp;
	bool always_bias;		/* biases that no key switches */
	bool always_mha;		/* as many key-value heads as heads, of d_model / n_head: no key says
					 * otherwise */
	const struct config_key *keys;
	const struct config_must *musts;
	const struct tensor_name *names;
	const char *const *ignored;
};

const struct arch *arch_find(const char *family);	/* NULL: unknown */

/* All of them, in the order in which we write; the caller frees. Optional ones come last (tied models: the head). */
enum err arch_file_tensors(const struct model *m, struct file_tensor **out, size_t *n);

/* `name` without the prefix that this family's files may leave out ("transformer.wte.weight" -> "wte.weight"), or NULL
 * when it has none. A reader looks for the name, then for this. */
const char *arch_short_name(const struct model *m, const char *name);

/* Is this a name that files of this family carry and nobody needs (attention masks, rotary tables)? */
bool arch_ignored(const struct model *m, const char *name);

/* ERR_UNSUPPORTED, with a message that names this family and the ones there are. `name` is the file. */
enum err arch_refuse(const char *family, const char *name);

#endif
