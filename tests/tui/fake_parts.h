/* fake_parts: shared by the files of the fake world. */
#ifndef BYLINE_TEST_FAKE_PARTS_H
#define BYLINE_TEST_FAKE_PARTS_H

#include "source.h"

double fake_noise(uint32_t a, uint32_t b);	/* in [-1, 1), always the same */
void fake_trust_make(struct trust *t);
void fake_trust_clear(struct trust *t);

#endif
