/* Any bytes as a model.safetensors.index.json: what is accepted names only files of its own directory, and is then held
 * against tensors that are there. */
#include "fuzz.h"

#include <string.h>

#include "../../src/model/weights_parts.h"
#include "byline/mem.h"

static void
check_index(const struct shard_index *x)
{
	FUZZ_CHECK(x->n > 0 && x->n_shards > 0 && x->n_shards <= x->n);
	for (size_t i = 0; i < x->n_shards; i++) {
		FUZZ_CHECK(!strchr(x->shards[i], '/') && strcmp(x->shards[i], "..") != 0);
		FUZZ_CHECK(strlen(x->shards[i]) > strlen(".safetensors"));
		FUZZ_CHECK(i == 0 || strcmp(x->shards[i - 1], x->shards[i]) < 0);
	}
}

static const char *
shard_of(const struct shard_index *x, const char *tensor)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->entries[i].tensor, tensor) == 0)
			return x->entries[i].shard;
	return "";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct weights_tensor there[] = {
		{.name = "a", .path = "dir/1.safetensors"}, {.name = "b", .path = "dir/1.safetensors"},
		{.name = "c", .path = "dir/2.safetensors"},
	};
	struct shard_index x;
	struct weights w = { .path = (char[]){ "dir/index" } };
	if (shard_index_parse(&x, (const char *)data, size, "dir/index") != OK) {
		FUZZ_CHECK(*err_message() && !x.root);
		return 0;
	}
	check_index(&x);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		weights_add(&w, &there[i]);
	FUZZ_CHECK(weights_seal(&w) == OK);
	bool agree = x.n == ARRAY_LEN(there);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		agree = agree && strcmp(shard_of(&x, there[i].name), there[i].path + 4) == 0;
	FUZZ_CHECK((shard_index_match(&x, &w) == OK) == agree);
	free(w.tensors);
	shard_index_free(&x);
	return 0;
}
