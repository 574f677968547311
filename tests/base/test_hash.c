/* hash: the published SHA-256 vectors, and that lengths are part of a hash of several pieces. */
#include "byline/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "unit.h"

/* FIPS 180-2, appendix B, and the empty message. */
static void
test_vectors(void **state)
{
	(void)state;
	static const struct { const char *text, *hex; } cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char hex[HASH_HEX];
		hash_bytes(cases[i].text, strlen(cases[i].text), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void
test_file(void **state)
{
	(void)state;
	char dir[] = "/tmp/byline-hash-XXXXXX", hex[HASH_HEX];
	assert_non_null(mkdtemp(dir));
	char *path = path_join(dir, "million"), *pipe = path_join(dir, "pipe");
	char *a = xmalloc(1000000);
	memset(a, 'a', 1000000);
	assert_ok(file_replace(path, a, 1000000));
	assert_ok(hash_file(path, hex));
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_err(hash_file(pipe, hex), ERR_IO);
	assert_ok(file_remove_tree(dir));
	assert_err(hash_file(path, hex), ERR_MISSING);
	assert_non_null(strstr(err_message(), path));
	assert_err(hash_file("/", hex), ERR_IO);
	assert_err(hash_file("/dev/zero", hex), ERR_IO);
	free(a);
	free(path);
	free(pipe);
}

static void
hash_two(const char *a, const char *b, char hex[HASH_HEX])
{
	struct hash_state h;
	hash_init(&h);
	hash_add(&h, a, strlen(a));
	hash_add(&h, b, strlen(b));
	hash_final(&h, hex);
}

static void
test_pieces(void **state)
{
	(void)state;
	char left[HASH_HEX], right[HASH_HEX], again[HASH_HEX], plain[HASH_HEX];
	hash_two("ab", "c", left);
	hash_two("a", "bc", right);
	hash_two("ab", "c", again);
	assert_string_not_equal(left, right);
	assert_string_equal(left, again);
	/* Stored identities depend on it: 8 bytes of length, low byte first, before each piece. */
	hash_bytes("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19, plain);
	assert_string_equal(left, plain);
	hash_two("", "abc", left);
	hash_two("abc", "", right);
	assert_string_not_equal(left, right);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pieces),
	};
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
