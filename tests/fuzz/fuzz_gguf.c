/* Any bytes as a GGUF file: what opens must hold only values and tensors that lie within it, and what is made of it is
 * made or refused with a line. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/mem.h"
#include "byline/weights.h"

static void
touch_key(const struct gguf *g, const struct gguf_key *key)
{
	const uint8_t *at = NULL;
	const char *s;
	int64_t whole;
	double real;
	bool truth;
	size_t n, sum = 0;
	FUZZ_CHECK(gguf_find(g, key->name) == key && key->at <= key->end);
	FUZZ_CHECK(key->at >= g->map.data && key->end <= g->map.data + g->map.size);
	(void)gguf_int(g, key->name, 0, 100, 0, &whole);
	(void)gguf_real(g, key->name, 0, &real);
	(void)gguf_bool(g, key->name, false, &truth);
	if (gguf_str(g, key->name, &s, &n) == OK)
		FUZZ_CHECK((const uint8_t *)s + n == key->end);
	if (key->of == GGUF_STRING)
		while (gguf_next_string(key, &at, &s, &n))
			sum += n + 8;
	FUZZ_CHECK(key->of != GGUF_STRING || sum == (size_t)(key->end - key->at));
	for (uint64_t i = 0; key->of != GGUF_STRING && key->of != GGUF_ARRAY && i < key->n; i++)
		(void)gguf_number(key, i);
}

static void
touch_tensor(const struct weights *w, const struct weights_tensor *t, uint64_t *covered)
{
	const struct weights_tensor *same;
	uint64_t n = t->count < 100 ? t->count : 100;
	float buf[100];
	FUZZ_CHECK(weights_want(w, t->name, t->n_dims, t->shape, &same) == OK && same == t);
	FUZZ_CHECK(t->data >= w->gguf->map.data && t->size <= w->gguf->map.size &&
		(size_t)(t->data - w->gguf->map.data) <= w->gguf->map.size - t->size);
	FUZZ_CHECK(weights_read_f32(t, t->count - n, n + 1, buf) != OK);
	FUZZ_CHECK(weights_read_f32(t, t->count - n, n, buf) == OK && weights_read_f32(t, 0, n, buf) == OK);
	*covered += t->size;
}

static void
touch_all(const struct weights *w, size_t size)
{
	uint64_t covered = 0;
	for (size_t i = 0; i < w->gguf->n_keys; i++)
		touch_key(w->gguf, &w->gguf->keys[i]);
	for (size_t i = 0; i < w->n_tensors; i++)
		touch_tensor(w, &w->tensors[i], &covered);
	FUZZ_CHECK(covered <= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weights w;
	struct model m = {0};
	struct tokenizer *t;
	int fd = memfd_create("fuzz", 0);
	char *path = xasprintf("/proc/self/fd/%d", fd);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (weights_open(&w, path) == OK) {
		touch_all(&w, size);
		FUZZ_CHECK(checkpoint_load(path, &m) == OK || (*err_message() && !m.params));
		model_free(&m);
		m.config.vocab = 1 << 20;
		FUZZ_CHECK(checkpoint_tokenizer(path, &m, &t) == OK ? t != NULL : *err_message() && !t);
		tokenizer_free(t);
	} else {
		FUZZ_CHECK(*err_message() && !w.tensors);
	}
	weights_close(&w);
	close(fd);
	free(path);
	return 0;
}
