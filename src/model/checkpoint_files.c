/* checkpoint: what lies beside the weights, and which weights they are. */
#include "byline/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/weights.h"
#include "gguf_parts.h"

static bool
dir_has(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	bool has = file_exists(path);
	free(path);
	return has;
}

static enum err
tokenizer_of_gguf(const char *file, struct tokenizer **out)
{
	struct gguf g;
	TRY(gguf_open(&g, file));
	enum err err = gguf_tokenizer(&g, out);
	gguf_close(&g);
	return err;
}

/* A tokenizer.json beside a GGUF file is the original of what the file has. */
static enum err
tokenizer_find(const char *path, struct tokenizer **out)
{
	enum weights_container container;
	char *file = NULL;
	enum err err;
	bool dir = file_is_dir(path), has = dir_has(path, "tokenizer.json") || dir_has(path, "vocab.json");
	size_t n = strlen(path);
	if (!dir && n > 5 && strcmp(path + n - 5, ".json") == 0)
		return tokenizer_load(out, path);
	if (!has && weights_locate(path, &container, &file) == OK && container == WEIGHTS_GGUF)
		err = tokenizer_of_gguf(file, out);
	else if (dir || !file_exists(path))
		err = tokenizer_load_dir(out, path);
	else
		err = ERR_UNSUPPORTED;		/* weights_locate said why */
	free(file);
	return err;
}

enum err
checkpoint_tokenizer(const char *path, const struct model *m, struct tokenizer **out)
{
	*out = NULL;
	TRY(tokenizer_find(path, out));
	if (!m || tokenizer_size(*out) <= m->config.vocab)
		return OK;
	enum err err = err_set(ERR_MISMATCH, "%s: the tokenizer has ids up to %d, the model's vocabulary ends at %d",
		path, tokenizer_size(*out) - 1, m->config.vocab - 1);
	tokenizer_free(*out);
	*out = NULL;
	return err;
}

enum err
checkpoint_hash(const char *path, char hex[HASH_HEX])
{
	return weights_hash(path, hex);
}
