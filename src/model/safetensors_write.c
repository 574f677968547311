/* safetensors: writing a file in one pass, the header before the bytes. */
#include "byline/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/str.h"

struct st_slot {
	uint64_t at, size;	/* bytes, within the data */
	size_t unit;		/* bytes of one element */
};

static enum err
st_write_fail(const struct st_writer *w)
{
	return err_set(ERR_IO, "write %s: %s", w->file.path, strerror(errno));
}

enum err
st_writer_open(struct st_writer *w, const char *path)
{
	memset(w, 0, sizeof(*w));
	TRY(file_writer_open(&w->file, path));
	w->header = json_object();
	return OK;
}

void
st_writer_meta(struct st_writer *w, const char *key, const char *value)
{
	json_t *meta = json_object_get(w->header, "__metadata__");
	if (!meta) {
		meta = json_object();
		json_object_set_new(w->header, "__metadata__", meta);
	}
	json_object_set_new(meta, key, json_text(value, strlen(value)));
}

void
st_writer_declare(struct st_writer *w, const char *name, enum st_dtype dtype, int n_dims, const uint64_t *shape)
{
	assert(!w->started && n_dims >= 0 && n_dims <= ST_MAX_DIMS && !json_object_get(w->header, name));
	json_t *dims = json_array();
	uint64_t size = st_dtype_size(dtype);
	for (int i = 0; i < n_dims; i++) {
		bool over = __builtin_mul_overflow(size, shape[i], &size);
		assert(!over && size <= INT64_MAX);
		(void)over;
		json_array_append_new(dims, json_integer((json_int_t)shape[i]));
	}
	json_t *entry = json_pack("{s:s, s:o}", "dtype", st_dtype_name(dtype), "shape", dims);
	int bad = json_object_set_new(w->header, name, entry);
	assert(!bad && entry);
	(void)bad;
	w->slots = xreallocarray(w->slots, w->n + 1, sizeof(*w->slots));
	w->slots[w->n++] = (struct st_slot){ .size = size, .unit = st_dtype_size(dtype) };
	w->declared += size;
}

/* Large elements first, whatever the order of declaration: each tensor then begins at a multiple of its element's size,
 * which readers that map the file want. */
static void
st_lay_out(struct st_writer *w)
{
	uint64_t at = 0;
	for (size_t unit = 8; unit > 0; unit /= 2)
		for (size_t i = 0; i < w->n; i++)
			if (w->slots[i].unit == unit) {
				w->slots[i].at = at;
				at += w->slots[i].size;
			}
}

static void
st_print_header(struct st_writer *w, struct str *out)
{
	const char *name;
	json_t *entry;
	size_t i = 0;
	json_object_foreach(w->header, name, entry) {
		if (strcmp(name, "__metadata__") == 0)
			continue;
		const struct st_slot *slot = &w->slots[i++];
		json_object_set_new(entry, "data_offsets",
			json_pack("[I, I]", (json_int_t)slot->at, (json_int_t)(slot->at + slot->size)));
	}
	json_print(out, w->header, 0);
	str_fill(out, ' ', (8 - out->len % 8) % 8);
}

void
st_writer_plan(struct st_writer *w)
{
	memset(w, 0, sizeof(*w));
	w->header = json_object();
}

uint64_t
st_writer_size(struct st_writer *w)
{
	struct str text = {0};
	st_lay_out(w);
	st_print_header(w, &text);
	uint64_t size = sizeof(uint64_t) + text.len + w->declared;
	str_free(&text);
	return size;
}

enum err
st_writer_begin(struct st_writer *w)
{
	struct str text = {0};
	st_lay_out(w);
	st_print_header(w, &text);
	uint64_t n = text.len;
	w->data_at = sizeof(n) + n;
	w->started = true;
	bool good = fwrite(&n, sizeof(n), 1, w->file.f) == 1 && fwrite(text.s, 1, text.len, w->file.f) == text.len;
	str_free(&text);
	return good ? OK : st_write_fail(w);
}

/* Goes to where the next byte belongs. */
static enum err
st_seek(struct st_writer *w)
{
	while (w->slots[w->slot].size == w->in_slot) {
		w->slot++;
		w->in_slot = 0;
	}
	uint64_t want = w->slots[w->slot].at + w->in_slot;
	if (want != w->at && fseeko(w->file.f, (off_t)(w->data_at + want), SEEK_SET) != 0)
		return st_write_fail(w);
	w->at = want;
	return OK;
}

enum err
st_writer_bytes(struct st_writer *w, const void *data, uint64_t n)
{
	const char *from = data;
	assert(w->started);
	if (n > w->declared - w->written)
		return err_set(ERR_INTERNAL, "%s: more bytes than were declared", w->file.path);
	while (n > 0) {
		TRY(st_seek(w));
		uint64_t room = w->slots[w->slot].size - w->in_slot, part = n < room ? n : room;
		if (fwrite(from, 1, part, w->file.f) != part)
			return st_write_fail(w);
		w->in_slot += part;
		w->at += part;
		w->written += part;
		from += part;
		n -= part;
	}
	return OK;
}

enum err
st_writer_f32(struct st_writer *w, enum st_dtype dtype, const float *data, uint64_t n)
{
	assert(dtype == ST_F32 || dtype == ST_F16 || dtype == ST_BF16);
	if (dtype == ST_F32)
		return st_writer_bytes(w, data, n * sizeof(*data));
	uint8_t buf[8192];
	while (n > 0) {
		size_t part = n < sizeof(buf) / 2 ? n : sizeof(buf) / 2;
		(dtype == ST_F16 ? half_write_f16 : half_write_bf16)(buf, data, part);
		TRY(st_writer_bytes(w, buf, part * 2));
		data += part;
		n -= part;
	}
	return OK;
}

enum err
st_writer_commit(struct st_writer *w)
{
	enum err err = OK;
	if (!w->started || w->written != w->declared)
		err = err_set(ERR_INTERNAL, "%s: %" PRIu64 " of %" PRIu64 " declared bytes were written",
			w->file.path, w->written, w->declared);
	if (err == OK)
		err = file_writer_commit(&w->file);
	st_writer_abort(w);
	return err;
}

void
st_writer_abort(struct st_writer *w)
{
	file_writer_abort(&w->file);
	json_decref(w->header);
	free(w->slots);
	memset(w, 0, sizeof(*w));
}
