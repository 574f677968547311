/* bergson_files: see bergson_files.h. */
#include "bergson_files.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/half.h"
#include "byline/mem.h"

enum { PIECE = 1 << 20 };

enum err
bergson_real(const char *dir, char **out)
{
	*out = realpath(dir, NULL);
	return *out ? OK : err_set(ERR_MISSING, "%s: there is no such folder", dir);
}

enum err
bergson_link(const char *dir, const char *link)
{
	char *real = NULL;
	TRY(bergson_real(dir, &real));
	enum err err = symlink(real, link) == 0 ? OK : err_set(ERR_IO, "%s: cannot make the link: %s", link,
		strerror(errno));
	free(real);
	return err;
}

static enum err
copy_file(const char *from, const char *to, struct job *job)
{
	struct file_map map;
	struct file_writer w = {0};
	enum err err;
	TRY(file_map_open(from, &map));
	job_phase(job, "copying", map.size);
	TRY_OUT(file_writer_open(&w, to));
	for (size_t at = 0; at < map.size; at += PIECE) {
		size_t n = map.size - at < PIECE ? map.size - at : PIECE;
		TRY_OUT(job_check(job));
		if (fwrite(map.data + at, 1, n, w.f) != n)
			TRY_OUT(err_set(ERR_IO, "%s: cannot write: %s", to, strerror(errno)));
		job_step(job, at + n);
	}
	err = file_writer_commit(&w);
out:
	file_writer_abort(&w);
	file_map_close(&map);
	return err;
}

enum err
bergson_copy(const char *dir, const char *to, struct job *job)
{
	TRY(file_mkdirs(to));
	for (int i = 0; i < n_bergson_files; i++) {
		char *from = path_join(dir, bergson_files[i]), *at = path_join(to, bergson_files[i]);
		enum err err = file_exists(from) ? copy_file(from, at, job) : OK;
		free(from);
		free(at);
		TRY(err);
	}
	return OK;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* All bits of the exponent set: an infinity, or no number. */
static bool
is_broken(const uint8_t *p, enum st_dtype dtype)
{
	uint32_t low = (uint32_t)p[0] | (uint32_t)p[1] << 8;
	if (dtype == ST_F16)
		return (low & 0x7c00u) == 0x7c00u;
	if (dtype == ST_BF16)
		return (low & 0x7f80u) == 0x7f80u;
	return (((uint32_t)p[2] | (uint32_t)p[3] << 8) & 0x7f80u) == 0x7f80u;
}

static bool
row_broken(const uint8_t *row, const struct bergson_info *info)
{
	size_t each = st_dtype_size(info->dtype);
	for (uint64_t i = 0; i < info->width; i++)
		if (is_broken(row + i * each, info->dtype))
			return true;
	return false;
}

enum err
bergson_check_rows(const char *dir, const struct bergson_info *info, struct job *job, uint64_t *broken,
	char hex[HASH_HEX])
{
	struct file_map map;
	char *path = path_join(dir, BERGSON_GRADIENTS);
	uint64_t bytes = bergson_row_bytes(info);
	enum err err = file_map_open(path, &map);
	*broken = 0;
	job_phase(job, "checking rows", info->n_rows);
	if (err == OK && map.size / bytes != info->n_rows)
		err = err_set(ERR_MISMATCH, "%s: its size has changed", path);
	for (uint64_t i = 0; err == OK && i < info->n_rows; i++) {
		*broken += row_broken(map.data + i * bytes, info) ? 1 : 0;
		if (i % 256 != 0)
			continue;
		job_step(job, i);
		err = job_check(job);
	}
	file_map_close(&map);
	if (err == OK)
		err = hash_file(path, hex);
	free(path);
	return err;
}
