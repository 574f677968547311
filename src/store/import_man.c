/* import_man: manual pages; authors and licence from the comments at their top, text without its typesetting. */
#include "config.h"

#include "holders.h"
#include "import_files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "byline/mem.h"
#include "roff.h"

/* The pipe's bytes, at most `limit`; what is beyond is not read. */
static enum err
read_pipe(int fd, size_t limit, const char *path, struct str *out)
{
	char buf[65536];
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(ERR_IO, "%s: reading from gzip: %s", path, strerror(errno));
		if (out->len + (size_t)n > limit)
			return err_set(ERR_LIMIT, "%s: more than %zu bytes when unpacked", path, limit);
		str_add(out, buf, (size_t)n);
	}
	return OK;
}

static int
spawn_gzip(const char *path, int out, pid_t *pid)
{
	extern char **environ;
	char *argv[] = {xstrdup("gzip"), xstrdup("-dc"), xstrdup("--"), xstrdup(path), NULL};
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int why = posix_spawnp(pid, "gzip", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return why;
}

/* The system's own gzip unpacks: no shell between, so no path can say anything to one. */
static enum err
unpack(const char *path, size_t limit, struct str *out)
{
	int ends[2], status = 0;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(ERR_IO, "%s: pipe: %s", path, strerror(errno));
	int why = spawn_gzip(path, ends[1], &pid);
	close(ends[1]);
	enum err err = why ? err_set(ERR_MISSING, "%s: gzip is needed to unpack it: %s", path, strerror(why))
		: read_pipe(ends[0], limit, path, out);
	close(ends[0]);
	while (!why && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (err == OK && status != 0)
		err = err_set(ERR_FORMAT, "%s: gzip cannot unpack it", path);
	return err;
}

/* ---- who ---- */

static bool
is_comment(const char *s, size_t n)
{
	size_t at = 1;
	if (n < 3 || (*s != '.' && *s != '\''))
		return false;
	while (at < n && (s[at] == ' ' || s[at] == '\t'))
		at++;
	return n - at >= 2 && s[at] == '\\' && (s[at + 1] == '"' || s[at + 1] == '#');
}

/* The comments alone: the words of a page may well speak of other people's copyright. */
static void
comments_of(const char *s, size_t n, struct str *out)
{
	n = n < HOLDERS_HEAD ? n : HOLDERS_HEAD;
	str_adds(out, "");
	for (size_t at = 0; at < n;) {
		const char *end = memchr(s + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (s + at)) : n - at;
		if (is_comment(s + at, len)) {
			str_add(out, s + at, len);
			str_addc(out, '\n');
		}
		at += len + 1;
	}
}

/* Pages without such comments often have a section for it. */
static void
section_holders(const char *text, struct record *r)
{
	static const char heading[] = "\nCOPYRIGHT\n";
	const char *at = strstr(text, heading);
	if (!at)
		return;
	at += strlen(heading);
	const char *end = strstr(at, "\n\n");
	holders_scan(at, end ? (size_t)(end - at) : strlen(at), r);
}

static void
page_record(const struct roff_page *page, const char *source, size_t n, const char *rel, struct record *r)
{
	struct str comments = {0};
	comments_of(source, n, &comments);
	holders_scan(comments.s, comments.len, r);
	str_free(&comments);
	str_add(&r->text, page->text.s ? page->text.s : "", page->text.len);
	if (r->people.n == 0)
		section_holders(r->text.s, r);
	if (page->name && *page->name)
		r->title = xasprintf("%s(%s)", page->name, page->section);
	else
		r->title = file_stem(rel);
	if (page->date && *page->date) {
		free(r->date);
		r->date = xstrdup(page->date);
	}
	r->source = xstrdup(rel);
}

static enum err
take_page(struct importer *im, const char *path, const char *rel, const struct str *bytes)
{
	struct roff_page page;
	struct record r = {0};
	roff_read(bytes->s ? bytes->s : "", bytes->len, &page);
	enum err err;
	if (page.redirect && page.text.len == 0) {
		err = importer_skip(im, path, 0, "only points to another page", page.redirect);
	} else {
		page_record(&page, bytes->s ? bytes->s : "", bytes->len, rel, &r);
		err = importer_add(im, path, 0, &r);
	}
	record_free(&r);
	roff_page_free(&page);
	return err;
}

static enum err
take_file(struct importer *im, const char *path, const char *rel, const struct str *bytes)
{
	if (bytes->len < 2 || memcmp(bytes->s, "\x1f\x8b", 2) != 0)
		return take_page(im, path, rel, bytes);
	struct str plain = {0};
	enum err err = unpack(path, im->max_bytes, &plain);
	if (err == OK)
		err = take_page(im, path, rel, &plain);
	else if (err != ERR_MISSING && err != ERR_IO)	/* without gzip every page would fail alike: the import ends */
		err = importer_skip(im, path, 0, "cannot be unpacked", err_message());
	str_free(&plain);
	return err;
}

enum err
import_man(struct importer *im, const char *path)
{
	return import_files(im, path, true, take_file);
}
