/*
 * The tokenizer of a directory: tokenizer.json, or the older vocab.json and merges.txt, which are put together into a
 * tokenizer.json as `transformers` does for the tokenizer's class. What else may lie there is refused by name.
 */
#include "config.h"	/* _GNU_SOURCE, for memmem */

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "tok_dir.h"
#include "weights_parts.h"

enum { VOCAB_MAX = 64 << 20, SIDE_MAX = 16 << 20 };

/* ---- classes ---- */

static const char qwen2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
	" ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/* `model`: the beginning of config.json's model_type, for directories that do not name the class. */
static const struct tokenizer_class classes[] = {
	{"GPT2Tokenizer", "gpt2", NULL, false, "<|endoftext|>"},
	{"CodeGenTokenizer", "codegen", NULL, false, "<|endoftext|>"},
	{"GPTNeoXTokenizer", "gpt_neox", NULL, true, "<|endoftext|>"},
	{"Qwen2Tokenizer", "qwen", qwen2, true, NULL},
};

static bool
is_class(const char *given, const char *name)
{
	size_t n = strlen(name);
	return strncmp(given, name, n) == 0 && (given[n] == '\0' || strcmp(given + n, "Fast") == 0);
}

/* With the command that makes a tokenizer.json. */
static enum err
refuse(enum err code, const char *dir, const char *what, const char *why)
{
	struct str word = {0};
	text_shell(&word, dir);
	err_set(code, "%s: %s (%s); make one: python3 -c \"import sys; from transformers import AutoTokenizer as A; "
		"A.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[1])\" %s", dir, what, why, word.s);
	str_free(&word);
	return code;
}

static enum err
class_find(const char *dir, const json_t *config, const json_t *model, const struct tokenizer_class **out)
{
	const char *name, *type;
	TRY(json_opt_str(config, "tokenizer_config.json", "tokenizer_class", "", &name));
	TRY(json_opt_str(model, "config.json", "model_type", "", &type));
	*out = &classes[0];
	bool generic = !*name || is_class(name, "PreTrainedTokenizer");
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (generic ? strncmp(type, classes[i].model, strlen(classes[i].model)) == 0
			: is_class(name, classes[i].name)) {
			*out = &classes[i];
			return OK;
		}
	return generic ? OK : refuse(ERR_UNSUPPORTED, dir,
		"there is no tokenizer.json, and vocab.json is of a class that is not supported", name);
}

/* ---- merges.txt ---- */

static enum err
add_line(json_t *merges, const char *s, size_t n, const char *path, size_t line)
{
	json_t *value = utf8_valid(s, n) ? json_stringn(s, n) : NULL;
	if (!value)
		return err_set(ERR_FORMAT, "%s: line %zu is not UTF-8", path, line);
	json_array_append_new(merges, value);
	return OK;
}

enum err
tokenizer_merges(const char *text, size_t n, const char *path, json_t *merges)
{
	if (memmem(text, n, "</w>\n", 5))
		return err_set(ERR_UNSUPPORTED, "%s: BPE with end_of_word_suffix is not supported", path);
	for (size_t at = 0, line = 1; at < n; line++) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t next = end ? (size_t)(end - text) + 1 : n, to = end ? next - 1 : n;
		if (to > at && text[to - 1] == '\r')
			to--;
		bool version = to - at >= 8 && memcmp(text + at, "#version", 8) == 0;
		if (to > at && !version)
			TRY(add_line(merges, text + at, to - at, path, line));
		at = next;
	}
	return OK;
}

/* ---- the directory ---- */

/* {} when it is not there. */
static enum err
side_file(const char *dir, const char *name, json_t **out)
{
	char *path = path_join(dir, name);
	enum err err = OK;
	if (!file_exists(path))
		*out = json_object();
	else
		err = pointer_json(path, SIDE_MAX, name, out);
	if (err == OK && !json_is_object(*out))
		err = err_set(ERR_FORMAT, "%s: is not a JSON object", path);
	free(path);
	return err;
}

static enum err
read_merges(const char *dir, json_t *merges)
{
	char *path = path_join(dir, "merges.txt");
	struct str text = {0};
	enum err err;
	TRY_OUT(file_read(path, VOCAB_MAX, &text));
	str_add(&text, "", 0);
	TRY_OUT(pointer_refuse(path, text.s, text.len, "the merges"));
	err = tokenizer_merges(text.s, text.len, path, merges);
out:
	str_free(&text);
	free(path);
	return err;
}

static void
pair_free(struct tokenizer_pair *p)
{
	json_decref(p->vocab);
	json_decref(p->merges);
	json_decref(p->config);
	json_decref(p->specials);
	json_decref(p->added);
}

static enum err
load_pair(struct tokenizer **out, const char *dir)
{
	char *path = path_join(dir, "vocab.json"), *both = path_join(dir, "vocab.json with merges.txt");
	struct tokenizer_pair p = { .merges = json_array() };
	json_t *model = NULL;
	enum err err;
	TRY_OUT(pointer_json(path, VOCAB_MAX, "the vocabulary", &p.vocab));
	TRY_OUT(read_merges(dir, p.merges));
	TRY_OUT(side_file(dir, "tokenizer_config.json", &p.config));
	TRY_OUT(side_file(dir, "special_tokens_map.json", &p.specials));
	TRY_OUT(side_file(dir, "added_tokens.json", &p.added));
	TRY_OUT(side_file(dir, "config.json", &model));
	TRY_OUT(class_find(dir, p.config, model, &p.class));
	err = tokenizer_of_pair(out, &p, both);
out:
	pair_free(&p);
	json_decref(model);
	free(path);
	free(both);
	return err;
}

static enum err
missing(const char *dir)
{
	static const struct { const char *file, *is; } others[] = {
		{"tokenizer.model", "tokenizer.model is SentencePiece's"},
		{"spiece.model", "spiece.model is SentencePiece's"},
		{"vocab.json", "vocab.json lacks its merges.txt"}, {"merges.txt", "merges.txt lacks its vocab.json"},
		{"vocab.txt", "vocab.txt is of a WordPiece tokenizer, which is not supported even then"},
	};
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (file_in_dir(dir, others[i].file))
			return refuse(ERR_MISSING, dir, "there is no tokenizer.json", others[i].is);
	return err_set(ERR_MISSING, "%s: there is no tokenizer.json", dir);
}

enum err
tokenizer_load_dir(struct tokenizer **out, const char *dir)
{
	*out = NULL;
	if (file_in_dir(dir, "tokenizer.json")) {
		char *path = path_join(dir, "tokenizer.json");
		enum err err = tokenizer_load(out, path);
		free(path);
		return err;
	}
	return file_in_dir(dir, "vocab.json") && file_in_dir(dir, "merges.txt") ? load_pair(out, dir) : missing(dir);
}
