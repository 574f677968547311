/* view_verify: shared by the two files of the verification view. */
#ifndef TUI_VIEW_VERIFY_H
#define TUI_VIEW_VERIFY_H

#include "page.h"
#include "trial.h"
#include "view.h"

struct verify_view {
	struct view v;
	struct page page;
	struct trial_ask ask;
	struct whatif *found;		/* kept from before; NULL: none */
	struct str passage;		/* the span, and where its tokens begin */
	uint32_t *byte_of;
	int n;
};

/* What is to be tested, and on what. */
void verify_page_ask(struct verify_view *k);
void verify_page_offer(struct verify_view *k, double seconds);
void verify_page_running(struct verify_view *k, struct trial *t);
void verify_page_result(struct verify_view *k, const struct whatif *w);

#endif
