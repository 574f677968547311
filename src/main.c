/* main: the commands and the explorer meet here and nowhere else. */
#include "byline/cli.h"
#include "byline/mem.h"
#include "byline/tui.h"

static int
explore(const struct explore_options *e)
{
	static const enum tui_color colors[] = {TUI_COLOR_AUTO, TUI_COLOR_ALWAYS, TUI_COLOR_NEVER};
	struct tui_options o;
	tui_defaults(&o);
	o.store = e->store;
	o.run = e->run;
	o.prompt = e->prompt;
	o.target = e->target;
	o.method = e->method;
	o.from = e->from;
	o.to = e->to;
	o.query = e->query;
	o.sample.seed = e->seed;
	o.sample.temperature = e->temperature;
	o.sample.top_k = e->top_k;
	o.sample.top_p = e->top_p;
	o.sample.max_tokens = e->tokens;
	o.exact = e->exact;
	o.color = colors[e->color];
	o.ascii = e->ascii;
	o.threads = e->threads;
	o.script = e->script;
	return tui_run(&o);
}

int
main(int argc, char **argv)
{
	mem_init();
	return cli_main(argc, argv, explore);
}
