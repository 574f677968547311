/* Any bytes as a line of a JSONL corpus: a record that is accepted is one the store can judge, or there is a reason. */
#include "fuzz.h"

#include <string.h>

#include "../../src/store/importer.h"
#include "../../src/store/works.h"

static void
check_record(const struct record *r)
{
	struct work_in w = { .text = r->text.s, .text_len = r->text.len, .title = r->title, .licence = r->licence,
		.licence_from = r->licence_from, .source = r->source, .date = r->date,
		.authors = r->people.v, .n_authors = r->people.n };
	FUZZ_CHECK(r->text.len <= FUZZ_MAX && r->people.n <= FUZZ_MAX);
	for (size_t i = 0; i < r->people.n; i++)
		FUZZ_CHECK(r->people.v[i].name);
	FUZZ_CHECK(works_check(&w) == OK || *err_message());
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const between[] = { NULL, " AND ", "" };
	for (size_t i = 0; i < sizeof(between) / sizeof(*between); i++) {
		struct record r;
		err_clear();
		const char *why = jsonl_parse((const char *)data, size, between[i], &r);
		if (why)
			FUZZ_CHECK(*why && *err_message());
		else
			check_record(&r);
		record_free(&r);
	}
	return 0;
}
