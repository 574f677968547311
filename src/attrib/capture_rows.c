/* capture_rows: slots with a checksum, in one file. */
#include "capture_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/mem.h"

#include "features_internal.h"

enum { HEADER_BYTES = 4096, HEAD_FLOATS = 16 };
#define ROWS_MAGIC "byline capture 1"

/* Before the floats of a slot; as large as a cache line, so that they are aligned. */
struct head {
	uint64_t visit;			/* from 1; 0: never written */
	uint64_t sum;
	uint64_t place;			/* which slot of the file this is */
	uint64_t room[5];
};
_Static_assert(sizeof(struct head) == HEAD_FLOATS * sizeof(float), "a head takes 16 floats");

struct file_head {
	char magic[24], identity[HASH_HEX + 7];
	uint64_t rows, stride;
	int64_t done;
	uint64_t sum;			/* of all before it */
};

/* ---- slots in memory ---- */

static uint64_t
slot_floats(size_t values)
{
	return HEAD_FLOATS + (values + 15) / 16 * 16;
}

size_t
capture_slot_floats(const struct feature_layout *l, size_t hidden)
{
	size_t most = hidden;
	for (int i = 0; i < l->n_blocks; i++)
		most = block_values(&l->block[i]) > most ? block_values(&l->block[i]) : most;
	return slot_floats(most);
}

float *
capture_slot_values(float *slot)
{
	return slot + HEAD_FLOATS;
}

/* Differs when any one word does: each is multiplied by an odd number of its own. */
static uint64_t
checksum(const void *data, size_t n_words)
{
	const unsigned char *p = data;
	uint64_t sum = 0;
	for (size_t i = 0; i < n_words; i++) {
		uint32_t word;
		memcpy(&word, p + 4 * i, sizeof(word));
		sum += word * (2 * (uint64_t)i + 1);
	}
	return sum;
}

/* ---- the file ---- */

void
capture_rows_init(struct capture_rows *r, const char *path, const struct feature_layout *l, size_t n,
	size_t hidden, const char *identity)
{
	*r = (struct capture_rows){ .path = xstrdup(path), .fd = -1, .layout = l, .n = n, .hidden = hidden };
	memcpy(r->identity, identity, HASH_HEX);
	r->at = xcalloc((size_t)l->n_blocks + 1, sizeof(*r->at));
	for (int i = 0; i < l->n_blocks; i++) {
		r->at[i] = r->stride;
		r->stride += 2 * slot_floats(block_values(&l->block[i])) * sizeof(float);
	}
	r->at[l->n_blocks] = r->stride;
	r->stride += slot_floats(hidden) * sizeof(float);
}

void
capture_rows_free(struct capture_rows *r)
{
	if (r->path && r->fd >= 0)
		close(r->fd);
	free(r->path);
	free(r->at);
	*r = (struct capture_rows){ .fd = -1 };
}

static uint64_t
file_bytes(const struct capture_rows *r)
{
	return HEADER_BYTES + r->n * r->stride;
}

static enum err
cannot(const struct capture_rows *r, const char *what)
{
	return err_set(ERR_IO, "cannot %s %s: %s; the same command goes on when it can, or trains without an index with"
		" --no-capture", what, r->path, strerror(errno));
}

static enum err
damaged(const struct capture_rows *r, const char *what)
{
	return err_set(ERR_FORMAT, "%s is damaged: %s; train on with --no-capture and index the run afterwards, or"
		" begin it again under another name", r->path, what);
}

static enum err
put(const struct capture_rows *r, const void *data, size_t n, uint64_t at)
{
	for (const char *p = data; n > 0;) {
		ssize_t some = pwrite(r->fd, p, n, (off_t)at);
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return cannot(r, "write");
		p += some;
		at += (uint64_t)some;
		n -= (size_t)some;
	}
	return OK;
}

static enum err
get(const struct capture_rows *r, void *data, size_t n, uint64_t at)
{
	for (char *p = data; n > 0;) {
		ssize_t some = pread(r->fd, p, n, (off_t)at);
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0)
			return cannot(r, "read");
		if (some == 0)
			return damaged(r, "it ends too early");
		p += some;
		at += (uint64_t)some;
		n -= (size_t)some;
	}
	return OK;
}

static enum err
put_head(const struct capture_rows *r, int64_t done)
{
	struct file_head h = { .magic = ROWS_MAGIC, .rows = r->n, .stride = r->stride, .done = done };
	memcpy(h.identity, r->identity, HASH_HEX);
	h.sum = checksum(&h, offsetof(struct file_head, sum) / 4);
	return put(r, &h, sizeof(h), 0);
}

static enum err
sync_file(const struct capture_rows *r)
{
	return fdatasync(r->fd) == 0 ? OK : cannot(r, "write");
}

enum err
capture_rows_create(struct capture_rows *r)
{
	if (r->n > (INT64_MAX - HEADER_BYTES) / r->stride)
		return err_set(ERR_LIMIT, "%s: features of %zu examples are more than a file can hold", r->path, r->n);
	r->fd = open(r->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return cannot(r, "create");
	/* Where room cannot be asked for beforehand it is found, or not, on the way. */
	int fault = posix_fallocate(r->fd, 0, (off_t)file_bytes(r));
	if ((fault == EOPNOTSUPP || fault == EINVAL) && ftruncate(r->fd, (off_t)file_bytes(r)) == 0)
		fault = 0;
	if (fault != 0) {
		unlink(r->path);
		return err_set(ERR_IO, "%s: no room for the %" PRIu64 " MB that features take while the run is trained:"
			" %s; --k 32 takes a quarter, --no-capture nothing", r->path, file_bytes(r) >> 20,
			strerror(fault));
	}
	TRY(put_head(r, 0));
	return sync_file(r);
}

static enum err
check_head(const struct capture_rows *r, const struct file_head *h)
{
	struct stat st;
	if (memcmp(h->magic, ROWS_MAGIC, sizeof(ROWS_MAGIC)) != 0
		|| h->sum != checksum(h, offsetof(struct file_head, sum) / 4))
		return damaged(r, "its first bytes are not a capture's");
	if (memcmp(h->identity, r->identity, HASH_HEX) != 0 || h->rows != r->n || h->stride != r->stride)
		return err_set(ERR_MISMATCH, "%s: this run was begun with another --k or --curvature-tokens; give those"
			" again, or --no-capture", r->path);
	if (fstat(r->fd, &st) != 0 || (uint64_t)st.st_size != file_bytes(r))
		return damaged(r, "it has not the size it should have");
	return h->done >= 0 ? OK : damaged(r, "it counts no steps");
}

enum err
capture_rows_open(struct capture_rows *r, int64_t *done)
{
	struct file_head h;
	r->fd = open(r->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r->fd < 0 && errno == ENOENT)
		return err_set(ERR_MISSING, "%s is not there", r->path);
	if (r->fd < 0)
		return cannot(r, "open");
	TRY(get(r, &h, sizeof(h), 0));
	TRY(check_head(r, &h));
	*done = h.done;
	return OK;
}

enum err
capture_rows_save(struct capture_rows *r, int64_t done)
{
	TRY(sync_file(r));
	TRY(put_head(r, done));
	return sync_file(r);
}

/* ---- slots in the file ---- */

static size_t
values_at(const struct capture_rows *r, int block)
{
	return block < r->layout->n_blocks ? block_values(&r->layout->block[block]) : r->hidden;
}

static uint64_t
place_of(const struct capture_rows *r, size_t row, int block, int visit)
{
	uint64_t at = HEADER_BYTES + row * r->stride + r->at[block];
	if (block < r->layout->n_blocks && visit % 2 == 1)
		at += slot_floats(values_at(r, block)) * sizeof(float);
	return at;
}

enum err
capture_rows_write(const struct capture_rows *r, size_t row, int block, int visit, float *slot)
{
	size_t n = values_at(r, block);
	struct head h = { .visit = (uint64_t)visit + 1, .place = place_of(r, row, block, visit) };
	h.sum = checksum(slot + HEAD_FLOATS, n);
	memcpy(slot, &h, sizeof(h));
	return put(r, slot, (HEAD_FLOATS + n) * sizeof(float), h.place);
}

enum err
capture_rows_read(const struct capture_rows *r, size_t row, int block, int visit, float *slot)
{
	size_t n = values_at(r, block);
	struct head h;
	uint64_t place = place_of(r, row, block, visit);
	TRY(get(r, slot, (HEAD_FLOATS + n) * sizeof(float), place));
	memcpy(&h, slot, sizeof(h));
	if (h.visit != (uint64_t)visit + 1 || h.place != place || h.sum != checksum(slot + HEAD_FLOATS, n))
		return damaged(r, "what an example left in it is not whole");
	return OK;
}
