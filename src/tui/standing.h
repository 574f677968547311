/* standing: what the views show of a ranking, worked out once, in the worker. */
#ifndef TUI_STANDING_H
#define TUI_STANDING_H

#include "inquiry.h"

/* Takes the ranking and the shares. */
struct standing *standing_new(struct source *s, struct ranking *r, struct shares *sh);

#endif
