/* trust_words: what the measurements mean. */
#include "view_trust.h"

#include <math.h>

#include "measured.h"

static void
words_lds(const struct trust *t, const struct method_trust *m, struct str *out)
{
	str_addf(out, "In plain words: train without a random %.0f%% of the examples, and again without another "
		"%.0f%%. ",
		100 * (1 - t->alpha), 100 * (1 - t->alpha));
	str_addf(out, "Which of the two makes a passage less likely, %s foretells rightly %.0f times in 100", m->name,
		trust_right(m->lds.value));
	if (isfinite(m->lds.lo) && isfinite(m->lds.hi))
		str_addf(out, " (%.0f to %.0f)", trust_right(m->lds.lo), trust_right(m->lds.hi));
	str_adds(out, "; guessing is right 50 times. ");
	if (isfinite(m->lds_other_seed.value))
		str_addf(out, "For trainings from another seed it is %.0f", trust_right(m->lds_other_seed.value));
	if (isfinite(m->lds_other_seed.value) && isfinite(t->ceiling_other_seed))
		str_addf(out, ", and nobody could do better than %.0f", trust_right(t->ceiling_other_seed));
	str_adds(out, isfinite(m->lds_other_seed.value) ? ". " : "");
}

void
trust_words(const struct trust *t, struct str *out)
{
	const struct method_trust *m = t->n_methods > 0 ? &t->method[0] : NULL;
	for (int i = 0; i < t->n_methods; i++)
		m = t->method[i].is_default ? &t->method[i] : m;
	if (!m || !isfinite(m->lds.value)) {
		str_adds(out, "The default method was not measured yet: byline eval goes on where it was stopped.");
		return;
	}
	words_lds(t, m, out);
	if (isfinite(m->contributor_r))
		str_addf(out, "What a whole contributor's absence does is foretold with r = %.2f; the size of their "
			"work alone gives %.2f. ", m->contributor_r, m->contributor_r_size);
	if (isfinite(m->slope))
		str_addf(out, "A predicted nat was %.2f real ones (%.2f either way).", m->slope, m->slope_error);
}
