/* leftovers: see leftovers.h. */
#include "leftovers.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"

void
leftovers_each(const char *dir, const char *stem, void (*fn)(void *arg, const char *path), void *arg)
{
	DIR *d = opendir(dir);
	size_t n = strlen(stem);
	const struct dirent *e;
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, stem, n) != 0 || !strstr(e->d_name + n, ".tmp."))
			continue;
		char *path = path_join(dir, e->d_name);
		fn(arg, path);
		free(path);
	}
	if (d)
		closedir(d);
}

static void
remove_one(void *arg, const char *path)
{
	(void)arg;
	(void)file_remove_any(path);
	err_clear();
}

void
leftovers_remove(const char *dir, const char *stem)
{
	leftovers_each(dir, stem, remove_one, NULL);
}

void
leftovers_tell(void *note, const char *path)
{
	const struct leftovers_note *n = note;
	char *line = xasprintf("%s was left by an import that was killed: the next one takes it away", path);
	n->fn(n->arg, line);
	free(line);
}
