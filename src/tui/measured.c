/* measured: the linear datamodeling score and its interval. */
#include "measured.h"

#include <math.h>
#include <string.h>

#include "describe.h"

const struct method_trust *
measured_method(const struct trust *t, const char *name)
{
	for (int i = 0; t && i < t->n_methods; i++)
		if (strcmp(t->method[i].name, name) == 0)
			return &t->method[i];
	return NULL;
}

void
measured_note(struct source *s, const struct method *m, const struct glyphs *g, bool brief, struct str *out)
{
	bool stale;
	const struct method_trust *t = measured_method(s->ops->trust(s, false, &stale), m->name);
	if (!t || !isfinite(t->lds.value)) {
		str_adds(out, brief ? "LDS: byline eval" : "LDS not measured: byline eval");
		return;
	}
	str_addf(out, "LDS %.2f", t->lds.value);
	describe_error((t->lds.hi - t->lds.lo) / 2, 2, g, out);
	if (stale)
		str_adds(out, brief ? "?" : " (earlier index)");
}
