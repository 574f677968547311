/* checkpoint: what lies beside the weights, and which weights they are. */
#include "byline/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/weights.h"
#include "gguf_parts.h"

enum { SIDE_MAX = 16 << 20 };

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
	bool dir = file_is_dir(path), has = file_in_dir(path, "tokenizer.json") || file_in_dir(path, "vocab.json");
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
	enum err err = m ? tokenizer_fit(*out, m->config.vocab, path) : OK;
	if (err == OK)
		return OK;
	tokenizer_free(*out);
	*out = NULL;
	return err;
}

/* `transformers` always writes which version of it wrote a config.json, and byline never does. */
static enum err
is_ours(const char *dir, bool *ours)
{
	static const char *const names[] = { "config.json", "tokenizer_config.json" };
	json_t *file[ARRAY_LEN(names)] = {0};
	const char *class = "";
	enum err err = OK;
	*ours = false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!file_in_dir(dir, names[i]))
			goto out;
		char *path = path_join(dir, names[i]);
		err = json_parse_file(path, SIDE_MAX, &file[i]);
		free(path);
		TRY_OUT(err);
	}
	TRY_OUT(json_opt_str(file[1], names[1], "tokenizer_class", "", &class));
	*ours = strcmp(class, "PreTrainedTokenizerFast") == 0 && !json_object_get(file[0], "transformers_version");
out:
	json_decref(file[0]);
	json_decref(file[1]);
	return err;
}

enum err
checkpoint_begin(const char *path, const struct model *m, const struct tokenizer *t, int32_t *bos)
{
	const int32_t *before;
	size_t n = tokenizer_before(t, &before);
	bool ours = false;
	*bos = -1;
	if (n > 1)
		return err_set(ERR_UNSUPPORTED, "%s: its tokenizer puts %zu tokens before every text, one is read",
			path, n);
	if (n == 0)
		TRY(is_ours(path, &ours));
	*bos = n == 1 ? before[0] : ours ? m->config.bos : -1;
	return OK;
}

enum err
checkpoint_hash(const char *path, char hex[HASH_HEX])
{
	return weights_hash(path, hex);
}
