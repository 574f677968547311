/* md5: see md5.h. Constants and rounds of RFC 1321, section 3.4. */
#include "md5.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64, STEPS = 64 };

static uint32_t
turn(uint32_t v, int by)
{
	return v << by | v >> (32 - by);
}

/* Step i's word of the block, and what its round makes of three words of the state. */
static uint32_t
step(int i, const uint32_t s[4], int *word)
{
	uint32_t b = s[1], c = s[2], d = s[3];
	const uint32_t f[4] = { (b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d, c ^ (b | ~d) };
	const int at[4] = { i, 5 * i + 1, 3 * i + 5, 7 * i };
	*word = at[i / 16] % 16;
	return f[i / 16];
}

static void
block_take(uint32_t state[4], const uint8_t *p)
{
	static const int turns[4][4] = { {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21} };
	uint32_t x[16], s[4];
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 16; i++, p += 4)
		x[i] = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	for (int i = 0; i < STEPS; i++) {
		int word;
		uint32_t f = step(i, s, &word);
		uint32_t sine = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
		uint32_t next = s[1] + turn(s[0] + f + x[word] + sine, turns[i / 16][i % 4]);
		s[0] = s[3];
		s[3] = s[2];
		s[2] = s[1];
		s[1] = next;
	}
	for (int i = 0; i < 4; i++)
		state[i] += s[i];
}

void
md5(const void *data, size_t n, uint8_t digest[16])
{
	uint32_t state[4] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u };
	uint8_t tail[2 * BLOCK] = {0};
	const uint8_t *p = data;
	size_t whole = n / BLOCK * BLOCK, left = n - whole, end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	for (size_t i = 0; i < whole; i += BLOCK)
		block_take(state, p + i);
	if (left > 0)
		memcpy(tail, p + whole, left);
	tail[left] = 0x80;
	for (size_t i = 0; i < 8; i++)
		tail[end - 8 + i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
	for (size_t i = 0; i < end; i += BLOCK)
		block_take(state, tail + i);
	for (int i = 0; i < 16; i++)
		digest[i] = (uint8_t)(state[i / 4] >> (8 * (i % 4)));
}
