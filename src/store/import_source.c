/* import_source: a source tree; authors and licence from the header of each file. */
#include "holders.h"
#include "import_files.h"

#include <string.h>

#include "byline/mem.h"

static enum err
take_source(struct importer *im, const char *path, const char *rel, const struct str *bytes)
{
	struct record r = {0};
	str_add(&r.text, bytes->s ? bytes->s : "", bytes->len);
	holders_scan(r.text.s, r.text.len, &r);
	r.title = xstrdup(rel);
	r.source = xstrdup(rel);
	enum err err = importer_add(im, path, 0, &r);
	record_free(&r);
	return err;
}

enum err
import_source(struct importer *im, const char *path)
{
	return import_files(im, path, false, take_source);
}
