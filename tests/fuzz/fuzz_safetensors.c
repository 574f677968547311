/* Any bytes as a safetensors file: what opens must hold only tensors that lie within it. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "byline/mem.h"
#include "byline/safetensors.h"

static void
touch(const struct st_file *f, const struct st_tensor *t, uint64_t *covered)
{
	const struct st_tensor *same;
	uint64_t n = t->count < 1000 ? t->count : 1000;
	float buf[1000];
	unsigned sum = 0;
	FUZZ_CHECK(st_find(f, t->name) == t);
	FUZZ_CHECK(t->data >= f->map.data && t->size <= f->map.size &&
		(size_t)(t->data - f->map.data) <= f->map.size - t->size);
	FUZZ_CHECK(t->count * st_dtype_size(t->dtype) == t->size);
	FUZZ_CHECK(st_want(f, t->name, t->n_dims, t->shape, &same) == OK && same == t);
	FUZZ_CHECK(st_read_f32(f, t, t->count - n, n + 1, buf) != OK);
	(void)st_read_f32(f, t, t->count - n, n, buf);
	for (uint64_t i = 0; i < t->size; i++)
		sum += t->data[i];
	*covered += t->size + (sum == 1u << 31);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct st_file f;
	int fd = memfd_create("fuzz", 0);
	char *path = xasprintf("/proc/self/fd/%d", fd);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (st_open(&f, path) == OK) {
		uint64_t covered = 0;
		for (size_t i = 0; i < f.n_tensors; i++)
			touch(&f, &f.tensors[i], &covered);
		FUZZ_CHECK(covered <= size);
		(void)st_meta(&f, "format");
	} else {
		FUZZ_CHECK(*err_message() && !f.tensors);
	}
	st_close(&f);
	close(fd);
	free(path);
	return 0;
}
