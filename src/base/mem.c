/* mem: allocation that either ends the program (x*) or says what was too large (mem_*). */
#include "byline/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void
mem_init(void)
{
	/* glibc raises its threshold to the largest array that was freed, and keeps as much again for later: a peak of
	 * memory that nothing accounts for. */
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

static void mem_die(void) __attribute__((noreturn));

static void
mem_die(void)
{
	fputs("byline: out of memory\n", stderr);
	/* exit(), not abort(): the explorer's exit handler gives the terminal back. */
	exit(EXIT_FAILURE);
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		mem_die();
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = n && size ? calloc(n, size) : calloc(1, 1);
	if (!p)
		mem_die();
	return p;
}

void *
xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);
	if (!q)
		mem_die();
	return q;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		mem_die();
	return xrealloc(p, bytes);
}

void *
xaligned(size_t alignment, size_t size)
{
	size_t room;
	if (__builtin_add_overflow(size, alignment, &room))
		mem_die();
	room = room / alignment * alignment;
	void *p = aligned_alloc(alignment, room);
	if (!p)
		mem_die();
	return memset(p, 0, room);
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(xmalloc(n), s, n);
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	char *p = xmalloc((size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

enum err
mem_array(void *out, size_t n, size_t size, const char *what)
{
	const size_t align = 64;
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - align)
		return err_set(ERR_LIMIT, "%s: %zu elements of %zu bytes are more than memory can address",
			what, n, size);
	bytes = bytes ? (bytes + align - 1) / align * align : align;
	void *p = aligned_alloc(align, bytes);
	if (!p)
		return err_set(ERR_MEMORY, "%s: no memory for %zu bytes", what, bytes);
	memset(p, 0, bytes);
	/* `out` points to a pointer of any type; copying its bytes is the way that breaks no aliasing rule. */
	memcpy(out, &p, sizeof(p));
	return OK;
}

void
mem_grow(void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return;
	size_t want = *cap < 8 ? 8 : *cap;
	while (want < need)
		want = want > SIZE_MAX / 2 ? need : want * 2;
	void *old;
	memcpy(&old, p, sizeof(old));
	old = xreallocarray(old, want, size);
	memcpy(p, &old, sizeof(old));
	*cap = want;
}
