/* source_trust: what was measured of a store's methods. */
#include "source_store.h"

const struct trust *
source_store_trust(struct source *s, bool again, bool *stale)
{
	struct store_source *f = (struct store_source *)s;
	if (again) {
		trust_free(f->trust);
		/* Never measured, or not to be read: then nothing is known, and the view says what to run. */
		if (trust_read(f->session->run.dir, &f->trust) != OK) {
			f->trust = NULL;
			err_clear();
		}
		f->trust_stale = f->trust && !trust_is_current(f->trust, f->session->run.dir);
	}
	*stale = f->trust_stale;
	return f->trust;
}
