/*
 * checkpoint: Hugging Face directories both ways (config.json, model.safetensors, tokenizer.json).
 */
#ifndef BYLINE_CHECKPOINT_H
#define BYLINE_CHECKPOINT_H

#include "byline/err.h"
#include "byline/hash.h"
#include "byline/model.h"
#include "byline/safetensors.h"
#include "byline/tokenizer.h"

/* Loads config and weights. Missing, surplus, misshapen or non-finite tensors are named. The model is the caller's. */
enum err checkpoint_load(const char *dir, struct model *m);
/* tokenizer.json of the directory, checked against the model's vocabulary (vocab may be larger). */
enum err checkpoint_tokenizer(const char *dir, const struct model *m, struct tokenizer **out);
/* SHA-256 of model.safetensors. */
enum err checkpoint_hash(const char *dir, char hex[HASH_HEX]);

/* Writes config.json, model.safetensors (dtype F32, F16 or BF16; params may differ from m->params) and, when t is not
 * NULL, tokenizer.json, tokenizer_config.json and generation_config.json. Each file is replaced atomically, the weights
 * last. */
enum err checkpoint_save(const char *dir, const struct model *m, const float *params, const struct tokenizer *t,
	enum st_dtype dtype);

#endif
