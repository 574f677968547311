/*
 * err: how every floor reports what went wrong.
 *
 * A function that can fail returns `enum err` and leaves, for this thread, one line that says what, where and what to
 * do. Data comes out through pointers. Only main, cli and tui print or exit. Thread-local, so workers need no lock.
 */
#ifndef BYLINE_ERR_H
#define BYLINE_ERR_H

#include <stddef.h>

enum err {
	OK = 0,
	ERR_USAGE,	/* the caller asked for something that makes no sense */
	ERR_IO,		/* the operating system said no */
	ERR_FORMAT,	/* a file is not what it claims to be */
	ERR_LIMIT,	/* larger than we are willing to take */
	ERR_MEMORY,	/* an allocation that is allowed to fail did */
	ERR_MISSING,	/* something named does not exist */
	ERR_EXISTS,	/* something that must be new is there already */
	ERR_BUSY,	/* another process holds it */
	ERR_MISMATCH,	/* two things that must agree do not (hash, shape, version) */
	ERR_UNSUPPORTED,/* understood, and refused by name */
	ERR_CANCELLED,	/* the user, or a signal, stopped the job */
	ERR_INTERNAL	/* a bug of ours */
};

/* Bytes of the longest message, its NUL included. One that would be longer loses its middle, so that a stranger's name,
 * however long, never hides what is wrong with it. */
#define ERR_MESSAGE 1024

/* Stores the formatted message and returns `code`: `return err_set(ERR_IO, "read %s: %s", path, strerror(errno));` */
enum err err_set(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<prefix>: " before the stored message and returns `code`; for callers that know the where. */
enum err err_prefix(enum err code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The stored message, "" if none. Valid until this thread's next err_ call. Not yet escaped for a terminal. */
const char *err_message(void);

/* Copies it into `size` bytes, at least 64, without its middle where they are too few. */
void err_copy(char *to, size_t size);

void err_clear(void);

/* `if` without the `if`: propagate the first failure. */
#define TRY(expr) do { enum err try_err_ = (expr); if (try_err_ != OK) return try_err_; } while (0)

/* The same inside a function that cleans up at label `out` and keeps its result in `enum err err`. */
#define TRY_OUT(expr) do { err = (expr); if (err != OK) goto out; } while (0)

#endif
