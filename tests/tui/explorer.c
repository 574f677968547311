/* explorer: options of the fake explorer. */
#include "explorer.h"

#include <locale.h>
#include <string.h>

#include "app.h"
#include "fake.h"

int
explorer_main(int argc, char **argv)
{
	struct tui_options o;
	tui_defaults(&o);
	o.store = "commons.byline";
	for (int i = 2; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--ascii") == 0) {
			o.ascii = true;
			continue;
		}
		if (strcmp(argv[i], "--script") == 0)
			o.script = next;
		else if (strcmp(argv[i], "--prompt") == 0)
			o.prompt = next;
		else if (strcmp(argv[i], "--store") == 0)
			o.store = next;
		else if (strcmp(argv[i], "--color") == 0)
			o.color = strcmp(next, "never") == 0 ? TUI_COLOR_NEVER : strcmp(next, "always") == 0
				? TUI_COLOR_ALWAYS
				: TUI_COLOR_AUTO;
		i++;
	}
	setlocale(LC_CTYPE, "");
	return explorer_run(&o, fake_open);
}
