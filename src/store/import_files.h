/*
 * import_files: what the importers of folders share: every file below a path (or the one file), read whole, in order of
 * names.
 */
#ifndef BYLINE_STORE_IMPORT_FILES_H
#define BYLINE_STORE_IMPORT_FILES_H

#include "importer.h"

/* Called with the path for messages, the path relative to the import's root, and the bytes. */
typedef enum err (*file_taker)(struct importer *im, const char *path, const char *rel, const struct str *bytes);

/* Hidden files and folders of version control are left out; files binary, too large or unreadable are skipped by name.
 * `packed`: gzip files are the taker's to judge. */
enum err import_files(struct importer *im, const char *path, bool packed, file_taker take);

/* "a/b/c.txt" -> "c.txt" -> "c"; fresh memory. */
char *file_stem(const char *rel);

#endif
