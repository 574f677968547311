/* Any bytes as the journal of a run: what is accepted holds a recipe one could train with, and checkpoints in order. */
#include "fuzz.h"

#include <string.h>

#include "../../src/train/journal.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct train_journal j;
	char name[] = "journal.jsonl", *copy = malloc(size + 1);
	/* Exactly `size` bytes matter: what follows must not be read as part of them. */
	memcpy(copy, data, size);
	copy[size] = '\n';
	if (journal_parse(&j, name, copy, size) != OK) {
		FUZZ_CHECK(*err_message() && !j.checkpoints && j.n_checkpoints == 0 && !j.finished);
	} else {
		FUZZ_CHECK(train_options_check(&j.options) == OK && model_config_check(&j.config, name) == OK);
		FUZZ_CHECK(strlen(j.dataset) == HASH_HEX - 1);
		for (int i = 0; i < j.n_checkpoints; i++) {
			FUZZ_CHECK(strlen(j.checkpoints[i].sha256) == HASH_HEX - 1);
			FUZZ_CHECK(j.checkpoints[i].step > (i ? j.checkpoints[i - 1].step : 0));
		}
		train_journal_free(&j);
	}
	free(copy);
	return 0;
}
