/* Any bytes as text.safetensors: what opens must answer within itself, and every place it reports must hold the bytes. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "byline/mem.h"
#include "verbatim_private.h"

static const char question[] = "the tap at the end of Hollow Lane\xff and the tap isn't \xe6\xbc\xa2 the end of the tap";

/* The store's part, as if it agreed with the file. */
static void
agree(struct verbatim *v)
{
	size_t n = v->corpus.n_works;
	v->work = xcalloc(n, sizeof(*v->work));
	v->checked = xcalloc(n, sizeof(*v->checked));
	for (size_t i = 0; i < n; i++) {
		v->work[i].id = v->id[i];
		atomic_store(&v->checked[i], 1);
	}
}

static size_t
work_at(const struct verbatim *v, int64_t id)
{
	for (size_t i = 0; i < v->corpus.n_works; i++)
		if (v->id[i] == id)
			return i;
	FUZZ_CHECK(!"a work of the file");
	return 0;
}

static void
check(const struct verbatim *v, const struct verbatim_span *span)
{
	size_t n = span->to - span->from;
	FUZZ_CHECK(span->from < span->to && span->to < sizeof(question));
	FUZZ_CHECK(span->n_listed <= span->n_places && !(span->chance < 0) && !(span->chance > 1));
	for (size_t i = 0; i < span->n_listed; i++) {
		size_t w = work_at(v, span->place[i].work), at = v->start[w] + (size_t)span->place[i].from;
		FUZZ_CHECK(at + n < v->start[w + 1] && memcmp(v->corpus.text + at, question + span->from, n) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verbatim *v = xcalloc(1, sizeof(*v));
	int fd = memfd_create("fuzz", 0);
	char *path = xasprintf("/proc/self/fd/%d", fd);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (verbatim_map(v, path) == OK) {
		struct verbatim_span *span;
		size_t n;
		agree(v);
		FUZZ_CHECK(verbatim_spans(v, question, sizeof(question) - 1, 2, &span, &n) == OK);
		for (size_t i = 0; i < n; i++)
			check(v, &span[i]);
		verbatim_spans_free(span, n);
	} else {
		FUZZ_CHECK(*err_message());
	}
	verbatim_close(v);
	close(fd);
	free(path);
	return 0;
}
