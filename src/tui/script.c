/* script: one key at a time, so that a script is as a person would be. */
#include <stdbool.h>

#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/utf8.h"

enum { SCRIPT_MAX = 1 << 20 };

enum err
script_open(struct script *s, const char *path)
{
	*s = (struct script){ .name = path, .active = path != NULL };
	return path ? file_read(path, SCRIPT_MAX, &s->text) : OK;
}

void
script_close(struct script *s)
{
	str_free(&s->text);
	str_free(&s->keys);
}

static enum err
save_screen(struct app *app, const char *path, bool inks)
{
	struct str out = {0};
	app_draw(app);
	if (app->terminal)
		terminal_show(app->terminal, &app->canvas);
	str_clear(&out);
	canvas_print(&app->canvas, &out, inks);
	enum err err = file_replace(path, out.s, out.len);
	str_free(&out);
	return err;
}

/* ---- keys ---- */

static enum err
script_key(struct script *s, struct app *app)
{
	const char *p = s->keys.s + s->key_at;
	size_t left = s->keys.len - s->key_at, n;
	int32_t key;
	if (s->typing) {
		n = utf8_decode(p, left, &key);
	} else {
		n = strcspn(p, " \t");
		key = key_parse(p, n);
		if (key == K_NONE)
			return err_set(ERR_FORMAT, "%s:%d: '%.*s' is not a key", s->name, s->line,
				(int)(n < 40 ? n : 40), p);
		n += strspn(p + n, " \t");
	}
	s->key_at += n;
	if (app_top(app))
		app_key(app, key);
	return OK;
}

static void
script_keys(struct script *s, const char *text, bool typing)
{
	str_clear(&s->keys);
	str_adds(&s->keys, typing ? text : text + strspn(text, " \t"));
	s->key_at = 0;
	s->typing = typing;
}

/* ---- lines ---- */

static bool
line_is(const char *line, const char *word, const char **rest)
{
	size_t n = strlen(word);
	if (strncmp(line, word, n) != 0 || (line[n] != '\0' && line[n] != ' '))
		return false;
	*rest = line + n + (line[n] == ' ');
	return true;
}

static enum err
script_line(struct script *s, struct app *app, const char *line, bool pending, bool *again)
{
	const char *rest;
	*again = false;
	if (line[0] == '#' || line[0] == '\0')
		return OK;
	if (line_is(line, ":wait", &rest))
		*again = pending;
	else if (line_is(line, ":pause", &rest))
		s->until = clock_monotonic() + atof(rest);
	else if (line_is(line, ":type", &rest))
		script_keys(s, rest, true);
	else if (line_is(line, ":save-screen", &rest) || line_is(line, ":save-inks", &rest))
		return save_screen(app, rest, line[6] == 'i');
	else if (line[0] == ':')
		app_fail(app, command_run(app, line + 1));
	else
		script_keys(s, line, false);
	return OK;
}

enum err
script_step(struct script *s, struct app *app, bool pending, bool *acted)
{
	*acted = false;
	if (!s->active || clock_monotonic() < s->until)
		return OK;
	if (s->key_at < s->keys.len) {
		*acted = true;
		return script_key(s, app);
	}
	if (s->at >= s->text.len) {
		s->active = false;
		return OK;
	}
	size_t n = strcspn(s->text.s + s->at, "\n");
	char *line = xstrndup(s->text.s + s->at, n);
	bool again;
	s->line++;
	enum err err = script_line(s, app, line, pending, &again);
	if (again)
		s->line--;
	else
		s->at += n + 1;
	*acted = !again;
	free(line);
	return err;
}

double
script_wait(const struct script *s)
{
	double left = s->until - clock_monotonic();
	return s->active && left > 0 ? left : -1;
}
