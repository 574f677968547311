/* source_trust: what was measured of a store's methods, and what can be put to the test. */
#include "source_store.h"

const struct trust *
source_store_trust(struct source *s, bool again, bool *stale)
{
	(void)again;
	*stale = false;
	return ((struct store_source *)s)->trust;
}

enum err
source_store_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds)
{
	(void)s;
	(void)o;
	(void)job;
	*seconds = 0;
	return err_set(ERR_MISSING, "this version of byline cannot train again without an example yet");
}

enum err
source_store_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out)
{
	double seconds;
	*out = NULL;
	return source_store_estimate(s, &ask->options, job, &seconds);
}

enum err
source_store_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out)
{
	(void)s;
	(void)q;
	(void)r;
	(void)o;
	*out = NULL;
	return err_set(ERR_MISSING, "not verified yet");
}

void
source_store_free_whatif(struct whatif *w)
{
	(void)w;
}
