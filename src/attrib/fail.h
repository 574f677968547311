/*
 * fail: an error carried from a worker to the thread that asked, since messages are thread-local.
 */
#ifndef BYLINE_ATTRIB_FAIL_H
#define BYLINE_ATTRIB_FAIL_H

#include <stddef.h>

#include "byline/err.h"

struct fail { enum err code; char message[512]; };

/* Keeps the first error of this slot together with the calling thread's message. Returns err. */
enum err fail_keep(struct fail *f, enum err err);
/* The first failed slot's error, with its message made this thread's; OK when there is none. */
enum err fail_raise(const struct fail *f, size_t n);

#endif
