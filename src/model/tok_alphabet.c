/* The byte alphabet of GPT-2: bytes that print as themselves keep their number, the 68 others follow from U+0100 on, in
 * order. */
#include "tok.h"

#include "byline/utf8.h"

struct stretch { int first, last, cp; };

static const struct stretch stretches[] = {
	{ 0x00, 0x20, 0x100 }, { 0x21, 0x7e, 0x21 }, { 0x7f, 0xa0, 0x121 }, { 0xa1, 0xac, 0xa1 }, { 0xad, 0xad, 0x143 },
	{ 0xae, 0xff, 0xae },
};

int32_t
alphabet_of(uint8_t byte)
{
	const struct stretch *s = stretches;
	while (byte > s->last)
		s++;
	return s->cp + byte - s->first;
}

int
alphabet_byte(int32_t cp)
{
	for (size_t i = 0; i < sizeof(stretches) / sizeof(stretches[0]); i++) {
		const struct stretch *s = &stretches[i];
		if (cp >= s->cp && cp - s->cp <= s->last - s->first)
			return s->first + (cp - s->cp);
	}
	return -1;
}

void
alphabet_write(struct str *out, const char *bytes, size_t n)
{
	char buf[4];
	for (size_t i = 0; i < n; i++)
		str_add(out, buf, utf8_encode(alphabet_of((uint8_t)bytes[i]), buf));
}

bool
alphabet_read(struct str *out, const char *s, size_t n)
{
	size_t before = out->len;
	for (size_t i = 0; i < n;) {
		int32_t cp;
		i += utf8_decode(s + i, n - i, &cp);
		int byte = alphabet_byte(cp);
		if (byte < 0) {
			out->len = before;
			return false;
		}
		str_addc(out, (char)byte);
	}
	return true;
}
