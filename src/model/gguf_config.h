/* gguf_config: what the architectures of GGUF files are in our words; private to the model floor. */
#ifndef BYLINE_MODEL_GGUF_CONFIG_H
#define BYLINE_MODEL_GGUF_CONFIG_H

#include "arch.h"
#include "gguf_parts.h"

struct meta_key;

struct gguf_arch {
	const char *name, *model_type;		/* general.architecture; config.json's model_type */
	const struct meta_key *keys, *own;
	const char *act_key, *act;		/* the activation, which the file does not say */
	const char *partial;			/* config.json's key for the part of a head that turns; NULL: all */
	bool paired;				/* rows of queries and keys are in the order of rotary pairs */
};

enum err gguf_arch_find(const struct gguf *g, const struct gguf_arch **out);
/* The head is the embedding: there is none in the file, or it is the same bytes. */
bool gguf_tied(const struct weights *w);

/* As arch_file_tensors, with GGUF's names and layout (gguf_names.c). */
enum err gguf_file_tensors(const struct weights *w, const struct model *m, struct file_tensor **out, size_t *n);
/* Is this a name that GGUF files carry besides? */
bool gguf_ignored(const char *name);

#endif
