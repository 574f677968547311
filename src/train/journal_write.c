/* journal: making lines and appending them. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

#include "options.h"

char *
journal_path(const char *dir)
{
	return path_join(dir, "journal.jsonl");
}

static json_t *
text_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

/* ---- lines ---- */

static json_t *
dataset_json(const struct dataset *d)
{
	char hex[HASH_HEX];
	size_t heldout = 0;
	for (size_t i = 0; i < d->n; i++)
		heldout += d->heldout[i] != 0;
	dataset_hash(d, hex);
	return json_pack("{s:s, s:I, s:I, s:I}", "sha256", hex, "trained", (json_int_t)(d->n - heldout),
		"heldout", (json_int_t)heldout, "tokens", (json_int_t)dataset_tokens(d, false));
}

json_t *
journal_recipe(const struct model *m, const struct train_spec *spec, const char *tokenizer)
{
	char drop[HASH_HEX];
	if (spec->drop)
		hash_bytes(spec->drop, spec->data->n, drop);
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I}", "kind", "recipe", "version", 1,
		"model", model_config_json(&m->config), "options", options_json(&spec->options),
		"dataset", dataset_json(spec->data), "tokenizer", text_or_null(tokenizer),
		"drop", text_or_null(spec->drop ? drop : NULL), "steps", (json_int_t)train_steps(spec));
}

json_t *
journal_epoch(const struct train_status *s)
{
	return json_pack("{s:s, s:i, s:I, s:f, s:o, s:o}", "kind", "epoch", "epoch", s->epoch,
		"step", (json_int_t)s->step, "lr", s->lr, "loss", json_number(s->loss),
		"heldout", json_number(s->heldout));
}

json_t *
journal_checkpoint(const struct train_status *s, const char *sha256)
{
	return json_pack("{s:s, s:I, s:f, s:o, s:o, s:s}", "kind", "checkpoint", "step", (json_int_t)s->step,
		"lr", s->lr, "loss", json_number(s->loss), "heldout", json_number(s->heldout), "sha256", sha256);
}

json_t *
journal_finished(int64_t step, const char *sha256)
{
	return json_pack("{s:s, s:I, s:s}", "kind", "finished", "step", (json_int_t)step, "sha256", sha256);
}

/* ---- the file ---- */

static void
line_print(struct str *out, const json_t *line)
{
	json_print(out, line, 0);
	str_addc(out, '\n');
}

enum err
journal_begin(const char *dir, const json_t *recipe)
{
	struct str s = {0};
	char *path = journal_path(dir);
	line_print(&s, recipe);
	enum err err = file_replace(path, s.s, s.len);
	free(path);
	str_free(&s);
	return err;
}

enum err
journal_size(const char *dir, uint64_t *bytes)
{
	char *path = journal_path(dir);
	enum err err = file_size(path, bytes);
	free(path);
	return err;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return fsync(fd) == 0;
}

/* What was written of a line that did not fit is taken back, so that the next one does not join it. */
static enum err
append(const char *path, const char *p, size_t n)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), why = 0;
	if (fd < 0)
		return err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0)
		why = errno;
	else if (!write_all(fd, p, n)) {
		why = errno ? errno : EIO;
		if (ftruncate(fd, st.st_size) != 0)
			why = errno;
	}
	close(fd);
	return why == 0 ? OK : err_set(ERR_IO, "cannot write %s: %s", path, strerror(why));
}

enum err
journal_append(const char *dir, json_t *line)
{
	struct str s = {0};
	char *path = journal_path(dir);
	line_print(&s, line);
	json_decref(line);
	enum err err = append(path, s.s, s.len);
	free(path);
	str_free(&s);
	return err;
}

enum err
journal_cut(const char *dir, uint64_t bytes)
{
	char *path = journal_path(dir), last = 0;
	enum err err = OK;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
	else if (bytes == 0 || bytes > INT64_MAX || pread(fd, &last, 1, (off_t)bytes - 1) != 1 || last != '\n')
		err = err_set(ERR_FORMAT, "%s: its lines do not fit the resume point: remove resume.safetensors to"
			" begin again", path);
	else if (ftruncate(fd, (off_t)bytes) != 0 || fsync(fd) != 0)
		err = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}
