/*
 * file: reading whole or mapped files, replacing them atomically, walking trees, locks.
 *
 * Every file byline writes goes through file_writer: a temporary name beside the target, fsync, rename, fsync of the
 * folder. Within one process a path has one writer at a time. Folders nested more than 128 deep end a walk, ERR_LIMIT.
 */
#ifndef BYLINE_FILE_H
#define BYLINE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "byline/err.h"
#include "byline/str.h"

struct file_map {
	const uint8_t *data;	/* read-only, NULL when size == 0 */
	size_t size;
};

/* Opens a regular file for reading, and never waits; anything else is refused with ERR_IO. The caller closes *fd. */
enum err file_open_regular(const char *path, int *fd);

/* Maps a regular file read-only. Folders, sockets and the like are refused with ERR_IO. */
enum err file_map_open(const char *path, struct file_map *map);
void file_map_close(struct file_map *map);

/* Appends the whole file to `out`; ERR_LIMIT when it holds more than `limit` bytes. "-" is standard input.
 * A pipe that nobody writes to reads as empty; a terminal given by name is refused with ERR_IO. */
enum err file_read(const char *path, size_t limit, struct str *out);

bool file_exists(const char *path);
/* Does dir hold something of that name, a link that leads nowhere among them? Yes where it cannot be told: opening it
 * will say why. */
bool file_in_dir(const char *dir, const char *name);
bool file_is_dir(const char *path);
bool file_is_link(const char *path);				/* wherever it leads, or nowhere */
enum err file_size(const char *path, uint64_t *size);

/* mkdir -p. */
enum err file_mkdirs(const char *path);

struct file_writer {
	FILE *f;		/* write here with stdio */
	char *path, *tmp;
};

enum err file_writer_open(struct file_writer *w, const char *path);
enum err file_writer_commit(struct file_writer *w);	/* fflush, fsync, rename; reports full disks */
void file_writer_abort(struct file_writer *w);		/* removes the temporary file; safe after commit, on zeroed w */

/* The whole of file_writer for bytes in memory. */
enum err file_replace(const char *path, const void *data, size_t n);

/* Calls fn for each regular file below `dir` in byte order of the names (never following links out of it),
 * with the path relative to dir. A non-OK return ends the walk. */
enum err file_walk(const char *dir, enum err (*fn)(void *arg, const char *rel), void *arg);

/* rm -r of a folder we made. */
enum err file_remove_tree(const char *dir);
/* The same of a file or link too, which is not followed; OK when nothing is there. */
enum err file_remove_any(const char *path);

/* An advisory lock held until file_unlock or the end of the process. ERR_BUSY when another process holds it. */
enum err file_lock(const char *path, int *fd);
void file_unlock(int fd);

/* "dir/name" in fresh memory; a `dir` of "" or NULL gives name alone. */
char *path_join(const char *dir, const char *name);
/* The part after the last '/', pointing into path. */
const char *path_base(const char *path);

#endif
