/* source_trust: what was measured of a store's methods. */
#include "source_store.h"

#include <stdlib.h>
#include <string.h>

#include "byline/hash.h"
#include "byline/mem.h"

/* Whether the report is of another index than the one loaded. */
static bool
is_stale(const struct session *x, const struct trust *t)
{
	char *path = xasprintf("%s/index.json", x->run.dir), now[HASH_HEX];
	enum err err = hash_file(path, now);
	free(path);
	if (err != OK) {
		err_clear();
		return t->index[0] != '\0';
	}
	return strcmp(now, t->index) != 0;
}

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
		f->trust_stale = f->trust && is_stale(f->session, f->trust);
	}
	*stale = f->trust_stale;
	return f->trust;
}
