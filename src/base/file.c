/* file: whole-file reading and mapping, atomic replacement, tree walks, locks. */
#include "config.h"	/* large files */

#include "byline/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/mem.h"

/* A tree deeper than this is a mistake or an attack, and would use up file descriptors. */
enum { DEPTH_MAX = 128 };

/* Reports errno. */
static enum err
file_fail(const char *verb, const char *path)
{
	return err_set(errno == ENOENT ? ERR_MISSING : ERR_IO, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* ---- reading ---- */

enum err
file_open_regular(const char *path, int *fd)
{
	enum err err;
	struct stat st;
	/* O_NONBLOCK: opening a pipe nobody writes to must not hang. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0 && errno == ENOENT && lstat(path, &st) == 0)
		return err_set(ERR_MISSING, "cannot open %s: it is a link to something that is not there", path);
	if (*fd < 0)
		return file_fail("open", path);
	if (fstat(*fd, &st) != 0)
		err = file_fail("read", path);
	else if (!S_ISREG(st.st_mode))
		err = err_set(ERR_IO, "cannot read %s: not a regular file", path);
	else
		return OK;
	close(*fd);
	*fd = -1;
	return err;
}

enum err
file_map_open(const char *path, struct file_map *map)
{
	enum err err = OK;
	struct stat st;
	int fd;
	*map = (struct file_map){0};
	TRY(file_open_regular(path, &fd));
	if (fstat(fd, &st) != 0) {
		err = file_fail("read", path);
		goto out;
	}
	if ((uintmax_t)st.st_size > SIZE_MAX) {
		err = err_set(ERR_LIMIT, "cannot map %s: larger than the address space", path);
		goto out;
	}
	if (st.st_size == 0)
		goto out;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err = file_fail("map", path);
	else
		*map = (struct file_map){ .data = p, .size = (size_t)st.st_size };
out:
	close(fd);
	return err;
}

void
file_map_close(struct file_map *map)
{
	/* munmap wants a pointer without const. */
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->size);
	*map = (struct file_map){0};
}

static enum err
file_read_fd(int fd, const char *path, size_t limit, struct str *out)
{
	size_t total = 0;
	for (;;) {
		char buf[16384];
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_fail("read", path);
		if (n == 0)
			return OK;
		if ((size_t)n > limit - total)
			return err_set(ERR_LIMIT, "cannot read %s: more than %zu bytes", path, limit);
		str_add(out, buf, (size_t)n);
		total += (size_t)n;
	}
}

enum err
file_read(const char *path, size_t limit, struct str *out)
{
	str_add(out, "", 0);
	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", limit, out);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return file_fail("open", path);
	enum err err;
	/* A pipe with a writer is read as any file; what has none is empty, and a terminal would wait for somebody to
	 * type. */
	if (isatty(fd))
		err = err_set(ERR_IO, "cannot read %s: it is a terminal", path);
	else if (fcntl(fd, F_SETFL, 0) != 0)
		err = file_fail("read", path);
	else
		err = file_read_fd(fd, path, limit, out);
	close(fd);
	return err;
}

bool
file_exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

bool
file_in_dir(const char *dir, const char *name)
{
	struct stat st;
	char *path = path_join(dir, name);
	bool there = lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
	free(path);
	return there;
}

bool
file_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
file_is_link(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

enum err
file_size(const char *path, uint64_t *size)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return file_fail("look at", path);
	*size = (uint64_t)st.st_size;
	return OK;
}

/* ---- writing ---- */

enum err
file_mkdirs(const char *path)
{
	enum err err = OK;
	char *copy = xstrdup(path);
	for (char *p = copy; err == OK && *p;) {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		char cut = *p;
		*p = '\0';
		if (mkdir(copy, 0777) != 0) {
			/* Looking whether it is there already forgets why it could not be made. */
			int why = errno;
			bool there = file_is_dir(copy);
			errno = why;
			err = there ? OK : file_fail("make the folder", copy);
		}
		*p = cut;
	}
	free(copy);
	return err;
}

enum err
file_writer_open(struct file_writer *w, const char *path)
{
	*w = (struct file_writer){
		.path = xstrdup(path),
		.tmp = xasprintf("%s.tmp.%ld", path, (long)getpid()),
	};
	/* Only a dead process that had our number can have left one. */
	unlink(w->tmp);
	int fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0)
		w->f = fdopen(fd, "wb");
	if (w->f)
		return OK;
	enum err err = file_fail("write", path);
	if (fd >= 0)
		close(fd);
	file_writer_abort(w);
	return err;
}

/* Some file systems have no fsync for folders, or none at all; that is not a failed write. */
static bool
file_sync(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

static enum err
file_sync_folder(const char *path)
{
	const char *base = path_base(path);
	char *dir = base == path ? xstrdup(".") : xstrndup(path, (size_t)(base - path));
	enum err err = OK;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A folder we may write to but not read cannot be synced. */
	if (fd >= 0 && !file_sync(fd))
		err = file_fail("write", path);
	if (fd >= 0)
		close(fd);
	free(dir);
	return err;
}

/* Everything up to the moment the temporary file is whole and closed. */
static enum err
file_writer_finish(struct file_writer *w)
{
	errno = 0;
	/* The flag remembers an earlier failed write, whose errno is gone by now. */
	bool good = fflush(w->f) == 0 && !ferror(w->f) && file_sync(fileno(w->f));
	int why = errno ? errno : EIO;
	if (fclose(w->f) != 0 && good) {
		good = false;
		why = errno;
	}
	w->f = NULL;
	errno = why;
	return good ? OK : file_fail("write", w->path);
}

enum err
file_writer_commit(struct file_writer *w)
{
	enum err err;
	TRY_OUT(file_writer_finish(w));
	if (rename(w->tmp, w->path) != 0) {
		err = file_fail("replace", w->path);
		goto out;
	}
	free(w->tmp);
	w->tmp = NULL;
	err = file_sync_folder(w->path);
out:
	file_writer_abort(w);
	return err;
}

void
file_writer_abort(struct file_writer *w)
{
	if (w->f)
		fclose(w->f);
	if (w->tmp)
		unlink(w->tmp);
	free(w->tmp);
	free(w->path);
	*w = (struct file_writer){0};
}

enum err
file_replace(const char *path, const void *data, size_t n)
{
	struct file_writer w;
	TRY(file_writer_open(&w, path));
	if (n > 0 && fwrite(data, 1, n, w.f) != n) {
		enum err err = file_fail("write", path);
		file_writer_abort(&w);
		return err;
	}
	return file_writer_commit(&w);
}

/* ---- trees ---- */

struct names {
	char **v;
	size_t n, cap;
};

static void
names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

static int
names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted names in the folder `fd`, which stays open. */
static enum err
names_read(int fd, const char *path, struct names *names)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		enum err err = file_fail("list", path);
		if (copy >= 0)
			close(copy);
		return err;
	}
	struct dirent *e;
	errno = 0;
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			mem_grow(&names->v, &names->cap, names->n + 1, sizeof(*names->v));
			names->v[names->n++] = xstrdup(e->d_name);
		}
		errno = 0;
	}
	enum err err = errno ? file_fail("list", path) : OK;
	closedir(d);
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), names_compare);
	return err;
}

/* What a walk does at each name of a folder, the name's path relative to the top in `rel`. */
struct walk {
	enum err (*visit)(struct walk *w, int dir, const char *name, const char *rel, const struct stat *st, int depth);
	enum err (*fn)(void *arg, const char *rel);
	void *arg;
	const char *top;
};

static enum err
walk_folder(struct walk *w, int fd, const char *rel, int depth)
{
	struct names names = {0};
	enum err err;
	if (depth > DEPTH_MAX) {
		err = err_set(ERR_LIMIT, "%s: folders nested more than %d deep", w->top, DEPTH_MAX);
		goto out;
	}
	TRY_OUT(names_read(fd, *rel ? rel : w->top, &names));
	for (size_t i = 0; err == OK && i < names.n; i++) {
		struct stat st;
		char *below = path_join(rel, names.v[i]);
		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			err = w->visit(w, fd, names.v[i], below, &st, depth);
		else if (errno != ENOENT)	/* gone since we listed it: nothing to do */
			err = file_fail("look at", below);
		free(below);
	}
out:
	names_free(&names);
	close(fd);
	return err;
}

static enum err
walk_down(struct walk *w, int dir, const char *name, const char *rel, int depth)
{
	/* O_NOFOLLOW: a folder swapped for a link since fstatat must not lead us out. */
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? file_fail("open", rel) : walk_folder(w, fd, rel, depth + 1);
}

static enum err
walk_visit(struct walk *w, int dir, const char *name, const char *rel, const struct stat *st, int depth)
{
	if (S_ISDIR(st->st_mode))
		return walk_down(w, dir, name, rel, depth);
	return S_ISREG(st->st_mode) ? w->fn(w->arg, rel) : OK;
}

enum err
file_walk(const char *dir, enum err (*fn)(void *arg, const char *rel), void *arg)
{
	struct walk w = { .visit = walk_visit, .fn = fn, .arg = arg, .top = dir };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? file_fail("open", dir) : walk_folder(&w, fd, "", 0);
}

static enum err
remove_visit(struct walk *w, int dir, const char *name, const char *rel, const struct stat *st, int depth)
{
	bool folder = S_ISDIR(st->st_mode);
	if (folder)
		TRY(walk_down(w, dir, name, rel, depth));
	return unlinkat(dir, name, folder ? AT_REMOVEDIR : 0) == 0 ? OK : file_fail("remove", rel);
}

enum err
file_remove_tree(const char *dir)
{
	struct walk w = { .visit = remove_visit, .top = dir };
	TRY(walk_down(&w, AT_FDCWD, dir, "", -1));
	return rmdir(dir) == 0 ? OK : file_fail("remove", dir);
}

enum err
file_remove_any(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK : file_fail("remove", path);
	if (S_ISDIR(st.st_mode))
		return file_remove_tree(path);
	return unlink(path) == 0 ? OK : file_fail("remove", path);
}

/* ---- locks and names ---- */

enum err
file_lock(const char *path, int *fd)
{
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (*fd < 0)
		return file_fail("lock", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	enum err err = errno == EWOULDBLOCK ? err_set(ERR_BUSY, "%s is held by another process", path)
		: file_fail("lock", path);
	close(*fd);
	*fd = -1;
	return err;
}

void
file_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

char *
path_join(const char *dir, const char *name)
{
	if (!dir || !*dir)
		return xstrdup(name);
	return xasprintf("%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

const char *
path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}
