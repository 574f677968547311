/* grid: forkpty and libvterm. Uses only calls that libvterm 0.1 and 0.3 share. */
#include "grid.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "byline/utf8.h"
#include "unit.h"

/* Valgrind on a loaded machine is slow; somebody writing a test is not patient. */
static double
deadline(void)
{
	const char *s = getenv("BYLINE_GRID_DEADLINE");
	return s ? atof(s) : 60;
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- starting and ending ---- */

static int
on_prop(VTermProp prop, VTermValue *val, void *user)
{
	struct grid *g = user;
	if (prop == VTERM_PROP_ALTSCREEN)
		g->alternate = val->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_prop };

static void
child(char *const argv[], const char *const env[])
{
	/* Whoever runs the tests in the background has some of these ignored, and that is inherited. */
	static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		signal(ends[i], SIG_DFL);
	for (int i = 0; env && env[i]; i++) {
		const char *equals = strchr(env[i], '=');
		if (!equals) {
			unsetenv(env[i]);
			continue;
		}
		char *name = strndup(env[i], (size_t)(equals - env[i]));
		setenv(name, equals + 1, 1);
		free(name);
	}
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

void
grid_start(struct grid *g, int rows, int cols, char *const argv[], const char *const env[])
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	*g = (struct grid){ .rows = rows, .cols = cols };
	g->vt = vterm_new(rows, cols);
	vterm_set_utf8(g->vt, 1);
	g->screen = vterm_obtain_screen(g->vt);
	vterm_screen_enable_altscreen(g->screen, 1);
	vterm_screen_set_callbacks(g->screen, &callbacks, g);
	vterm_screen_reset(g->screen, 1);
	fflush(NULL);
	g->pid = forkpty(&g->fd, NULL, NULL, &size);
	assert_true(g->pid >= 0);
	if (g->pid == 0)
		child(argv, env);
	fcntl(g->fd, F_SETFL, O_NONBLOCK);
	str_clear(&g->raw);
}

void
grid_stop(struct grid *g)
{
	if (!g->ended) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, &g->status, 0);
	}
	close(g->fd);
	vterm_free(g->vt);
	str_free(&g->raw);
}

/* ---- moving bytes ---- */

/* Takes in what there is; waits up to `ms` for something. False when the other side is gone. */
static bool
grid_pump(struct grid *g, int ms)
{
	char buf[4096];
	struct pollfd p = { .fd = g->fd, .events = POLLIN };
	if (poll(&p, 1, ms) <= 0)
		return true;
	ssize_t n = read(g->fd, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	str_add(&g->raw, buf, (size_t)n);
	vterm_input_write(g->vt, buf, (size_t)n);
	return true;
}

static void
grid_drain(struct grid *g)
{
	size_t before;
	do {
		before = g->raw.len;
		if (!grid_pump(g, 0))
			break;
	} while (g->raw.len > before);
}

void
grid_send(struct grid *g, const char *bytes)
{
	for (size_t n = strlen(bytes), at = 0; at < n;) {
		ssize_t sent = write(g->fd, bytes + at, n - at);
		if (sent > 0)
			at += (size_t)sent;
		else if (!grid_pump(g, 10))
			break;
	}
}

void
grid_resize(struct grid *g, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	grid_drain(g);
	g->rows = rows;
	g->cols = cols;
	vterm_set_size(g->vt, rows, cols);
	ioctl(g->fd, TIOCSWINSZ, &size);
}

void
grid_signal(struct grid *g, int sig)
{
	kill(g->pid, sig);
}

/* ---- waiting ---- */

static void
grid_fail(struct grid *g, const char *what)
{
	struct str s = {0};
	grid_print(g, &s);
	fprintf(stderr, "waited in vain for: %s\n%s", what, s.s);
	str_free(&s);
	fail_msg("waited in vain for: %s", what);
}

void
grid_wait(struct grid *g, bool (*cond)(struct grid *g, const void *arg), const void *arg, const char *what)
{
	double until = now() + deadline();
	bool open = true;
	while (!cond(g, arg)) {
		if (now() > until || !open)
			grid_fail(g, what);
		open = grid_pump(g, 20);
	}
}

static bool
cond_has(struct grid *g, const void *arg)
{
	return grid_has(g, arg);
}

static bool
cond_gone(struct grid *g, const void *arg)
{
	return !grid_has(g, arg);
}

static bool
cond_file(struct grid *g, const void *arg)
{
	(void)g;
	return access(arg, F_OK) == 0;
}

void
grid_wait_text(struct grid *g, const char *text)
{
	grid_wait(g, cond_has, text, text);
}

void
grid_wait_gone(struct grid *g, const char *text)
{
	grid_wait(g, cond_gone, text, text);
}

void
grid_wait_file(struct grid *g, const char *path)
{
	grid_wait(g, cond_file, path, path);
	grid_drain(g);
}

void
grid_wait_end(struct grid *g)
{
	double until = now() + deadline();
	while (waitpid(g->pid, &g->status, WNOHANG) == 0) {
		if (now() > until)
			grid_fail(g, "the end of the program");
		grid_pump(g, 20);
	}
	g->ended = true;
	grid_drain(g);
}

/* ---- looking ---- */

static void
cell_text(const VTermScreenCell *cell, struct str *out)
{
	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++) {
		char bytes[4];
		str_add(out, bytes, utf8_encode((int32_t)cell->chars[i], bytes));
	}
	if (!cell->chars[0])
		str_addc(out, ' ');
}

static VTermScreenCell
grid_cell(struct grid *g, int row, int col)
{
	VTermScreenCell cell = {0};
	vterm_screen_get_cell(g->screen, (VTermPos){ .row = row, .col = col }, &cell);
	return cell;
}

void
grid_row(struct grid *g, int row, struct str *out)
{
	struct str s = {0};
	for (int col = 0; col < g->cols;) {
		VTermScreenCell cell = grid_cell(g, row, col);
		cell_text(&cell, &s);
		col += cell.width > 1 ? cell.width : 1;
	}
	str_trim(&s);
	str_add(out, s.s, s.len);
	str_free(&s);
}

/* By what was written last: libvterm saves and restores visibility with the cursor's place, which no terminal does. */
bool
grid_cursor_visible(const struct grid *g)
{
	bool visible = true;
	for (const char *p = g->raw.s; (p = strstr(p, "\033[?25")) != NULL; p += 6)
		visible = p[5] != 'l';
	return visible;
}

bool
grid_has(struct grid *g, const char *text)
{
	bool found = false;
	for (int row = 0; row < g->rows && !found; row++) {
		struct str s = {0};
		grid_row(g, row, &s);
		found = s.s && strstr(s.s, text);
		str_free(&s);
	}
	return found;
}

/* ---- printing with looks ---- */

enum { LOOKS_MAX = 26, LOOK_NAME = 48 };
struct looks { char name[LOOKS_MAX][LOOK_NAME]; int n; };

static void
color_name(const VTermColor *c, const char *what, char *out, size_t size)
{
	size_t n = strlen(out);
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		return;
	if (VTERM_COLOR_IS_INDEXED(c))
		snprintf(out + n, size - n, " %s %d", what, c->indexed.idx);
	else
		snprintf(out + n, size - n, " %s #%02x%02x%02x", what, c->rgb.red, c->rgb.green, c->rgb.blue);
}

static void
look_name(const VTermScreenCell *cell, char out[LOOK_NAME])
{
	snprintf(out, LOOK_NAME, "%s%s%s%s", cell->attrs.bold ? " bold" : "", cell->attrs.underline ? " underline" : "",
		cell->attrs.reverse ? " reverse" : "", cell->attrs.blink ? " blink" : "");
	color_name(&cell->fg, "fg", out, LOOK_NAME);
	color_name(&cell->bg, "bg", out, LOOK_NAME);
}

/* 0 for a plain cell, else a letter. */
static int
look_letter(struct looks *l, const VTermScreenCell *cell)
{
	char name[LOOK_NAME];
	look_name(cell, name);
	if (!name[0])
		return 0;
	int i = 0;
	while (i < l->n && strcmp(l->name[i], name) != 0)
		i++;
	if (i == l->n && l->n < LOOKS_MAX)
		memcpy(l->name[l->n++], name, sizeof(name));
	return 'a' + (i < LOOKS_MAX ? i : LOOKS_MAX - 1);
}

static void
print_row(struct grid *g, int row, struct looks *l, struct str *out)
{
	int look = 0;
	for (int col = 0; col < g->cols;) {
		VTermScreenCell cell = grid_cell(g, row, col);
		int letter = look_letter(l, &cell);
		if (letter != look) {
			str_adds(out, look ? "}" : "");
			if (letter)
				str_addf(out, "{%c:", letter);
			look = letter;
		}
		cell_text(&cell, out);
		col += cell.width > 1 ? cell.width : 1;
	}
	str_adds(out, look ? "}|\n" : "|\n");
}

void
grid_print(struct grid *g, struct str *out)
{
	struct looks l = { .n = 0 };
	VTermPos pos;
	for (int row = 0; row < g->rows; row++)
		print_row(g, row, &l, out);
	for (int i = 0; i < l.n; i++)
		str_addf(out, "%c:%s\n", 'a' + i, l.name[i]);
	vterm_state_get_cursorpos(vterm_obtain_state(g->vt), &pos);
	str_addf(out, "cursor %d,%d%s\n", pos.row, pos.col, grid_cursor_visible(g) ? " visible" : "");
}
