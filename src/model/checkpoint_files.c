/* checkpoint: what lies beside the weights, and which weights they are. */
#include "byline/checkpoint.h"

#include <stdlib.h>

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
tokenizer_missing(const char *dir)
{
	if (dir_has(dir, "vocab.json") || dir_has(dir, "tokenizer.model"))
		return err_set(ERR_MISSING,
			"%s: there is no tokenizer.json; make one: python3 -c \"from transformers import "
			"AutoTokenizer as A; A.from_pretrained('%s').save_pretrained('%s')\"", dir, dir, dir);
	return err_set(ERR_MISSING, "%s: there is no tokenizer.json", dir);
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
	if (dir_has(path, "tokenizer.json")) {
		file = path_join(path, "tokenizer.json");
		err = tokenizer_load(out, file);
	} else if (weights_locate(path, &container, &file) == OK && container == WEIGHTS_GGUF) {
		err = tokenizer_of_gguf(file, out);
	} else {
		err = tokenizer_missing(path);
	}
	free(file);
	return err;
}

enum err
checkpoint_tokenizer(const char *path, const struct model *m, struct tokenizer **out)
{
	*out = NULL;
	TRY(tokenizer_find(path, out));
	if (tokenizer_size(*out) <= m->config.vocab)
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
