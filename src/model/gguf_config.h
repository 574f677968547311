/* gguf_config: what the architectures of GGUF files are in our words; private to the model floor. */
#ifndef BYLINE_MODEL_GGUF_CONFIG_H
#define BYLINE_MODEL_GGUF_CONFIG_H

#include "arch.h"
#include "gguf_parts.h"

/* A key of the file's metadata, without the architecture before it, and config.json's. A table ends with NULL. */
struct gguf_meta_key { const char *meta, *key; enum { META_INT, META_REAL, META_BOOL } kind; bool required; };

struct gguf_arch {
	const char *name, *model_type;		/* general.architecture; config.json's model_type */
	const struct gguf_meta_key *keys, *own;
	const char *act_key, *act;		/* the activation, which the file does not say */
	const char *partial;			/* config.json's key for the part of a head that turns; NULL: all */
	const char *scalar;			/* the key for what scores are divided by the root of, or NULL: the
						 * width of a head, but the width of the model over the heads in the
						 * largest one, which has so many layers */
	int scalar_layers;
	const char *windowed;			/* model_type of files with a window of positions; NULL: none has one */
	int every;				/* every so manieth layer has no window then; 0: all have one */
	const char *rope_off;			/* a key that is false where nothing turns, or NULL */
	bool one_kv;				/* one key and value for all heads, or the rows are in an order that no
						 * file says */
	bool norms_told;			/* attention and MLP stand side by side; with a norm each, attention's
						 * is "attn_norm_2" */
	bool paired;				/* rows of queries and keys are in the order of rotary pairs */
	bool gated_up;				/* "ffn_up" has the rows of the gate, then those of up */
	bool norm_tells;			/* whether residuals are parallel only the second norm says: old
						 * converters wrote use_parallel_residual whatever the model was */
};

enum err gguf_arch_find(const struct gguf *g, const struct gguf_arch **out);
/* The head is the embedding: there is none in the file, or it is the same bytes. */
bool gguf_tied(const struct weights *w);

/* ---- building a config.json ---- */

#define GGUF_COUNT_MAX ((int64_t)1 << 31)

/* Where we are; names of keys have the architecture before them. */
struct gguf_build {
	const struct weights *w;
	const struct gguf *g;
	const struct gguf_arch *arch;
	json_t *root;
};

/* "ARCHITECTURE.key", in buf. */
const char *gguf_meta(const struct gguf_build *b, const char *key, char buf[96]);
/* 1e-05f is meant as 1e-5: the shortest decimal that is the same float. */
double gguf_as_written(double v);
/* Which layers see a window of positions (gguf_windows.c). */
enum err gguf_set_windows(const struct gguf_build *b);
/* rope_scaling and the part of a head that turns; the other keys are in b->root already (gguf_rotary.c). */
enum err gguf_set_rotary(const struct gguf_build *b);

/* ---- tensors ---- */

/* As arch_file_tensors, with GGUF's names and layout (gguf_names.c). */
enum err gguf_file_tensors(const struct weights *w, const struct model *m, struct file_tensor **out, size_t *n);
/* Is this a name that GGUF files carry besides? */
bool gguf_ignored(const char *name);

#endif
