/*
 * checkpoint: models as they lie on disk. Read: a Hugging Face directory (config.json, tokenizer.json, and
 * model.safetensors or several such files with an index) or a GGUF file, which has everything inside. Written: a
 * directory with model.safetensors. Where a `path` is wanted, a directory or a GGUF file may be given.
 */
#ifndef BYLINE_CHECKPOINT_H
#define BYLINE_CHECKPOINT_H

#include "byline/err.h"
#include "byline/hash.h"
#include "byline/model.h"
#include "byline/safetensors.h"
#include "byline/tokenizer.h"

/* Loads config and weights. Missing, surplus, misshapen or non-finite tensors are named. The model is the caller's. */
enum err checkpoint_load(const char *path, struct model *m);
/* The same without reading the weights: params is NULL, and passes of generate.h take them from the file, mapped, as
 * they lie (F32, F16, BF16, Q8_0; ERR_UNSUPPORTED for others). What is not finite there is found when it is met. */
enum err checkpoint_map(const char *path, struct model *m);
/* Either, by the size of the model: where they can be, those of more parameters than $BYLINE_MAP_ABOVE, or 2^25, are
 * mapped. */
enum err checkpoint_run(const char *path, struct model *m);
/* What checkpoint_load would say of it, without its memory. */
enum err checkpoint_verify(const char *path);
/* The config alone; the weights are not looked at, except those of a GGUF file, of which the shapes are. */
enum err checkpoint_config(const char *path, struct model_config *config);
/* The directory's tokenizer (tokenizer_load_dir), that of a GGUF file, or a tokenizer.json by its name, checked against
 * the model's vocabulary (tokenizer_fit) unless m is NULL. */
enum err checkpoint_tokenizer(const char *path, const struct model *m, struct tokenizer **out);
/* The token that goes before every text, -1: none. The tokenizer's template says so, as in `transformers`; a checkpoint
 * that byline wrote has no template and begins with config.json's. ERR_UNSUPPORTED: the template puts several there. */
enum err checkpoint_begin(const char *path, const struct model *m, const struct tokenizer *t, int32_t *bos);
/* SHA-256 of the weights: weights_hash. */
enum err checkpoint_hash(const char *path, char hex[HASH_HEX]);

/* Writes config.json, model.safetensors (dtype F32, F16 or BF16; params may differ from m->params) and, when t is not
 * NULL, tokenizer.json, tokenizer_config.json and generation_config.json. Each file is replaced atomically, the weights
 * last. */
enum err checkpoint_save(const char *dir, const struct model *m, const float *params, const struct tokenizer *t,
	enum st_dtype dtype);

#endif
