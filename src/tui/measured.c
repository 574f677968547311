/* measured: the linear datamodeling score and its interval. */
#include "measured.h"

#include <math.h>

#include "describe.h"

void
measured_note(struct source *s, const struct method *m, const struct glyphs *g, bool brief, struct str *out)
{
	bool stale;
	/* Nothing can be trained again that has no model. */
	if (s->info.first_query)
		return;
	const struct method_trust *t = trust_method(s->ops->trust(s, false, &stale), m->name);
	if (!t || !isfinite(t->lds.value)) {
		str_adds(out, s->info.foreign ? brief ? "LDS: none" : "no LDS: not trained here"
			: brief ? "LDS: byline eval" : "LDS not measured: byline eval");
		return;
	}
	str_addf(out, "LDS %.2f", t->lds.value);
	describe_error((t->lds.hi - t->lds.lo) / 2, 0, 2, g, out);
	if (stale)
		str_adds(out, brief ? "?" : " (earlier index)");
}
