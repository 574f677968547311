/*
 * mem: allocation.
 *
 * x*: small things; they end the program when memory is gone (there is nothing left to say it with).
 * mem_*: big or stranger-sized things; they fail with ERR_MEMORY or ERR_LIMIT. All memory is the caller's to free().
 */
#ifndef BYLINE_MEM_H
#define BYLINE_MEM_H

#include <stddef.h>

#include "byline/err.h"

/* Once, at the beginning of the program: large arrays go back to the system when they are freed. */
void mem_init(void);

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
void *xaligned(size_t alignment, size_t size);	/* zeroed; alignment a power of 2 */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* *out = n * size zeroed bytes, 64-byte aligned; n * size is checked for overflow. n == 0 gives a valid pointer. */
enum err mem_array(void *out, size_t n, size_t size, const char *what);

/* Grows *p (element size `size`) so that index `need - 1` is valid; *cap is in elements. */
void mem_grow(void *p, size_t *cap, size_t need, size_t size);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
