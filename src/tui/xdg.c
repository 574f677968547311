/* xdg: base directories. */
#include "xdg.h"

#include <stdlib.h>

#include "byline/mem.h"

static const struct { const char *variable, *fallback; } places[] = {
	[XDG_CONFIG] = { "XDG_CONFIG_HOME", ".config" },
	[XDG_STATE] = { "XDG_STATE_HOME", ".local/state" },
};

char *
xdg_path(enum xdg_kind kind, const char *name)
{
	const char *dir = getenv(places[kind].variable);
	if (dir && dir[0] == '/')
		return xasprintf("%s/byline/%s", dir, name);
	const char *home = getenv("HOME");
	if (!home || home[0] != '/')
		return NULL;
	return xasprintf("%s/%s/byline/%s", home, places[kind].fallback, name);
}
