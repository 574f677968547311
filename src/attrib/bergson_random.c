/* bergson_random: see bergson_random.h. */
#include "bergson_random.h"

#include <math.h>
#include <string.h>

#include "byline/rng.h"
#include "md5.h"

/* ---- PCG64, XSL RR 128/64 (O'Neill 2014, section 6.3), its state in two halves --------------------------------- */

/* (high, low) <- (high, low) * the multiplier, modulo 2^128 */
static void
pcg_multiply(struct pcg64 *p)
{
	const uint64_t mul_high = UINT64_C(0x2360ed051fc65da4), mul_low = UINT64_C(0x4385df649fccf645);
	uint64_t a = p->low >> 32, b = p->low & 0xffffffffu, c = mul_low >> 32, d = mul_low & 0xffffffffu;
	uint64_t middle = a * d + (b * d >> 32), other = b * c + (middle & 0xffffffffu);
	uint64_t carried = a * c + (middle >> 32) + (other >> 32);
	p->high = carried + p->high * mul_low + p->low * mul_high;
	p->low = other << 32 | (b * d & 0xffffffffu);
}

static void
pcg_add(struct pcg64 *p, uint64_t high, uint64_t low)
{
	p->low += low;
	p->high += high + (p->low < low);
}

static uint64_t
pcg_next(struct pcg64 *p)
{
	pcg_multiply(p);
	pcg_add(p, p->inc_high, p->inc_low);
	uint64_t v = p->high ^ p->low;
	int by = (int)(p->high >> 58);
	return by ? v >> by | v << (64 - by) : v;
}

/* ---- numpy's SeedSequence: a seed spread over four words, and drawn from ---------------------------------------- */

static uint32_t
fold(uint32_t v, uint32_t *constant, uint32_t by)
{
	v ^= *constant;
	*constant *= by;
	v *= *constant;
	return v ^ v >> 16;
}

static uint32_t
mix(uint32_t x, uint32_t y)
{
	uint32_t v = 0xca01f9ddu * x - 0x4973f715u * y;
	return v ^ v >> 16;
}

static void
seed_words(uint64_t seed, uint64_t out[4])
{
	const uint32_t entropy[4] = { (uint32_t)seed, (uint32_t)(seed >> 32), 0, 0 };
	uint32_t pool[4], words[8], constant = 0x43b0d7e5u;
	for (int i = 0; i < 4; i++)
		pool[i] = fold(entropy[i], &constant, 0x931e8875u);
	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++)
			if (from != to)
				pool[to] = mix(pool[to], fold(pool[from], &constant, 0x931e8875u));
	constant = 0x8b51f9ddu;
	for (int i = 0; i < 8; i++)
		words[i] = fold(pool[i % 4], &constant, 0x58f38dedu);
	for (int i = 0; i < 4; i++)
		out[i] = words[2 * i] | (uint64_t)words[2 * i + 1] << 32;
}

static void
pcg_seed(struct pcg64 *p, uint64_t seed)
{
	uint64_t w[4];
	seed_words(seed, w);
	*p = (struct pcg64){ .inc_high = w[2] << 1 | w[3] >> 63, .inc_low = w[3] << 1 | 1 };
	pcg_next(p);
	pcg_add(p, w[0], w[1]);
	pcg_next(p);
}

/* The 16 bytes as one big-endian number, modulo 2^63 - 1: its 63-bit digits added up. */
static uint64_t
digest_seed(const uint8_t digest[16])
{
	const uint64_t most = UINT64_C(0x7fffffffffffffff);
	uint64_t high = 0, low = 0;
	for (int i = 0; i < 8; i++) {
		high = high << 8 | digest[i];
		low = low << 8 | digest[8 + i];
	}
	uint64_t sum = (low & most) % most + (low >> 63) + (high << 1 & most) % most;
	return (sum % most + (high >> 62)) % most;
}

/* ---- matrices --------------------------------------------------------------------------------------------------- */

void
bergson_matrix_begin(struct bergson_matrix *m, const char *name, int version, bool normal, size_t cols)
{
	uint8_t digest[16];
	md5(name, strlen(name), digest);
	*m = (struct bergson_matrix){ .version = version, .normal = normal, .cols = cols };
	for (int i = 0; i < 8; i++)
		m->key |= (uint64_t)digest[i] << (8 * i);
	if (version == 1)
		pcg_seed(&m->pcg, digest_seed(digest));
}

static float
pcg_sign(struct bergson_matrix *m)
{
	if (m->left == 0) {
		m->word = pcg_next(&m->pcg);
		m->left = 64;
	}
	int i = 64 - m->left--;
	return m->word >> (8 * (i / 8) + 7 - i % 8) & 1 ? 1 : -1;
}

static void
row_signs(const struct bergson_matrix *m, float *row)
{
	uint32_t word[4];
	for (size_t c = 0; c < m->cols; c++) {
		if (c % 128 == 0)
			rng_block(m->key, 0, m->row << 32 | c / 128, word);
		row[c] = word[c % 128 / 32] >> (c % 32) & 1 ? 1 : -1;
	}
}

/* The last bits of these differ between devices in bergson itself: here they are rounded once. */
static void
row_normal(const struct bergson_matrix *m, float *row)
{
	const float turn = 6.2831853071795864769f, unit = 1.0f / 4294967296.0f;
	uint32_t word[4];
	for (size_t c = 0; c < m->cols; c++) {
		if (c % 4 == 0)
			rng_block(m->key, 0, m->row << 32 | c / 4, word);
		const uint32_t *pair = word + c % 4 / 2 * 2;
		double length = sqrt(-2 * log((double)(((float)pair[0] + 0.5f) * unit)));
		double angle = (double)(turn * ((float)pair[1] * unit));
		row[c] = (float)(length * (c % 2 ? sin(angle) : cos(angle)));
	}
}

void
bergson_matrix_row(struct bergson_matrix *m, float *row)
{
	if (m->version == 1)
		for (size_t c = 0; c < m->cols; c++)
			row[c] = pcg_sign(m);
	else if (m->normal)
		row_normal(m, row);
	else
		row_signs(m, row);
	m->row++;
}
