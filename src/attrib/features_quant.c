/* features_quant: rows to codes with a scale a block, and back. */
#include "features_internal.h"

#include "byline/codes.h"

size_t
block_values(const struct feature_block *b)
{
	return (size_t)b->ka * (size_t)b->ks;
}

size_t
block_bytes(const struct feature_layout *l, const struct feature_block *b)
{
	return codes_bytes(l->bits, block_values(b));
}

void
features_quantise(const struct feature_layout *l, const float *row, uint8_t *codes, float *scales)
{
	for (int i = 0; i < l->n_blocks; i++) {
		scales[i] = codes_write(l->bits, codes, row + l->block[i].at, block_values(&l->block[i]));
		codes += block_bytes(l, &l->block[i]);
	}
}

void
features_dequantise(const struct feature_layout *l, const uint8_t *codes, const float *scales, float *row)
{
	for (int i = 0; i < l->n_blocks; i++) {
		codes_read(l->bits, row + l->block[i].at, codes, block_values(&l->block[i]), scales[i]);
		codes += block_bytes(l, &l->block[i]);
	}
}
