/* generate: choosing a token, and what the model thought of it. */
#include "byline/generate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"

/* Candidates for a draw: indices and weights exp((logit - top) / temperature), best first. */
struct draw {
	uint32_t *index;
	double *weight;
	size_t n;
};

static double
weigh(const float *logits, const struct sample_options *o, uint32_t best, uint32_t i)
{
	double w = exp(((double)logits[i] - (double)logits[best]) / o->temperature);
	return isnan(w) ? 0 : w;
}

static double
weigh_all(const float *logits, int vocab, const struct sample_options *o, uint32_t best)
{
	double sum = 0;
	for (int i = 0; i < vocab; i++)
		sum += weigh(logits, o, best, (uint32_t)i);
	return sum;
}

/* Fills d with the n best. */
static void
take_best(struct draw *d, const float *logits, int vocab, const struct sample_options *o, size_t n)
{
	d->n = stats_top(logits, (size_t)vocab, n, 1, d->index);
	for (size_t i = 0; i < d->n; i++)
		d->weight[i] = weigh(logits, o, d->index[0], d->index[i]);
}

static double
sum_of(const struct draw *d)
{
	double sum = 0;
	for (size_t i = 0; i < d->n; i++)
		sum += d->weight[i];
	return sum;
}

/* Keeps the shortest run of the best whose weights reach `mass`; false when d ends before. Holtzman et al. 2020. */
static bool
cut_at(struct draw *d, double mass)
{
	double sum = 0;
	for (size_t i = 0; i < d->n; i++) {
		sum += d->weight[i];
		if (sum >= mass) {
			d->n = i + 1;
			return true;
		}
	}
	return false;
}

/* top-k, then top-p among what is left. Without top-k, sorting the whole vocabulary for the few that top-p keeps would
 * be most of the work, so more and more of the best are tried. */
static void
choose_candidates(struct draw *d, const float *logits, int vocab, const struct sample_options *o)
{
	size_t all = (size_t)vocab, k = o->top_k > 0 && o->top_k < vocab ? (size_t)o->top_k : all;
	if (!(o->top_p < 1) || k < all) {
		take_best(d, logits, vocab, o, k);
		if (o->top_p < 1)
			cut_at(d, o->top_p * sum_of(d));
		return;
	}
	take_best(d, logits, vocab, o, 1);
	double mass = o->top_p * weigh_all(logits, vocab, o, d->index[0]);
	for (size_t n = 64;; n *= 8) {
		take_best(d, logits, vocab, o, n < all ? n : all);
		if (cut_at(d, mass) || n >= all)
			return;
	}
}

static uint32_t
pick(const struct draw *d, double u)
{
	double left = u * sum_of(d);
	for (size_t i = 0; i + 1 < d->n; i++) {
		if (left < d->weight[i])
			return d->index[i];
		left -= d->weight[i];
	}
	return d->index[d->n - 1];
}

static double
uniform_at(uint64_t seed, int step)
{
	struct rng rng;
	rng_init(&rng, seed, 0);
	rng_seek(&rng, (uint64_t)step);
	return (double)rng_u32(&rng) * 0x1p-32;
}

int32_t
sample_token(const float *logits, int vocab, const struct sample_options *o, int step)
{
	uint32_t best;
	assert(vocab > 0);
	stats_top(logits, (size_t)vocab, 1, 1, &best);
	if (!(o->temperature > 0) || o->top_k == 1)
		return (int32_t)best;
	struct draw d = {0};
	d.index = xreallocarray(NULL, (size_t)vocab, sizeof(*d.index));
	d.weight = xreallocarray(NULL, (size_t)vocab, sizeof(*d.weight));
	choose_candidates(&d, logits, vocab, o);
	int32_t token = (int32_t)pick(&d, uniform_at(o->seed, step));
	free(d.index);
	free(d.weight);
	return token;
}

/* ln sum exp(logits) */
static double
log_norm(const float *logits, int vocab, double top)
{
	double sum = 0;
	for (int i = 0; i < vocab; i++)
		sum += exp((double)logits[i] - top);
	return log(sum) + top;
}

void
token_fact_fill(struct token_fact *f, const float *logits, int vocab, int32_t token)
{
	uint32_t best[ALTERNATIVES];
	size_t n = stats_top(logits, (size_t)vocab, ALTERNATIVES, 1, best);
	double norm = log_norm(logits, vocab, (double)logits[best[0]]);
	f->token = token;
	f->logprob = (float)((double)logits[token] - norm);
	f->rank = 1;
	for (int i = 0; i < vocab; i++)
		f->rank += logits[i] > logits[token] || (logits[i] == logits[token] && i < token);
	for (size_t i = 0; i < ALTERNATIVES; i++) {
		f->alt[i] = i < n ? (int32_t)best[i] : -1;
		f->alt_logprob[i] = i < n ? (float)((double)logits[best[i]] - norm) : -(float)INFINITY;
	}
}
