/* weights: which file holds them, and what to say when it is one that we do not read. */
#include "byline/weights.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "byline/utf8.h"
#include "gguf_parts.h"
#include "weights_parts.h"

/* ---- files that are not what their names say ---- */

enum err
pointer_refuse(const char *path, const void *data, size_t n, const char *what)
{
	static const char start[] = "version https://git-lfs";
	if (n < sizeof(start) - 1 || memcmp(data, start, sizeof(start) - 1) != 0)
		return OK;
	return err_set(ERR_FORMAT, "%s: is a Git LFS pointer, not %s: run `git lfs pull` where it came from", path,
		what);
}

enum err
pointer_json(const char *path, size_t limit, const char *what, json_t **out)
{
	struct str text = {0};
	*out = NULL;
	enum err err = file_read(path, limit, &text);
	if (err == OK)
		err = pointer_refuse(path, text.s, text.len, what);
	if (err == OK)
		err = json_parse(text.s, text.len, path, out);
	str_free(&text);
	return err;
}

/* ---- what a directory has instead ---- */

#define CONVERT "convert them: python3 -c \"import sys; from transformers import AutoModelForCausalLM as A; " \
	"A.from_pretrained(sys.argv[1]).save_pretrained('NEW')\" %s and copy tokenizer.json there"
#define RUNS_CODE "a format that can run code when it is opened"
#define SAVE "save them as model.safetensors with config.json"
#define ORIGINAL "which is not supported; use the original"
#define OTHER_NAMES "whose tensors have other names; get the model.safetensors of the same model"

/* The first row that a file of the directory matches speaks. */
static const struct refusal {
	const char *pattern, *is;
	bool convert;			/* transformers can */
} refusals[] = {
	{"adapter_config.json", "holds an adapter (LoRA), not a model: merge it into the model it was made for "
		"(merge_and_unload() of peft) and save that"},
	{"quantize_config.json", "the weights are quantised (GPTQ), " ORIGINAL},
	{"quant_config.json", "the weights are quantised (AWQ), " ORIGINAL},
	{"pytorch_model*.bin", "the weights are in pytorch_model.bin, " RUNS_CODE, true},
	{"pytorch_model.bin.index.json", "the weights are in pytorch_model.bin, " RUNS_CODE, true},
	{"consolidated*.safetensors", "the weights are in consolidated.safetensors, " OTHER_NAMES},
	{"consolidated*.pth", "the weights are in consolidated.pth, " RUNS_CODE ", " OTHER_NAMES},
	{"*.pt", "the weights are in a .pt file, " RUNS_CODE "; " SAVE},
	{"*.pth", "the weights are in a .pth file, " RUNS_CODE "; " SAVE},
	{"*.ckpt", "the weights are in a .ckpt file, " RUNS_CODE "; " SAVE},
	{"*.ckpt.index", "the weights are TensorFlow's, which is not supported", true},
	{"*.h5", "the weights are TensorFlow's (.h5), which is not supported", true},
	{"*.msgpack", "the weights are Flax's (.msgpack), which is not supported", true},
	{"*.onnx", "the weights are in an ONNX file, " ORIGINAL},
	{"*.bin", "the weights are in a .bin file, " RUNS_CODE, true},
};

struct listing {
	size_t n, n_gguf, n_safetensors;
	bool snapshots;			/* as the cache of huggingface_hub has them */
	int refusal;			/* row, ARRAY_LEN(refusals) when none */
	char *gguf;			/* the name of the first in byte order */
};

static void
listing_note(struct listing *l, const char *name)
{
	l->n++;
	l->snapshots |= strcmp(name, "snapshots") == 0;
	l->n_safetensors += fnmatch("*.safetensors", name, 0) == 0;
	if (fnmatch("*.gguf", name, 0) == 0) {
		l->n_gguf++;
		if (!l->gguf || strcmp(name, l->gguf) < 0) {
			free(l->gguf);
			l->gguf = xstrdup(name);
		}
	}
	for (int i = 0; i < l->refusal; i++)
		if (fnmatch(refusals[i].pattern, name, 0) == 0)
			l->refusal = i;
}

static enum err
listing_read(struct listing *l, const char *dir)
{
	*l = (struct listing){ .refusal = ARRAY_LEN(refusals) };
	DIR *d = opendir(dir);
	if (!d)
		return err_set(errno == ENOENT ? ERR_MISSING : ERR_IO, "cannot open %s: %s", dir, strerror(errno));
	for (const struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			listing_note(l, e->d_name);
	closedir(d);
	return OK;
}

static enum err
refuse(const struct refusal *r, const char *dir)
{
	if (r->convert) {
		struct str quoted = {0};
		text_shell(&quoted, dir);
		err_set(ERR_UNSUPPORTED, "%s: %s; " CONVERT, dir, r->is, quoted.s);
		str_free(&quoted);
		return ERR_UNSUPPORTED;
	}
	return err_set(ERR_UNSUPPORTED, "%s: %s", dir, r->is);
}

static enum err
missing(const struct listing *l, const char *dir, bool config)
{
	if (l->n == 0)
		return err_set(ERR_MISSING, "%s: is empty; a checkpoint has config.json and model.safetensors", dir);
	if (l->n_gguf > 0)
		return err_set(ERR_UNSUPPORTED, "%s: has %s; name the .gguf file that is meant (%s)", dir,
			config ? "config.json and a .gguf file" : "several .gguf files", l->gguf);
	if (l->refusal < (int)ARRAY_LEN(refusals))
		return refuse(&refusals[l->refusal], dir);
	if (l->snapshots)
		return err_set(ERR_MISSING, "%s: is a whole cache entry; name one snapshot, a directory below "
			"%s/snapshots", dir, dir);
	return err_set(ERR_MISSING, "%s: there is no model.safetensors%s", dir,
		l->n_safetensors > 0 ? ", but another safetensors file; is that it? Name it model.safetensors" : "");
}

/* ---- looking ---- */

static bool
take(const char *dir, const char *name, enum weights_container is, enum weights_container *container, char **file)
{
	if (!file_in_dir(dir, name))
		return false;
	*container = is;
	*file = path_join(dir, name);
	return true;
}

/* Marks of quantised weights that config.json does not always carry. */
static enum err
refuse_marks(const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (strncmp(refusals[i].pattern, "quant", 5) == 0 && file_in_dir(dir, refusals[i].pattern))
			return refuse(&refusals[i], dir);
	return OK;
}

/* One file, or as many as the name of the first says and these. */
static bool
is_one_gguf(const struct listing *l, const char *dir)
{
	int count = l->gguf ? gguf_part_count(l->gguf) : 0;
	bool all = (size_t)count == l->n_gguf;
	for (int i = 1; all && i <= count; i++) {
		char *name = gguf_part_path(l->gguf, i);
		all = file_in_dir(dir, name);
		free(name);
	}
	return all || l->n_gguf == 1;
}

/* Whichever part is named, the first is opened. */
static enum err
first_part(char **file)
{
	char *first = gguf_part_path(*file, 1), *named = *file;
	enum err err = OK;
	*file = first;
	if (!file_exists(first)) {
		err = err_set(ERR_MISSING, "%s: is missing, the first part of what %s is of", first, path_base(named));
		free(first);
		*file = NULL;
	}
	free(named);
	return err;
}

static enum err
locate_in(const char *dir, enum weights_container *container, char **file)
{
	struct listing l;
	TRY(refuse_marks(dir));
	if (take(dir, "model.safetensors", WEIGHTS_SINGLE, container, file) ||
		take(dir, "model.safetensors.index.json", WEIGHTS_SHARDED, container, file))
		return OK;
	TRY(listing_read(&l, dir));
	bool config = file_in_dir(dir, "config.json");
	enum err err = OK;
	if (!is_one_gguf(&l, dir) || config || !take(dir, l.gguf, WEIGHTS_GGUF, container, file))
		err = missing(&l, dir, config);
	else
		err = first_part(file);
	free(l.gguf);
	return err;
}

static enum err
refuse_file(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (!refusals[i].convert && fnmatch(refusals[i].pattern, path_base(path), 0) == 0)
			return refuse(&refusals[i], path);
	return err_set(ERR_UNSUPPORTED, "%s: is not a GGUF file; of other checkpoints, name the directory", path);
}

/* A single file can only be GGUF, whatever it is called: its config is inside. */
static enum err
locate_file(const char *path, enum weights_container *container, char **file)
{
	unsigned char start[32] = {0};
	int fd;
	TRY(file_open_regular(path, &fd));
	ssize_t n = read(fd, start, sizeof(start));
	close(fd);
	TRY(pointer_refuse(path, start, n > 0 ? (size_t)n : 0, "the weights"));
	if (n < 4 || memcmp(start, "GGUF", 4) != 0)
		return refuse_file(path);
	*container = WEIGHTS_GGUF;
	*file = xstrdup(path);
	return first_part(file);
}

enum err
weights_locate(const char *path, enum weights_container *container, char **file)
{
	*container = WEIGHTS_NONE;
	*file = NULL;
	if (file_exists(path) && !file_is_dir(path))
		return locate_file(path, container, file);
	return locate_in(path, container, file);
}
