/* tui: the explorer over a store on disk. */
#include "byline/tui.h"

#include "app.h"

void
tui_defaults(struct tui_options *o)
{
	*o = (struct tui_options){
		.exact = 64,
		.sample = { .temperature = 0.8, .top_k = 0, .top_p = 0.95, .seed = 1, .max_tokens = 32 },
	};
}

static enum err
open_store(const struct tui_options *o, struct source **out)
{
	return source_open_store(o->store, o->run, o->threads, out);
}

int
tui_run(const struct tui_options *o)
{
	return explorer_run(o, open_store);
}
