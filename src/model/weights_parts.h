/* weights_parts: what the files of the weights share; private to the model floor. */
#ifndef BYLINE_MODEL_WEIGHTS_PARTS_H
#define BYLINE_MODEL_WEIGHTS_PARTS_H

#include <jansson.h>

#include "byline/weights.h"

/* Git's large files leave a small text in place of the file when they were not fetched. ERR_FORMAT when the n bytes
 * are one; `what` is what should have been there: "the weights". */
enum err pointer_refuse(const char *path, const void *data, size_t n, const char *what);
/* A JSON file that may be such a pointer. */
enum err pointer_json(const char *path, size_t limit, const char *what, json_t **out);

void weights_add(struct weights *w, const struct weights_tensor *t);
void weights_add_file(struct weights *w, const struct st_file *f);
/* After the last weights_add: sorts; ERR_FORMAT when a name is there twice. */
enum err weights_seal(struct weights *w);

/* ---- model.safetensors.index.json (weights_shards.c) ---- */

struct shard_entry { const char *tensor, *shard; };	/* borrowed from the JSON */

struct shard_index {
	json_t *root;
	struct shard_entry *entries;
	size_t n;
	const char **shards;		/* each once, in byte order */
	size_t n_shards;
};

/* `name` is what messages call the file. Names of shards are names in the same directory, nothing else. */
enum err shard_index_parse(struct shard_index *x, const char *text, size_t n, const char *name);
enum err shard_index_load(struct shard_index *x, const char *path);
void shard_index_free(struct shard_index *x);		/* safe on a zeroed struct */
/* The tensors found (sealed) are those of the index, each in its file. */
enum err shard_index_match(const struct shard_index *x, const struct weights *w);
enum err weights_open_shards(struct weights *w);	/* w->path is the index */

#endif
