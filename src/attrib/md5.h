/* md5: the digest of RFC 1321. Not for safety: bergson seeds its random projections with it. */
#ifndef BYLINE_ATTRIB_MD5_H
#define BYLINE_ATTRIB_MD5_H

#include <stddef.h>
#include <stdint.h>

void md5(const void *data, size_t n, uint8_t digest[16]);

#endif
