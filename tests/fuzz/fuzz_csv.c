/* Any bytes as a table: every record ends, stays within its limit, and written out in quotes is read back the same. */
#include "fuzz.h"

#include <string.h>

#include "../../src/store/csv.h"

enum { LIMIT = 4096 };

struct bytes { const char *s; size_t n, at; };

static enum err
next(void *arg, int *c)
{
	struct bytes *b = arg;
	*c = b->at < b->n ? (unsigned char)b->s[b->at++] : -1;
	return OK;
}

static void
quote(const struct csv_row *row, struct str *out)
{
	str_clear(out);
	for (size_t i = 0; i < row->n; i++) {
		size_t n;
		const char *s = csv_field(row, i, &n);
		str_adds(out, i ? ",\"" : "\"");
		for (size_t k = 0; k < n; k++) {
			if (s[k] == '"')
				str_addc(out, '"');
			str_addc(out, s[k]);
		}
		str_addc(out, '"');
	}
	str_addc(out, '\n');
}

static void
check_again(const struct csv_row *row)
{
	struct csv_row again = {0};
	struct str out = {0};
	struct csv c;
	bool have;
	const char *why;
	quote(row, &out);
	struct bytes b = { out.s, out.len, 0 };
	csv_start(&c, next, &b, ',', LIMIT);
	FUZZ_CHECK(csv_read(&c, &again, &have, &why) == OK && have && !why);
	FUZZ_CHECK(again.n == row->n && again.bytes.len == row->bytes.len && b.at == b.n);
	FUZZ_CHECK(memcmp(again.end, row->end, row->n * sizeof(*row->end)) == 0);
	FUZZ_CHECK(row->bytes.len == 0 || memcmp(again.bytes.s, row->bytes.s, row->bytes.len) == 0);
	csv_row_free(&again);
	str_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { (const char *)data, size, 0 };
	struct csv_row row = {0};
	struct csv c;
	bool have = true;
	csv_start(&c, next, &b, 0, LIMIT);
	for (size_t rows = 0; have; rows++) {
		const char *why;
		int64_t line = c.line;
		FUZZ_CHECK(rows <= size);
		FUZZ_CHECK(csv_read(&c, &row, &have, &why) == OK);
		FUZZ_CHECK(row.bytes.len <= LIMIT && row.n <= CSV_COLUMNS && c.line >= line);
		if (have && !why)
			check_again(&row);
	}
	FUZZ_CHECK(b.at == b.n);
	csv_row_free(&row);
	return 0;
}
