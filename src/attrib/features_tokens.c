/* features_tokens: which tokens of the vocabulary an example keeps rows of. */
#include "byline/features.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

void
feature_tokens_count(const struct dataset *d, int vocab, uint32_t *count)
{
	memset(count, 0, (size_t)vocab * sizeof(*count));
	for (size_t i = 0; i < d->n; i++)
		for (uint64_t t = d->start[i] + 1; !d->heldout[i] && t < d->start[i + 1]; t++)
			if (d->token[t] >= 0 && d->token[t] < vocab)
				count[d->token[t]]++;
}

struct target { uint32_t token, count; };

static int
token_cmp(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	return (x->token > y->token) - (x->token < y->token);
}

/* Rarest first; of equals the lower number. */
static int
rare_cmp(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	return x->count != y->count ? (x->count > y->count) - (x->count < y->count) : token_cmp(a, b);
}

void
feature_tokens(const struct dataset *d, uint32_t example, const uint32_t *count, int own, uint32_t *out)
{
	size_t from = (size_t)d->start[example] + 1, to = (size_t)d->start[example + 1], n = 0, kept = 0;
	size_t most = own > 0 ? (size_t)own : 0;
	struct target *all = xcalloc(to > from ? to - from : 1, sizeof(*all));
	for (size_t t = from; t < to; t++)
		all[n++] = (struct target){ (uint32_t)d->token[t], count[d->token[t]] };
	qsort(all, n, sizeof(*all), token_cmp);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || all[i].token != all[kept - 1].token)
			all[kept++] = all[i];
	if (kept > most) {
		qsort(all, kept, sizeof(*all), rare_cmp);
		kept = most;
		qsort(all, kept, sizeof(*all), token_cmp);
	}
	for (size_t i = 0; i < most; i++)
		out[i] = i < kept ? all[i].token : FEATURE_NONE;
	free(all);
}
