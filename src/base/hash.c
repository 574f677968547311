/* hash: SHA-256 as hex. */
#include "byline/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "byline/file.h"

static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct hash_state), "hash_state must hold libsodium's");

static crypto_hash_sha256_state *
hash_inner(struct hash_state *h)
{
	return (crypto_hash_sha256_state *)(void *)h->opaque;
}

void
hash_bytes(const void *data, size_t n, char hex[HASH_HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(digest, data, n);
	sodium_bin2hex(hex, HASH_HEX, digest, sizeof(digest));
}

enum err
hash_file(const char *path, char hex[HASH_HEX])
{
	int fd;
	struct hash_state h;
	unsigned char buf[16384];
	ssize_t n;
	TRY(file_open_regular(path, &fd));
	hash_init(&h);
	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			crypto_hash_sha256_update(hash_inner(&h), buf, (size_t)n);
	enum err err = OK;
	if (n < 0)
		err = err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
	close(fd);
	hash_final(&h, hex);
	return err;
}

void
hash_init(struct hash_state *h)
{
	crypto_hash_sha256_init(hash_inner(h));
}

void
hash_add(struct hash_state *h, const void *data, size_t n)
{
	unsigned char length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)((uint64_t)n >> (8 * i));
	crypto_hash_sha256_update(hash_inner(h), length, sizeof(length));
	crypto_hash_sha256_update(hash_inner(h), data, n);
}

void
hash_final(struct hash_state *h, char hex[HASH_HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_final(hash_inner(h), digest);
	sodium_bin2hex(hex, HASH_HEX, digest, sizeof(digest));
}
