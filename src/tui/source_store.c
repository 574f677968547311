/* source_store: a store on disk behind the views. */
#include "source.h"

enum err
source_open_store(const char *folder, const char *run, int threads, struct source **out)
{
	(void)run;
	(void)threads;
	*out = 0;
	return err_set(ERR_UNSUPPORTED, "%s: not yet", folder);
}
