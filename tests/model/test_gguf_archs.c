/* gguf: what files say of windows, of positions and of the rows of tensors, one key of a good file changed: read as
 * llama.cpp reads it, or refused by the key's name. */
#include "config.h"	/* _GNU_SOURCE, for memmem */

#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "gguf_maker.h"
#include "unit.h"

static char dir[] = "/tmp/byline-test.XXXXXX";
static char *path;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "model.gguf");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(path);
	return file_remove_tree(dir) == OK ? 0 : -1;
}

/* ---- one key or name changed ---- */

enum { COUNT_AT = 16, KEYS_AT = 24, ALIGNMENT = 32 };

static size_t
find_name(const struct str *file, const char *name)
{
	struct str text = {0};
	gguf_put_text(&text, name);
	const char *at = memmem(file->s, file->len, text.s, text.len);
	str_free(&text);
	return at ? (size_t)(at - file->s) + 8 : 0;
}

/* A value of 4 bytes or 1: in place of the one that is there, or before all keys, with one more to fill up. */
static void
set_key(struct str *file, const char *name, enum gguf_kind kind, uint32_t bits)
{
	size_t size = kind == GGUF_BOOL ? 1 : 4, at = find_name(file, name);
	struct str out = {0};
	if (at > 0) {
		memcpy(file->s + at + strlen(name) + 4, &bits, size);
		return;
	}
	str_add(&out, file->s, KEYS_AT);
	out.s[COUNT_AT] = (char)(out.s[COUNT_AT] + 2);
	gguf_put_key(&out, name, kind);
	gguf_put(&out, bits, size);
	gguf_put_key(&out, "fill", GGUF_STRING);
	size_t fill = ALIGNMENT - (out.len - KEYS_AT + 8) % ALIGNMENT;
	gguf_put(&out, fill, 8);
	str_fill(&out, ' ', fill);
	str_add(&out, file->s + KEYS_AT, file->len - KEYS_AT);
	str_free(file);
	*file = out;
}

static void
rename_in(struct str *file, const char *name)
{
	size_t at = find_name(file, name);
	assert_true(at > 0);
	file->s[at + strlen(name) - 1] = '?';
}

struct change {
	const char *model, *name;	/* of a key, or of a tensor that is to be missing (kind is GGUF_KINDS) */
	enum gguf_kind kind;
	uint32_t bits;
	enum err code;
	const char *says;		/* or the family of the model that is read */
};

static enum err
load(const struct change *c, struct model *m)
{
	const char *source = getenv("srcdir");
	char *from = xasprintf("%s/tests/data/gguf/%s.gguf", source ? source : ".", c->model);
	struct str file = {0};
	assert_ok(file_read(from, 1 << 20, &file));
	if (c->kind == GGUF_KINDS)
		rename_in(&file, c->name);
	else
		set_key(&file, c->name, c->kind, c->bits);
	assert_ok(file_replace(path, file.s, file.len));
	str_free(&file);
	free(from);
	return checkpoint_load(path, m);
}

#define F32_200 0x43480000u
#define F32_300 0x43960000u

static const struct change changes[] = {
	{"granite", "granite.rope.scaling.finetuned", GGUF_BOOL, 1, OK, "granite"},
	{"granite", "granite.rope.scaling.finetuned", GGUF_BOOL, 0, ERR_UNSUPPORTED, "rope.scaling.finetuned\" is false"},
	{"granite", "granite.logit_scale", GGUF_F32, 0, ERR_FORMAT, "logits_scaling"},
	{"granite", "granite.attention.scale", GGUF_KINDS, 0, ERR_FORMAT, "has no \"granite.attention.scale\""},
	{"granite", "granite.expert_count", GGUF_U32, 4, ERR_UNSUPPORTED, "4 experts"},
	{"gpt-bigcode", "starcoder.attention.head_count_kv", GGUF_U32, 4, ERR_UNSUPPORTED, "head_count_kv\" is 4"},
	{"gpt-bigcode", "starcoder.attention.head_count_kv", GGUF_KINDS, 0, ERR_UNSUPPORTED, "only 1 is supported"},
	{"cohere", "command-r.logit_scale", GGUF_KINDS, 0, ERR_FORMAT, "has no \"command-r.logit_scale\""},
	{"cohere2", "cohere2.attention.sliding_window", GGUF_U32, 0, ERR_FORMAT, "sliding_window\" is 0"},
	{"cohere2", "cohere2.attention.sliding_window", GGUF_KINDS, 0, ERR_FORMAT, "has no \"cohere2.attention.sliding"},
	{"cohere2", "cohere2.rope.freq_base_swa", GGUF_F32, F32_300, ERR_UNSUPPORTED, "freq_base_swa\" is 300"},
	{"olmo3", "olmo2.attention.sliding_window", GGUF_U32, 0, OK, "olmo2"},
	{"olmo3", "olmo2.rope.freq_base_swa", GGUF_F32, F32_300, OK, "olmo3"},
	{"olmo3", "olmo2.block_count", GGUF_U32, 3, ERR_MISMATCH, "has 2 numbers for 3 layers"},
	{"olmo2", "olmo2.rope.freq_base_swa", GGUF_F32, F32_200, ERR_UNSUPPORTED, "freq_base_swa\" is 200"},
	{"gemma3", "gemma3.attention.sliding_window", GGUF_KINDS, 0, OK, "gemma3_text"},
	{"gemma3", "gemma3.attention.sliding_window_pattern", GGUF_U32, UINT32_MAX, ERR_FORMAT, "sliding_window_pattern"},
	{"gemma3", "gemma3.block_count", GGUF_U32, 1 << 30, ERR_FORMAT, "num_hidden_layers"},
	{"gemma3-silent", "gemma3.block_count", GGUF_U32, 600, ERR_LIMIT, "layers is 600: at most 512"},
	{"falcon", "falcon.attention.head_count_kv", GGUF_U32, 3, ERR_UNSUPPORTED, "has no \"falcon.rope.freq_base\""},
	{"falcon-groups", "blk.1.attn_norm_2.weight", GGUF_KINDS, 0, ERR_MISSING, "blk.1.attn_norm_2.weight"},
	{"phi3-long", "rope_factors_short.weight", GGUF_KINDS, 0, ERR_MISSING, "rope_factors_short.weight"},
	{"phi3-long", "rope_factors_long.weight", GGUF_KINDS, 0, ERR_MISSING, "rope_factors_long.weight"},
	{"phi3-long", "phi3.rope.scaling.original_context_length", GGUF_U32, 0, ERR_FORMAT, "original_context_length"},
	{"phi3-long", "phi3.rope.scaling.attn_factor", GGUF_KINDS, 0, OK, "phi3"},
	{"phi3-long", "phi3.attention.sliding_window", GGUF_U32, 3, OK, "phi3"},
};

static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *c = &changes[i];
		struct model m;
		enum err err = load(c, &m);
		if (err != c->code || !strstr(err == OK ? m.config.family : err_message(), c->says))
			fail_msg("%s, %s: %d, \"%s\"", c->model, c->name, (int)err, err == OK ? m.config.family : err_message());
		model_free(&m);
	}
}

/* ---- what is made of them ---- */

static void
check_windows(const struct change *c, const char *want)
{
	struct model m;
	assert_ok(load(c, &m));
	assert_int_equal(m.config.n_layer, strlen(want));
	for (int i = 0; i < m.config.n_layer; i++)
		if (model_window(&m.config, i) != want[i] - '0')
			fail_msg("%s: %d positions in layer %d", c->name, model_window(&m.config, i), i);
	model_free(&m);
}

/* Every sixth layer of Gemma 3 sees all, or every so manieth that the file says; none, and no window at all. */
static void
test_windows(void **state)
{
	(void)state;
	static const char pattern[] = "gemma3.attention.sliding_window_pattern", size[] = "gemma3.attention.sliding_window";
	check_windows(&(struct change){ "gemma3-silent", size, GGUF_U32, 5, OK, "" }, "5555505");
	check_windows(&(struct change){ "gemma3-silent", pattern, GGUF_U32, 3, OK, "" }, "4404404");
	check_windows(&(struct change){ "gemma3-silent", pattern, GGUF_U32, 1, OK, "" }, "0000000");
	check_windows(&(struct change){ "gemma3-silent", pattern, GGUF_U32, 0, OK, "" }, "4444444");
	check_windows(&(struct change){ "gemma3-silent", size, GGUF_U32, 0, OK, "" }, "0000000");
	check_windows(&(struct change){ "gemma3-silent", size, GGUF_KINDS, 0, OK, "" }, "0000000");
	check_windows(&(struct change){ "llama3", "llama.attention.sliding_window", GGUF_U32, 5, OK, "" }, "55");
}

/* Layers with a window turn by 10000 in Gemma 3, and as the others in OLMo 3, unless the file says otherwise. */
static void
test_bases(void **state)
{
	(void)state;
	static const struct { struct change change; double local; } cases[] = {
		{{"gemma3-silent", "gemma3.x", GGUF_U32, 0, OK, ""}, 10000},
		{{"gemma3-silent", "gemma3.rope.freq_base_swa", GGUF_F32, F32_300, OK, ""}, 300},
		{{"olmo3", "olmo2.rope.freq_base_swa", GGUF_KINDS, 0, OK, ""}, 200},
		{{"olmo3", "olmo2.rope.freq_base_swa", GGUF_F32, F32_300, OK, ""}, 300},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model m;
		assert_ok(load(&cases[i].change, &m));
		assert_true(m.config.local_theta == cases[i].local);
		model_free(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_bases),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
