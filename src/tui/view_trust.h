/* view_trust: shared by the files of the trust view. */
#ifndef TUI_VIEW_TRUST_H
#define TUI_VIEW_TRUST_H

#include "byline/trust.h"
#include "page.h"

void trust_draw(struct page *p, const struct trust *t);	/* everything that was measured */
/* trust_words.c: for somebody who never heard of a rank correlation. */
void trust_words(const struct trust *t, struct str *out);

#endif
