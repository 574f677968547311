/* config.json of both families, what is refused and how it is named, and how files map to the tensor table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/model/arch.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "tiny_model.h"
#include "unit.h"

#define LLAMA "\"model_type\":\"llama\",\"vocab_size\":100,\"hidden_size\":16,\"intermediate_size\":40," \
	"\"num_hidden_layers\":2,\"num_attention_heads\":4"
#define MISTRAL "\"model_type\":\"mistral\",\"vocab_size\":100,\"hidden_size\":16,\"intermediate_size\":40," \
	"\"num_hidden_layers\":2,\"num_attention_heads\":8"
#define LONG "\"rope_type\":\"longrope\",\"short_factor\":[1,1.5],\"long_factor\":[2,3.0]"
#define GPT2 "\"model_type\":\"gpt2\",\"vocab_size\":100,\"n_embd\":16,\"n_layer\":2,\"n_head\":4"

static enum err
parse(struct model_config *c, const char *text)
{
	json_t *root;
	assert_ok(json_parse(text, strlen(text), "config.json", &root));
	enum err err = model_config_parse(c, root, "config.json");
	json_decref(root);
	return err;
}

static void
test_llama(void **state)
{
	(void)state;
	struct model_config c;
	assert_ok(parse(&c, "{" LLAMA "}"));
	assert_string_equal(c.family, "llama");
	assert_true(c.n_kv_head == 4 && c.head_dim == 4 && c.d_ff == 40 && c.n_ctx == 2048 && c.bos == 1 && c.eos == 2);
	assert_true(c.norm == NORM_RMS && c.pos == POS_ROPE && c.mlp == MLP_GATED && c.act == ACT_SILU);
	assert_true(!c.tied && !c.attn_bias && !c.mlp_bias && c.rope_theta == 10000 && c.norm_eps == 1e-6);
	assert_ok(parse(&c, "{" LLAMA ",\"num_key_value_heads\":2,\"head_dim\":6,\"tie_word_embeddings\":true,"
		"\"attention_bias\":true,\"mlp_bias\":true,\"rope_theta\":500000.0,\"rope_scaling\":null,\"bos_token_id\":null,"
		"\"eos_token_id\":[7,8],\"max_position_embeddings\":131072,\"rms_norm_eps\":1e-05}"));
	assert_true(c.n_kv_head == 2 && c.head_dim == 6 && c.tied && c.attn_bias && c.mlp_bias && c.rope_theta == 500000);
	assert_true(c.bos == -1 && c.eos == 7 && c.n_ctx == 131072 && c.norm_eps == 1e-5);
	assert_ok(parse(&c, "{" LLAMA ",\"rope_parameters\":{\"rope_theta\":20000,\"rope_type\":\"default\"},\"bos_token_id\":5000}"));
	assert_true(c.rope_theta == 20000 && c.bos == -1);
}

#define SIZES "\"vocab_size\":100,\"hidden_size\":16,\"intermediate_size\":40,\"num_hidden_layers\":8," \
	"\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":8"
#define GEMMA3 "\"model_type\":\"gemma3_text\"," SIZES
#define SMOLLM3 "\"model_type\":\"smollm3\"," SIZES
#define OLMO3 "\"model_type\":\"olmo3\"," SIZES
#define GRANITE "\"model_type\":\"granite\"," SIZES
#define COHERE "\"model_type\":\"cohere\"," SIZES
#define COHERE2 "\"model_type\":\"cohere2\"," SIZES
#define BIGCODE "\"model_type\":\"gpt_bigcode\",\"vocab_size\":100,\"n_embd\":16,\"n_layer\":2,\"n_head\":4"
#define GPTJ "\"model_type\":\"gptj\",\"vocab_size\":100,\"n_embd\":16,\"n_layer\":2,\"n_head\":2"
#define FALCON "\"model_type\":\"falcon\",\"vocab_size\":100,\"hidden_size\":16,\"num_hidden_layers\":2," \
	"\"num_attention_heads\":4"
#define OPT "\"model_type\":\"opt\",\"vocab_size\":100,\"hidden_size\":16,\"ffn_dim\":40,\"num_hidden_layers\":2," \
	"\"num_attention_heads\":4"

/* What older and newer versions of `transformers` write, or leave to their defaults, is the same model. */
static void
test_spellings(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{GEMMA3 ",\"sliding_window\":512,\"rope_theta\":1e6,\"rope_local_base_freq\":10000,\"rope_scaling\":null,"
			"\"attn_logit_softcapping\":null,\"final_logit_softcapping\":null,\"sliding_window_pattern\":6",
		GEMMA3 ",\"sliding_window\":512,\"layer_types\":[\"sliding_attention\",\"sliding_attention\","
			"\"sliding_attention\",\"sliding_attention\",\"sliding_attention\",\"full_attention\","
			"\"sliding_attention\",\"sliding_attention\"],\"rope_parameters\":{\"full_attention\":{\"rope_theta\":1e6,"
			"\"rope_type\":\"default\"},\"sliding_attention\":{\"rope_theta\":1e4,\"rope_type\":\"default\"}}"},
		{GEMMA3 ",\"rope_theta\":500,\"rope_local_base_freq\":50,\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":8}",
		GEMMA3 ",\"rope_parameters\":{\"full_attention\":{\"rope_theta\":500,\"rope_type\":\"linear\",\"factor\":8},"
			"\"sliding_attention\":{\"rope_theta\":50}}"},
		{MISTRAL, MISTRAL ",\"sliding_window\":4096"},
		{LLAMA ",\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2},\"rope_theta\":5e4",
		LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"rope_theta\":5e4},"
			"\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":9}"},
		{SMOLLM3 ",\"no_rope_layer_interval\":3,\"rope_theta\":5e6", SMOLLM3 ",\"no_rope_layers\":[1,1,0,1,1,0,1,1],"
			"\"rope_parameters\":{\"rope_theta\":5e6,\"rope_type\":\"default\"}"},
		{SMOLLM3 ",\"use_sliding_window\":true,\"sliding_window\":9", SMOLLM3 ",\"sliding_window\":9,"
			"\"no_rope_layers\":[1,1,1,0,1,1,1,0],\"layer_types\":[\"full_attention\",\"full_attention\","
			"\"full_attention\",\"sliding_attention\",\"full_attention\",\"full_attention\",\"full_attention\","
			"\"sliding_attention\"]"},
		{OLMO3 ",\"rope_theta\":500,\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":8,"
			"\"original_max_position_embeddings\":64},\"layer_types\":null",
		OLMO3 ",\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"yarn\",\"factor\":8,\"rope_theta\":500,"
			"\"original_max_position_embeddings\":64},\"sliding_attention\":{\"rope_theta\":500}}"},
		{GRANITE, GRANITE ",\"embedding_multiplier\":1,\"attention_multiplier\":1.0,\"residual_multiplier\":1,"
			"\"logits_scaling\":1"},
		{COHERE, COHERE ",\"rope_theta\":500000.0,\"logit_scale\":0.0625,\"use_qk_norm\":false"},
		{GPTJ ",\"rotary_dim\":4", GPTJ ",\"rotary_dim\":4,\"n_inner\":null,\"rotary\":true,\"rope_theta\":7"},
		{FALCON, FALCON ",\"multi_query\":true,\"parallel_attn\":true,\"alibi\":false,\"num_kv_heads\":4,"
			"\"new_decoder_architecture\":null,\"bias\":false,\"ffn_hidden_size\":null"},
		{FALCON ",\"new_decoder_architecture\":true,\"num_kv_heads\":2", FALCON ",\"new_decoder_architecture\":true,"
			"\"multi_query\":false,\"num_kv_heads\":2,\"num_ln_in_parallel_attn\":2"},
		{OPT, OPT ",\"word_embed_proj_dim\":16,\"do_layer_norm_before\":true,\"_remove_final_layer_norm\":false"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model_config c[2];
		for (int k = 0; k < 2; k++) {
			char *text = xasprintf("{%s}", cases[i][k]);
			if (parse(&c[k], text) != OK)
				fail_msg("%s: %s", text, err_message());
			free(text);
		}
		assert_memory_equal(&c[0], &c[1], sizeof(c[0]));
	}
}

/* LongRoPE up to the length that a model was first trained on, whatever its configs call it. */
static void
test_longrope(void **state)
{
	(void)state;
	static const char *const cases[] = {
		",\"max_position_embeddings\":64,\"original_max_position_embeddings\":16,\"rope_scaling\":{\"type\":\"su\","
			"\"short_factor\":[1,1.5],\"long_factor\":[2,3.0]}",
		",\"max_position_embeddings\":64,\"original_max_position_embeddings\":16,\"rope_scaling\":{\"type\":\"yarn\","
			"\"short_factor\":[1,1.5],\"long_factor\":[2,3.0]}",
		",\"max_position_embeddings\":64,\"rope_parameters\":{" LONG ",\"rope_theta\":10000,"
			"\"original_max_position_embeddings\":16}",
		",\"max_position_embeddings\":64,\"rope_parameters\":{" LONG ",\"original_max_position_embeddings\":16,"
			"\"attention_factor\":1.224744871391589,\"factor\":99}",
	};
	struct model_config c, first, back;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = xasprintf("{" LLAMA "%s}", cases[i]);
		assert_ok(parse(&c, text));
		free(text);
		assert_true(c.rope.kind == ROPE_LONG && c.n_ctx == 16 && c.rope.longest == 64 && c.rope.n_factors == 2);
		assert_true(fabs(c.rope.attention - sqrt(1.5)) < 1e-12);	/* 1 + log 4 / log 16 */
		if (i == 0)
			first = c;
		c.rope.attention = first.rope.attention;
		assert_memory_equal(&c, &first, sizeof(c));
	}
	first.rope.attention = 1.25;
	json_t *root = model_config_json(&first);
	assert_ok(model_config_parse(&back, root, "x"));
	json_decref(root);
	assert_memory_equal(&back, &first, sizeof(back));
}

/* Which layers see a window, and which have no positions. */
static void
test_layers(void **state)
{
	(void)state;
	struct model_config c;
	assert_ok(parse(&c, "{" GEMMA3 "}"));
	for (int i = 0; i < 8; i++)
		assert_true(model_window(&c, i) == (i == 5 ? 0 : 4096) && model_turns(&c, i));
	assert_true(c.rope_theta == 1e6 && c.local_theta == 1e4 && c.query_scalar == 256 && c.tied && c.qk_norm == QK_HEAD);
	assert_ok(parse(&c, "{" GEMMA3 ",\"sliding_window_pattern\":1}"));
	assert_true(c.windows == WINDOW_NONE);
	assert_ok(parse(&c, "{" OLMO3 ",\"sliding_window\":7}"));
	for (int i = 0; i < 8; i++)
		assert_true(model_window(&c, i) == (i % 4 == 3 ? 0 : 7));
	assert_true(c.rope_theta == 5e5 && c.local_theta == 5e5);
	assert_ok(parse(&c, "{" SMOLLM3 ",\"sliding_window\":7}"));
	for (int i = 0; i < 8; i++)
		assert_true(model_turns(&c, i) == (i % 4 != 3) && model_window(&c, i) == 0);
	assert_ok(parse(&c, "{" GPTJ ",\"rotary_dim\":6}"));
	assert_true(c.rotary_dims == 6 && c.rotary_pairs && c.head_bias && c.shared_norm && c.d_ff == 64);
	assert_ok(parse(&c, "{" COHERE2 ",\"sliding_window\":7}"));
	for (int i = 0; i < 8; i++)
		assert_true(model_turns(&c, i) == (i % 4 != 3) && model_window(&c, i) == (i % 4 != 3 ? 7 : 0));
	assert_ok(parse(&c, "{" BIGCODE "}"));
	assert_true(c.n_kv_head == 1 && c.head_dim == 4 && c.tied && c.act == ACT_GELU_TANH);
	assert_ok(parse(&c, "{" BIGCODE ",\"multi_query\":false}"));
	assert_true(c.n_kv_head == 4);
	assert_ok(parse(&c, "{" FALCON "}"));
	assert_true(c.parallel && c.shared_norm && c.n_kv_head == 1 && c.head_dim == 4 && c.d_ff == 64 && !c.mlp_bias && c.tied);
	assert_ok(parse(&c, "{" FALCON ",\"new_decoder_architecture\":true,\"num_kv_heads\":2,\"num_ln_in_parallel_attn\":1}"));
	assert_true(c.parallel && c.shared_norm && c.n_kv_head == 2);
	assert_ok(parse(&c, "{" OPT ",\"enable_bias\":false,\"activation_function\":\"gelu\"}"));
	assert_true(c.pos_offset == 2 && !c.attn_bias && !c.out_bias && !c.mlp_bias && c.act == ACT_GELU_ERF);
}

static void
test_gpt2(void **state)
{
	(void)state;
	struct model_config c;
	assert_ok(parse(&c, "{" GPT2 ",\"n_inner\":null,\"n_positions\":64,\"eos_token_id\":99,\"n_ctx\":1024}"));
	assert_true(c.norm == NORM_LAYER && c.pos == POS_LEARNED && c.mlp == MLP_PLAIN && c.act == ACT_GELU_TANH);
	assert_true(c.tied && c.attn_bias && c.mlp_bias && c.d_ff == 64 && c.n_ctx == 64 && c.eos == 99 && c.bos == -1);
	assert_ok(parse(&c, "{" GPT2 ",\"activation_function\":\"gelu\",\"n_inner\":24,\"tie_word_embeddings\":false}"));
	assert_true(c.act == ACT_GELU_ERF && c.d_ff == 24 && !c.tied);
}

static const struct { const char *text; enum err err; const char *says; } refused[] = {
	{"[]", ERR_FORMAT, "not a JSON object"},
	{"{}", ERR_FORMAT, "model_type"},
	{"{\"model_type\":\"mamba\"}", ERR_UNSUPPORTED, "\"mamba\""},
	{"{\"model_type\":\"mamba\"}", ERR_UNSUPPORTED, "llama, mistral"},
	{"{\"model_type\":\"llama\",\"vocab_size\":100}", ERR_FORMAT, "hidden_size"},
	{"{\"model_type\":\"mixtral\"}", ERR_UNSUPPORTED, "mixture of experts"},
	{"{" LLAMA ",\"hidden_act\":\"mish\"}", ERR_UNSUPPORTED, "\"mish\""},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"ntk\",\"factor\":8}}", ERR_UNSUPPORTED, "ntk"},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"longrope\",\"factor\":8}}", ERR_FORMAT, "short_factor"},
	{"{" LLAMA ",\"rope_scaling\":{" LONG "}}", ERR_FORMAT, "original_max_position_embeddings"},
	{"{" LLAMA ",\"rope_scaling\":{" LONG ",\"original_max_position_embeddings\":1.5}}", ERR_FORMAT, "whole"},
	{"{" LLAMA ",\"rope_scaling\":{" LONG ",\"short_mscale\":1.5}}", ERR_UNSUPPORTED, "short_mscale"},
	{"{" LLAMA ",\"rope_scaling\":{\"type\":\"su\",\"short_factor\":[1,2],\"long_factor\":[1]}}", ERR_FORMAT,
		"long_factor"},
	{"{" LLAMA ",\"rope_scaling\":{\"type\":\"su\",\"short_factor\":[1,0],\"long_factor\":[1,2]}}", ERR_FORMAT,
		"short_factor"},
	{"{" LLAMA ",\"head_dim\":8,\"original_max_position_embeddings\":8,\"rope_scaling\":{" LONG "}}", ERR_FORMAT,
		"frequencies"},
	{"{" LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}}", ERR_FORMAT, "factor"},
	{"{" LLAMA ",\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":2,\"truncate\":false}}", ERR_UNSUPPORTED, "truncate"},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":2,\"low_freq_factor\":1,\"high_freq_factor\":1}}",
		ERR_FORMAT, "high_freq"},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":2,\"low_freq_factor\":1}}", ERR_FORMAT, "high_freq"},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"linear\"}}", ERR_FORMAT, "\"factor\""},
	{"{" LLAMA ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2,\"original_max_position_embeddings\":9.5}}",
		ERR_FORMAT, "whole number"},
	{"{" LLAMA ",\"rope_parameters\":7}", ERR_FORMAT, "rope_parameters"},
	{"{" LLAMA ",\"rope_parameters\":{\"partial_rotary_factor\":0.1}}", ERR_UNSUPPORTED, "partial_rotary_factor 0.1"},
	{"{" LLAMA ",\"rope_parameters\":{\"partial_rotary_factor\":2}}", ERR_FORMAT, "partial_rotary_factor"},
	{"{" LLAMA ",\"num_key_value_heads\":3}", ERR_FORMAT, "evenly"},
	{"{" LLAMA ",\"num_key_value_heads\":8}", ERR_LIMIT, "key-value"},
	{"{" LLAMA ",\"head_dim\":5}", ERR_FORMAT, "even"},
	{"{" LLAMA ",\"eos_token_id\":\"x\"}", ERR_FORMAT, "eos_token_id"},
	{"{" LLAMA ",\"rms_norm_eps\":-1}", ERR_FORMAT, "rms_norm_eps"},
	{"{" LLAMA ",\"quantization_config\":{}}", ERR_UNSUPPORTED, "quantization_config"},
	{"{" GPT2 ",\"scale_attn_by_inverse_layer_idx\":true}", ERR_UNSUPPORTED, "scale_attn_by_inverse_layer_idx"},
	{"{" GPT2 ",\"activation_function\":\"silu\"}", ERR_UNSUPPORTED, "plain"},
	{"{\"model_type\":\"gpt2\",\"vocab_size\":100,\"n_embd\":18,\"n_layer\":2,\"n_head\":4}", ERR_FORMAT, "head"},
	{"{\"model_type\":\"gpt2\",\"vocab_size\":100,\"n_embd\":16,\"n_layer\":600,\"n_head\":4}", ERR_LIMIT, "layers"},
	{"{\"model_type\":\"gemma3\",\"text_config\":{}}", ERR_UNSUPPORTED, "\"gemma3\""},
	{"{" GEMMA3 ",\"attn_logit_softcapping\":50}", ERR_UNSUPPORTED, "attn_logit_softcapping"},
	{"{" GEMMA3 ",\"use_bidirectional_attention\":true}", ERR_UNSUPPORTED, "use_bidirectional_attention"},
	{"{" GEMMA3 ",\"query_pre_attn_scalar\":0}", ERR_FORMAT, "query_pre_attn_scalar"},
	{"{" GEMMA3 ",\"sliding_window_pattern\":0}", ERR_FORMAT, "sliding_window_pattern"},
	{"{" GEMMA3 ",\"sliding_window\":null}", ERR_FORMAT, "window"},
	{"{" GEMMA3 ",\"sliding_window\":-5}", ERR_FORMAT, "sliding_window"},
	{"{" GEMMA3 ",\"layer_types\":[\"full_attention\"]}", ERR_FORMAT, "layer_types"},
	{"{" GEMMA3 ",\"rope_local_base_freq\":0}", ERR_FORMAT, "rope_local_base_freq"},
	{"{" GEMMA3 ",\"rope_parameters\":{\"rope_theta\":10000}}", ERR_UNSUPPORTED, "full_attention"},
	{"{" GEMMA3 ",\"rope_parameters\":{\"full_attention\":7}}", ERR_FORMAT, "full_attention"},
	{"{" GEMMA3 ",\"rope_parameters\":{\"sliding_attention\":{\"rope_type\":\"linear\"}}}", ERR_UNSUPPORTED,
		"sliding_attention"},
	{"{" GEMMA3 ",\"rope_parameters\":{\"full_attention\":{\"partial_rotary_factor\":0.5}}}", ERR_UNSUPPORTED,
		"partial_rotary_factor"},
	{"{" OLMO3 ",\"rope_scaling\":[]}", ERR_FORMAT, "rope_scaling"},
	{"{" OLMO3 ",\"rope_scaling\":{\"rope_type\":\"ntk\"}}", ERR_UNSUPPORTED, "ntk"},
	{"{" SMOLLM3 ",\"no_rope_layers\":[1,0]}", ERR_FORMAT, "no_rope_layers"},
	{"{" SMOLLM3 ",\"no_rope_layers\":{}}", ERR_FORMAT, "no_rope_layers"},
	{"{" SMOLLM3 ",\"no_rope_layers\":[1,0,1,0,1,0,1,2]}", ERR_FORMAT, "no_rope_layers"},
	{"{" SMOLLM3 ",\"no_rope_layer_interval\":0}", ERR_FORMAT, "no_rope_layer_interval"},
	{"{" GRANITE ",\"residual_multiplier\":0}", ERR_FORMAT, "residual_multiplier"},
	{"{" GRANITE ",\"logits_scaling\":-1}", ERR_FORMAT, "logits_scaling"},
	{"{" GRANITE ",\"attention_multiplier\":null}", ERR_FORMAT, "attention_multiplier"},
	{"{" GRANITE ",\"embedding_multiplier\":\"x\"}", ERR_FORMAT, "embedding_multiplier"},
	{"{" COHERE ",\"use_qk_norm\":true}", ERR_UNSUPPORTED, "use_qk_norm"},
	{"{" GPTJ "}", ERR_FORMAT, "rotary_dim"},
	{"{" GPTJ ",\"rotary_dim\":null}", ERR_FORMAT, "rotary_dim"},
	{"{" GPTJ ",\"rotary_dim\":5}", ERR_FORMAT, "even"},
	{"{" GPTJ ",\"rotary_dim\":10}", ERR_FORMAT, "rotary"},
	{"{" GPTJ ",\"rotary_dim\":4,\"rotary\":false}", ERR_UNSUPPORTED, "rotary"},
	{"{" COHERE2 ",\"sliding_window\":null}", ERR_FORMAT, "window"},
	{"{" COHERE2 ",\"sliding_window_pattern\":0}", ERR_FORMAT, "sliding_window_pattern"},
	{"{" BIGCODE ",\"scale_attn_weights\":false}", ERR_UNSUPPORTED, "scale_attn_weights"},
	{"{" BIGCODE ",\"add_cross_attention\":true}", ERR_UNSUPPORTED, "add_cross_attention"},
	{"{" BIGCODE ",\"multi_query\":3}", ERR_FORMAT, "multi_query"},
	{"{" FALCON ",\"alibi\":true}", ERR_UNSUPPORTED, "alibi"},
	{"{" FALCON ",\"new_decoder_architecture\":true,\"parallel_attn\":false}", ERR_UNSUPPORTED, "parallel_attn"},
	{"{" FALCON ",\"num_ln_in_parallel_attn\":2}", ERR_UNSUPPORTED, "2 norms"},
	{"{" FALCON ",\"num_ln_in_parallel_attn\":3}", ERR_FORMAT, "num_ln_in_parallel_attn"},
	{"{" FALCON ",\"new_decoder_architecture\":true,\"num_kv_heads\":3}", ERR_FORMAT, "evenly"},
	{"{" FALCON ",\"multi_query\":false,\"num_kv_heads\":2}", ERR_FORMAT, "num_kv_heads"},
	{"{\"model_type\":\"falcon\",\"vocab_size\":100,\"hidden_size\":18,\"num_hidden_layers\":2,"
		"\"num_attention_heads\":4}", ERR_FORMAT, "width"},
	{"{" OPT ",\"word_embed_proj_dim\":8}", ERR_UNSUPPORTED, "word_embed_proj_dim"},
	{"{" OPT ",\"do_layer_norm_before\":false}", ERR_UNSUPPORTED, "do_layer_norm_before"},
	{"{" OPT ",\"_remove_final_layer_norm\":true}", ERR_UNSUPPORTED, "_remove_final_layer_norm"},
	{"{" OPT ",\"layer_norm_elementwise_affine\":false}", ERR_UNSUPPORTED, "layer_norm_elementwise_affine"},
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct model_config c;
		enum err err = parse(&c, refused[i].text);
		if (err != refused[i].err || strstr(err_message(), refused[i].says) == NULL || strstr(err_message(), "config.json") == NULL)
			fail_msg("%s: error %d: %s", refused[i].text, (int)err, err_message());
	}
}

/* Whatever the numbers, no overflow: the check refuses before anything is sized. */
static void
test_bounds(void **state)
{
	(void)state;
	int *fields[7];
	struct model_config c = tiny_config(TINY_LLAMA);
	int *const all[] = {&c.n_layer, &c.d_model, &c.n_head, &c.head_dim, &c.d_ff, &c.vocab, &c.n_ctx};
	static const int values[] = {0, -1, 1 << 20, INT32_MAX, INT32_MIN};
	memcpy(fields, all, sizeof(all));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t j = 0; j < ARRAY_LEN(values); j++) {
			int keep = *fields[i];
			*fields[i] = values[j];
			enum err err = model_config_check(&c, "x");
			assert_true(err != OK || (values[j] == 1 << 20 && fields[i] != &c.n_layer));
			*fields[i] = keep;
		}
	assert_ok(model_config_check(&c, "x"));
	c.d_model = 1 << 16;
	c.d_ff = c.vocab = 1 << 20;
	c.n_layer = 512;
	assert_err(model_config_check(&c, "x"), ERR_LIMIT);
	c = tiny_config(TINY_GPT2);
	c.norm = NORM_RMS;
	assert_err(model_config_check(&c, "x"), ERR_UNSUPPORTED);
	/* What a family's config.json has no words for. */
	c = tiny_config(TINY_LLAMA);
	c.residual_factor = 0.5;
	assert_err(model_config_check(&c, "x"), ERR_UNSUPPORTED);
	c = tiny_config(TINY_LLAMA);
	c.unturned[0] = 2;
	assert_err(model_config_check(&c, "x"), ERR_UNSUPPORTED);
	c = tiny_config(TINY_LLAMA);
	c.local_theta = 100;
	assert_err(model_config_check(&c, "x"), ERR_UNSUPPORTED);
	c = tiny_config(TINY_GPT2);
	c.norm = NORM_RMS;
	struct model m;
	assert_err(model_new(&m, &c, true), ERR_UNSUPPORTED);
	model_free(&m);
}

static void
test_round_trip(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct model_config c = tiny_config((enum tiny)kind), back;
		if (c.pos == POS_LEARNED)
			c.rope_theta = 0;
		json_t *root = model_config_json(&c);
		assert_true(json_is_string(json_array_get(json_object_get(root, "architectures"), 0)));
		assert_ok(model_config_parse(&back, root, "x"));
		json_decref(root);
		assert_string_equal(back.family, c.family);
		assert_memory_equal(&back.n_layer, &c.n_layer, offsetof(struct model_config, tied) - offsetof(struct model_config, n_layer));
		assert_true(back.tied == c.tied && back.attn_bias == c.attn_bias && back.mlp_bias == c.mlp_bias);
		assert_true(back.norm_eps == c.norm_eps && back.rope_theta == c.rope_theta && back.init_range == c.init_range);
		assert_true(back.bos == c.bos && back.eos == c.eos);
	}
}

/* Every number of the flat vector belongs to exactly one file tensor that is written. */
static void
test_files_cover(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct model_config c = tiny_config((enum tiny)kind);
		struct model m;
		struct file_tensor *files;
		size_t n;
		assert_ok(model_new(&m, &c, false));
		assert_ok(arch_file_tensors(&m, &files, &n));
		int *covered = xcalloc(m.n_params, sizeof(*covered));
		for (size_t i = 0; i < n; i++) {
			const struct file_tensor *f = &files[i];
			size_t at = f->tensor->at + (size_t)f->row * (size_t)f->tensor->cols;
			assert_true(f->row + f->rows <= f->tensor->rows && f->cols == f->tensor->cols);
			assert_true(f->n_dims == 2 || (f->n_dims == 1 && f->cols == 1));
			for (size_t j = 0; !f->optional && j < (size_t)f->rows * (size_t)f->cols; j++)
				covered[at + j]++;
		}
		for (size_t i = 0; i < m.n_params; i++)
			assert_int_equal(covered[i], 1);
		free(covered);
		free(files);
		model_free(&m);
	}
}

static const struct file_tensor *
find(const struct file_tensor *files, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	fail_msg("no %s", name);
	return NULL;
}

static void
test_file_names(void **state)
{
	(void)state;
	struct model_config llama = tiny_config(TINY_LLAMA), gpt2 = tiny_config(TINY_GPT2_ERF);
	struct model m;
	struct file_tensor *files;
	size_t n;
	assert_ok(model_new(&m, &llama, false));
	assert_ok(arch_file_tensors(&m, &files, &n));
	const struct file_tensor *f = find(files, n, "model.layers.2.self_attn.v_proj.weight");
	assert_true(f->row == 24 + 12 && f->rows == 12 && f->cols == 16 && !f->transposed && f->tensor->role == ROLE_QKV);
	assert_true(find(files, n, "lm_head.weight")->optional && files[n - 1].optional);
	assert_string_equal(arch_short_name(&m, "model.norm.weight"), "norm.weight");
	assert_null(arch_short_name(&m, "lm_head.weight"));
	assert_true(arch_ignored(&m, "model.layers.10.self_attn.rotary_emb.inv_freq"));
	assert_false(arch_ignored(&m, "model.layers..self_attn.rotary_emb.inv_freq"));
	assert_false(arch_ignored(&m, "model.layers.1.self_attn.rotary_emb.inv_freqs"));
	free(files);
	model_free(&m);
	assert_ok(model_new(&m, &gpt2, false));
	assert_ok(arch_file_tensors(&m, &files, &n));
	f = find(files, n, "transformer.h.0.mlp.c_fc.weight");
	assert_true(f->rows == 20 && f->cols == 16 && f->transposed && f->n_dims == 2 && f->tensor->role == ROLE_UP);
	f = find(files, n, "transformer.h.1.attn.c_attn.bias");
	assert_true(f->rows == 48 && f->n_dims == 1 && f->tensor->bias);
	assert_false(find(files, n, "lm_head.weight")->optional);
	assert_true(arch_ignored(&m, "transformer.h.3.attn.masked_bias") && arch_ignored(&m, "h.3.attn.bias"));
	assert_false(arch_ignored(&m, "transformer.h.3.attn.c_attn.bias"));
	free(files);
	model_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_llama),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_longrope),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_gpt2),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_files_cover),
		cmocka_unit_test(test_file_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
