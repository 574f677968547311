/*
 * bank_cost: what members take, before they have taken it.
 */
#ifndef BYLINE_TRUST_BANK_COST_H
#define BYLINE_TRUST_BANK_COST_H

#include "byline/bank.h"

/* cost (n_members), in examples trained on; next to nothing where the weights are there already. */
void bank_cost(const struct bank *b, double *cost);

#endif
