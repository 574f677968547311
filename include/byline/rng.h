/*
 * rng: counter-based random numbers, Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). The same (seed, stream) gives the same numbers on every machine, in any order of streams.
 */
#ifndef BYLINE_RNG_H
#define BYLINE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t seed, stream, counter;
	uint32_t block[4];
	int used;		/* words of block already given out */
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
void rng_seek(struct rng *r, uint64_t word);	/* the next rng_u32() is the word-th of the stream */
uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
double rng_uniform(struct rng *r);		/* [0, 1), 53 bits */
double rng_normal(struct rng *r);		/* Box-Muller, one of the two thrown away: no hidden state */
uint64_t rng_below(struct rng *r, uint64_t n);	/* [0, n), unbiased, n > 0 */
void rng_shuffle(struct rng *r, uint32_t *v, size_t n);	/* Fisher-Yates */

/* Raw block: the 4 words at `counter` of (seed, stream). */
void rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

#endif
