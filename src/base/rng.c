/* rng: Philox4x32-10, and the few distributions byline draws from. */
#include "byline/rng.h"

#include <assert.h>
#include <math.h>

enum { ROUNDS = 10 };

void
rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
	uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t p0 = UINT64_C(0xd2511f53) * x0, p1 = UINT64_C(0xcd9e8d57) * x2;
		x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
		x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
		x1 = (uint32_t)p1;
		x3 = (uint32_t)p0;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

static void
rng_refill(struct rng *r)
{
	rng_block(r->seed, r->stream, r->counter++, r->block);
	r->used = 0;
}

void
rng_init(struct rng *r, uint64_t seed, uint64_t stream)
{
	*r = (struct rng){ .seed = seed, .stream = stream };
	rng_seek(r, 0);
}

void
rng_seek(struct rng *r, uint64_t word)
{
	r->counter = word / 4;
	rng_refill(r);
	r->used = (int)(word % 4);
}

uint32_t
rng_u32(struct rng *r)
{
	if (r->used == 4)
		rng_refill(r);
	return r->block[r->used++];
}

uint64_t
rng_u64(struct rng *r)
{
	uint64_t low = rng_u32(r);
	return low | (uint64_t)rng_u32(r) << 32;
}

double
rng_uniform(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double
rng_normal(struct rng *r)
{
	const double two_pi = 6.283185307179586;
	double u = rng_uniform(r), v = rng_uniform(r);
	/* 1 - u is in (0, 1], so the logarithm is finite. */
	return sqrt(-2 * log(1 - u)) * cos(two_pi * v);
}

uint64_t
rng_below(struct rng *r, uint64_t n)
{
	assert(n > 0);
	/* 2^64 mod n values at the bottom would favour the small results. */
	uint64_t skip = (0 - n) % n, x;
	do
		x = rng_u64(r);
	while (x < skip);
	return x % n;
}

void
rng_shuffle(struct rng *r, uint32_t *v, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rng_below(r, i);
		uint32_t t = v[i - 1];
		v[i - 1] = v[j];
		v[j] = t;
	}
}
