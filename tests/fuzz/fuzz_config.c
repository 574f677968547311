/* Any bytes as a config.json: what is accepted must be written and read back as the same model. */
#include "fuzz.h"

#include <string.h>

#include "byline/json.h"
#include "byline/model.h"

static bool
same(const struct model_config *a, const struct model_config *b)
{
	return strcmp(a->family, b->family) == 0 && a->n_layer == b->n_layer && a->d_model == b->d_model &&
		a->n_head == b->n_head && a->n_kv_head == b->n_kv_head && a->head_dim == b->head_dim &&
		a->d_ff == b->d_ff && a->vocab == b->vocab && a->n_ctx == b->n_ctx && a->act == b->act &&
		a->tied == b->tied && a->attn_bias == b->attn_bias &&
		a->mlp_bias == b->mlp_bias && a->bos == b->bos && a->eos == b->eos && a->windows == b->windows &&
		a->window == b->window && memcmp(a->local, b->local, sizeof(a->local)) == 0 &&
		memcmp(a->unturned, b->unturned, sizeof(a->unturned)) == 0 && a->rotary_dims == b->rotary_dims &&
		a->rope_theta == b->rope_theta && a->local_theta == b->local_theta && a->rope.kind == b->rope.kind &&
		a->query_scalar == b->query_scalar && a->embed_factor == b->embed_factor &&
		a->score_factor == b->score_factor && a->residual_factor == b->residual_factor &&
		a->logit_factor == b->logit_factor && a->logit_divisor == b->logit_divisor;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_config c, again;
	struct model m;
	json_t *root;
	if (json_parse((const char *)data, size, "fuzz.json", &root) != OK)
		return 0;
	if (model_config_parse(&c, root, "fuzz.json") != OK) {
		FUZZ_CHECK(*err_message());
	} else {
		json_t *out = model_config_json(&c);
		FUZZ_CHECK(model_config_check(&c, "fuzz.json") == OK);
		FUZZ_CHECK(model_config_parse(&again, out, "again.json") == OK && same(&c, &again));
		json_decref(out);
		if ((int64_t)c.n_ctx * c.head_dim < 1 << 20 && model_new(&m, &c, false) == OK)
			model_free(&m);
	}
	json_decref(root);
	return 0;
}
