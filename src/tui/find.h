/* find: searching text as people expect: a needle in lower case matches both cases, one with capitals only itself. */
#ifndef TUI_FIND_H
#define TUI_FIND_H

#include <stdbool.h>
#include <stddef.h>

/* Offset of the first match in hay[from..n), or (size_t)-1. An empty needle never matches. *len: bytes of the match. */
size_t text_find(const char *hay, size_t n, size_t from, const char *needle, size_t *len);

#endif
