/* Any bytes as a manual page, and as a header with holders: the text stays in proportion, the names stay names. */
#include "fuzz.h"

#include <string.h>

#include "../../src/store/holders.h"
#include "../../src/store/roff.h"

static void
check_page(const char *s, size_t n)
{
	struct roff_page page;
	roff_read(s, n, &page);
	FUZZ_CHECK(page.text.len <= 4 * n + 16);
	if (page.text.len > 0)
		FUZZ_CHECK(page.text.s[0] != '\0' || memchr(s, '\0', n));
	roff_page_free(&page);
}

static void
check_holders(const char *s, size_t n)
{
	struct record r = {0};
	holders_scan(s, n, &r);
	for (size_t i = 0; i < r.people.n; i++)
		FUZZ_CHECK(strlen(r.people.v[i].name) <= 80);
	FUZZ_CHECK(!r.licence || strlen(r.licence) < 200);
	FUZZ_CHECK(!r.date || strlen(r.date) == 4);
	record_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_page((const char *)data, size);
	check_holders((const char *)data, size);
	return 0;
}
