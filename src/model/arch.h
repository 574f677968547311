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
 * Rows of one tensor of a weights file, and where they live in the flat vector. A matrix of the file is (file_rows,
 * cols), or (cols, file_rows) when `transposed`; a vector (`n_dims` 1) has file_rows elements. Its row `from` + r, plus
 * `plus`, is row `row` + r of our tensor:
 *   our element (r, c) = params[tensor->at + (size_t)(row + r) * tensor->cols + c], r < rows.
 * Every element of the flat vector is covered by exactly one entry that is not optional; those of one tensor of the
 * file stand together, in the order of its rows, and cover it.
 */
struct file_tensor {
	char name[64];			/* as we write it: "model.layers.3.self_attn.q_proj.weight" */
	const struct tensor *tensor;	/* ours, of the model's table: role, bias and layer are there */
	int row, rows, cols, n_dims;
	int from, file_rows;		/* 0 and rows, where the file's tensor is one of ours or a part of it */
	bool transposed;
	int paired;			/* the rows of each of so many heads are in the order of rotary pairs:
					 * 0, n/2, 1, n/2 + 1...; 0: as ours */
	bool optional;			/* never written; if a file has it, it must have this shape, and its values are
					 * not read */
	float plus;			/* Gemma keeps its gains less 1 (its GGUF files do not) */
};

/* What a key of config.json sets: a field of struct model_config. A KEY_SIZE is a number from 0 up, and 0 when null; a
 * KEY_FACTOR is above 0, and so is a KEY_WHOLE, which others want to be an integer; a KEY_ACT with a negative fallback
 * leaves what is there; a KEY_SAME, if there at all, must be what an earlier key made of the field. */
enum key_kind { KEY_INT, KEY_REAL, KEY_SIZE, KEY_FACTOR, KEY_WHOLE, KEY_BOOL, KEY_ACT, KEY_TOKEN, KEY_SAME };

struct config_key {
	const char *name;
	enum key_kind kind;
	size_t at;			/* offset of the field */
	bool required;
	double fallback;		/* when the key is absent; 0 for an int: worked out from the other fields */
};
#define FIELD(name) offsetof(struct model_config, name)

/* A key whose value, if there at all, must be this, or null: what it would change is not in our forward pass. */
struct config_must {
	const char *name;
	bool value;
	bool null;			/* no value at all is allowed */
};

/* Which rows of a tensor of the file are which of ours: all; those of our fused tensor that are queries, keys or
 * values; for each key-value head its queries, its key and its value, where the file's tensor is fused that way; all of
 * ours from the first or the second half of the file's. */
enum part { WHOLE, PART_Q, PART_K, PART_V, PART_HEADS, PART_FIRST, PART_SECOND };

/* Which models of a family call it so: all; those whose attention and MLP stand side by side, each with its norm; the
 * others. */
enum norms_names { NORMS_ANY, NORMS_BESIDE, NORMS_OTHERWISE };

struct tensor_name {
	const char *pattern;		/* '#' stands for the layer */
	enum tensor_role role;
	bool bias;
	enum part part;
	bool transposed;
	enum norms_names norms;
};

/* How a config says which layers see a window of positions (config_windows.c). */
enum window_keys { WINDOWS_ABSENT, WINDOWS_SLIDING, WINDOWS_QWEN, WINDOWS_ALTERNATE, WINDOWS_NEO, WINDOWS_GEMMA3,
	WINDOWS_OLMO3, WINDOWS_SMOLLM3, WINDOWS_COHERE2 };

/* How a config says how positions turn (config_rope.c): for all layers; for those with a window and the others; not at
 * all. */
enum rotary_keys { ROTARY_ONE, ROTARY_TWO, ROTARY_SILENT };

/* One family of models. The tables end with a NULL name. */
struct arch {
	const char *family, *class_name;
	const char *prefix;		/* that files may leave out */
	struct model_config base;	/* what no key says */
	bool always_mha;		/* as many key-value heads as heads, of d_model / n_head: no key says
					 * otherwise */
	bool gains_less_one;		/* the file's RMSNorm gains are ours less 1 */
	bool gelu_is_tanh;		/* by "gelu" its first configs meant the tanh form */
	enum window_keys windows;
	enum rotary_keys rotary;
	bool turns_part;		/* config.json may say that a part of each head turns, though all does as a rule
					 * (base.rotary_part: a part does) */
	const char *theta_key, *part_key;	/* older names of rope_theta and partial_rotary_factor; NULL: those */
	const char *local_key;			/* ROTARY_TWO: what local layers' theta was called; NULL: rope_theta */
	const struct config_key *keys;
	const struct config_must *musts;
	const struct tensor_name *names;
	const char *const *ignored;
	/* What several keys of this family alone say of parallel, shared_norm and n_kv_head; can they be written? NULL:
	 * nothing. */
	enum err (*parse_blocks)(struct model_config *c, const json_t *root, const char *name);
	bool (*check_blocks)(const struct model_config *c);
	void (*write_blocks)(const struct model_config *c, json_t *root);
};

/* arch_llama.c, arch_norms.c, arch_gpt.c, arch_falcon.c, arch_bigcode.c */
extern const struct arch llama_archs[], norms_archs[], gpt_archs[], falcon_archs[], bigcode_archs[];
extern const size_t n_llama_archs, n_norms_archs, n_gpt_archs, n_falcon_archs, n_bigcode_archs;

const struct arch *arch_find(const char *family);	/* NULL: unknown */

/* All of them, in the order in which we write; the caller frees. Optional ones come last (tied models: the head). */
enum err arch_file_tensors(const struct model *m, struct file_tensor **out, size_t *n);

/* `name` without the prefix that this family's files may leave out ("transformer.wte.weight" -> "wte.weight"), or NULL
 * when it has none. A reader looks for the name, then for this. */
const char *arch_short_name(const struct model *m, const char *name);

/* Is this a name that files of this family carry and nobody needs (attention masks, rotary tables)? */
bool arch_ignored(const struct model *m, const char *name);

bool role_is_norm(enum tensor_role role);

/* ---- config.c, config_rope.c, config_longrope.c, config_windows.c ---- */

enum { CONFIG_COUNT_MAX = 1 << 20 };		/* of anything that is counted */
const char *config_act_name(enum act_kind act);

/* What several keys say together. */

enum err config_parse_rope(struct model_config *c, const struct arch *arch, const json_t *root, const char *name);
void config_write_rope(const struct model_config *c, const struct arch *arch, json_t *root);
enum err config_parse_longrope(struct model_config *c, const json_t *root, const json_t *rope, const char *name);
void config_write_longrope(const struct model_config *c, json_t *root, json_t *rope);
enum err config_parse_windows(struct model_config *c, const struct arch *arch, const json_t *root, const char *name);
void config_write_windows(const struct model_config *c, const struct arch *arch, json_t *root);

/* ERR_UNSUPPORTED, with a message that names this family and the ones there are. `name` is the file. */
enum err arch_refuse(const char *family, const char *name);

#endif
