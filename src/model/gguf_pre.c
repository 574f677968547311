/* gguf: how a tokenizer splits text before its merges, which GGUF files say by a name (tokenizer.ggml.pre). */
#include "gguf_tokenizer.h"

#include <string.h>

#include "byline/mem.h"

#define QUOTES "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define WORDS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define SIGNS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(end) "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" end "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" end
#define SIGNS_SLASH " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"

/* What ByteLevel has built in; said where something follows it. */
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

static const char digits_by_three[] = QUOTES "|" WORDS "|\\p{N}{1,3}|" SIGNS "|" SPACES;
static const char digits_by_one[] = QUOTES "|" WORDS "|\\p{N}|" SIGNS "|" SPACES;
static const char cased_by_three[] = CASED(QUOTES "?") "|\\p{N}{1,3}|" SIGNS_SLASH "|" SPACES;
static const char cased_by_one[] = CASED("") "|\\p{N}|" SIGNS_SLASH "|" SPACES;

/* What llama.cpp takes these names for. `begin`: a text begins with a token of its own, unless the file says otherwise.
 * No patterns: GPT-2's own, which tokenizer.json's ByteLevel has built in. */
static const struct gguf_pre pres[] = {
	{"gpt-2", .nfc = false}, {"gpt2", .nfc = false}, {"phi-2", .nfc = false},
	{"jais", .nfc = false}, {"olmo", .nfc = true}, {"mpt", .nfc = true},
	{"command-r", .nfc = true, .digits = true},
	{"falcon", {"[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]"}, .whole = false},
	{"smollm", .digits = true}, {"starcoder", .digits = true}, {"refact", .digits = true},
	{"llama-bpe", {digits_by_three}, .whole = true, .begin = true}, {"llama3", {digits_by_three}, .whole = true,
	.begin = true},
	{"llama-v3", {digits_by_three}, .whole = true, .begin = true}, {"dbrx", {digits_by_three}, .whole = false},
	{"smaug-bpe", {digits_by_three}, .whole = false},
	{"qwen2", {digits_by_one}, .nfc = true}, {"stablelm2", {digits_by_one}, .nfc = true},
	{"deepseek-r1-qwen", {digits_by_one}, .nfc = true},
	{"tekken", {cased_by_one}, .whole = true, .begin = true}, {"gpt-4o", {cased_by_three}, .whole = false},
};

/* Old files do not say; of some architectures all models split alike. */
static const struct { const char *arch, *pre; } by_arch[] = {
	{"gpt2", "gpt-2"}, {"phi2", "gpt-2"}, {"gptneox", "olmo"}, {"olmo", "olmo"}, {"olmo2", "dbrx"},
	{"qwen2", "qwen2"}, {"qwen3", "qwen2"}, {"starcoder2", "starcoder"}, {"starcoder", "starcoder"},
	{"command-r", "command-r"}, {"falcon", "falcon"},
};

bool
gguf_is_text(const char *s, size_t n, const char *text)
{
	return s && strlen(text) == n && memcmp(s, text, n) == 0;
}

enum err
gguf_find_pre(const struct gguf *g, const struct gguf_pre **out)
{
	const char *s, *arch;
	size_t n, arch_n;
	TRY(gguf_str(g, "tokenizer.ggml.pre", &s, &n));
	TRY(gguf_str(g, "general.architecture", &arch, &arch_n));
	bool said = s && !gguf_is_text(s, n, "default");
	for (size_t i = 0; !said && i < ARRAY_LEN(by_arch); i++)
		if (gguf_is_text(arch, arch_n, by_arch[i].arch)) {
			s = by_arch[i].pre;
			n = strlen(s);
		}
	for (size_t i = 0; i < ARRAY_LEN(pres); i++)
		if (gguf_is_text(s, n, pres[i].name)) {
			*out = &pres[i];
			return OK;
		}
	if (!said)
		return err_set(ERR_UNSUPPORTED,
			"%s: does not say how its tokenizer splits text (tokenizer.ggml.pre); use "
			"a newer file, or the original with its tokenizer.json", g->path);
	return err_set(ERR_UNSUPPORTED, "%s: a tokenizer that splits text as \"%.*s\" does is not supported", g->path,
		(int)(n < 100 ? n : 100), s);
}

/* ---- as tokenizer.json has it ---- */

json_t *
gguf_byte_level(bool prefix, bool regex)
{
	return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", (int)prefix,
		"trim_offsets", 1, "use_regex", (int)regex);
}

json_t *
gguf_pre_tokenizer(const struct gguf_pre *pre, bool prefix)
{
	json_t *bytes = gguf_byte_level(prefix, !pre->patterns[0]), *list = json_array();
	if (!pre->patterns[0] && !pre->digits) {
		json_decref(list);
		return bytes;
	}
	if (pre->digits)
		json_array_append_new(list, json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", 1));
	for (size_t i = 0; i < ARRAY_LEN(pre->patterns) && pre->patterns[i]; i++)
		json_array_append_new(list, json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
			pre->patterns[i], "behavior", "Isolated", "invert", 0));
	json_array_append_new(list, bytes);
	return json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", list);
}
