/* terminal: ncurses, opened with newterm so that a bad TERM is a message and not an exit. */
#include "config.h"	/* wide characters */

#include "terminal.h"

#include <curses.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "byline/mem.h"
#include "keys.h"
#include "restore.h"
#include "theme.h"

enum { ESC_DELAY_MS = 25, COPY_MAX = 8192, SIZE_MOST = 4096 };

struct terminal {
	SCREEN *screen;
	bool ascii;
	enum theme_depth depth;
	attr_t attrs[INKS];
	short pairs[INKS];
};

/* ---- opening ---- */

static enum err
terminal_refuse(const char *term)
{
	return err_set(ERR_USAGE, "a terminal of type '%s' cannot show the explorer; set TERM, or use 'byline ask'",
		term);
}

static enum err
terminal_check(const char **term)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(ERR_USAGE, "the explorer needs a terminal on standard input and output; "
			"'byline ask' does the same work without one");
	*term = getenv("TERM");
	if (!*term || !**term || strcmp(*term, "dumb") == 0)
		return terminal_refuse(*term ? *term : "");
	return OK;
}

static enum theme_depth
terminal_depth(enum tui_color color)
{
	const char *no_color = getenv("NO_COLOR");
	bool refused = color == TUI_COLOR_NEVER || (color == TUI_COLOR_AUTO && no_color && *no_color);
	if (refused || !has_colors())
		return THEME_MONO;
	start_color();
	use_default_colors();
	return COLORS >= 256 ? THEME_256 : THEME_8;
}

static void
terminal_inks(struct terminal *t)
{
	static const struct { unsigned look; attr_t attr; } kinds[] = {
		{ LOOK_BOLD, A_BOLD }, { LOOK_DIM, A_DIM }, { LOOK_UNDERLINE, A_UNDERLINE },
		{ LOOK_REVERSE, A_REVERSE },
	};
	for (int ink = 0; ink < INKS; ink++) {
		struct look look = theme_look(t->depth, (enum ink)ink);
		t->attrs[ink] = A_NORMAL;
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (look.attrs & kinds[i].look)
				t->attrs[ink] |= kinds[i].attr;
		t->pairs[ink] = 0;
		if (look.colour >= 0 && ink + 1 < COLOR_PAIRS) {
			t->pairs[ink] = (short)(ink + 1);
			init_pair(t->pairs[ink], (short)look.colour, -1);
		}
	}
}

/* Terminfo strings carry padding marks, $<5>, meant for tputs(). */
static void
undo_add(struct str *out, const char *s)
{
	while (*s) {
		const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
		if (!end)
			str_addc(out, *s);
		s = end ? end + 1 : s + 1;
	}
}

/* What takes a terminal out of the state that ncurses puts it in. */
static void
terminal_undo(struct str *out)
{
	const char *const strings[] = { exit_attribute_mode, orig_pair, keypad_local, cursor_normal, exit_ca_mode };
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		undo_add(out, strings[i] ? strings[i] : "");
}

/* Some terminals send these whatever mode they are in. */
static void
terminal_cursor_keys(void)
{
	static const struct { const char *bytes; int key; } keys[] = {
		{ "\033[A", KEY_UP }, { "\033[B", KEY_DOWN }, { "\033[C", KEY_RIGHT }, { "\033[D", KEY_LEFT },
		{ "\033[H", KEY_HOME }, { "\033[F", KEY_END }, { "\033[1~", KEY_HOME }, { "\033[4~", KEY_END },
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		define_key(keys[i].bytes, keys[i].key);
}

/* Typing Ctrl-Z throws away what was typed before it, perhaps between being told of it and reading it: a read must then
 * come back with nothing. */
static void
terminal_never_wait(void)
{
	struct termios t;
	if (tcgetattr(STDIN_FILENO, &t) != 0)
		return;
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	def_prog_mode();
}

static void
terminal_modes(void)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	terminal_never_wait();
	terminal_cursor_keys();
	if (!getenv("ESCDELAY"))
		set_escdelay(ESC_DELAY_MS);
}

/* ncurses believes LINES and COLUMNS before the terminal, and overflows on absurd ones. */
static bool
size_wild(const char *name)
{
	const char *value = getenv(name);
	char *end;
	long n = value ? strtol(value, &end, 10) : 1;
	return n < 1 || n > SIZE_MOST;
}

enum err
terminal_open(struct terminal **out, enum tui_color color, bool ascii)
{
	const char *term = NULL;
	TRY(terminal_check(&term));
	int code;
	if (setupterm(term, STDOUT_FILENO, &code) != 0)
		return err_set(ERR_USAGE, "this system does not know a terminal of type '%s'; set TERM, e.g. to xterm",
			term);
	struct str undo = {0};
	terminal_undo(&undo);
	del_curterm(cur_term);
	restore_arm(STDOUT_FILENO, undo.s, undo.len);
	str_free(&undo);
	if (size_wild("LINES") || size_wild("COLUMNS")) {
		use_env(FALSE);
		use_tioctl(TRUE);
	}
	SCREEN *screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		restore_disarm();
		return terminal_refuse(term);
	}
	struct terminal *t = xcalloc(1, sizeof(*t));
	t->screen = screen;
	t->ascii = ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	terminal_modes();
	t->depth = terminal_depth(color);
	terminal_inks(t);
	*out = t;
	return OK;
}

void
terminal_close(struct terminal *t)
{
	if (!t)
		return;
	curs_set(1);
	endwin();
	delscreen(t->screen);
	restore_disarm();
	free(t);
}

bool
terminal_ascii(const struct terminal *t)
{
	return t->ascii;
}

int
terminal_fd(const struct terminal *t)
{
	(void)t;
	return STDIN_FILENO;
}

/* ---- showing ---- */

void
terminal_size(struct terminal *t, int *rows, int *cols)
{
	(void)t;
	struct winsize w;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0
		&& (w.ws_row != LINES || w.ws_col != COLS))
		resizeterm(w.ws_row, w.ws_col);
	*rows = LINES;
	*cols = COLS;
}

/* False where the terminal's C library and we disagree about width: such a cell would shift all that follow. */
static bool
cell_agreed(const struct cell *cell)
{
	if (cell->cp[0] < 0x80)
		return true;
	if (wcwidth((wchar_t)cell->cp[0]) != cell->width)
		return false;
	for (int i = 1; i < CELL_POINTS && cell->cp[i]; i++)
		if (wcwidth((wchar_t)cell->cp[i]) != 0)
			return false;
	return true;
}

static void
cell_show(const struct terminal *t, int row, int col, const struct cell *cell)
{
	wchar_t wide[CELL_POINTS + 1] = {0};
	bool agreed = cell_agreed(cell);
	for (int i = 0; i < CELL_POINTS && agreed; i++)
		wide[i] = (wchar_t)cell->cp[i];
	if (!agreed)
		wide[0] = L'\ufffd';
	cchar_t cc;
	if (setcchar(&cc, wide, t->attrs[cell->ink], t->pairs[cell->ink], NULL) == OK)
		mvadd_wch(row, col, &cc);
}

void
terminal_show(struct terminal *t, const struct canvas *c)
{
	erase();
	for (int row = 0; row < c->rows && row < LINES; row++)
		for (int col = 0; col < c->cols && col < COLS; col++) {
			const struct cell *cell = &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
			if (cell->width > 0)
				cell_show(t, row, col, cell);
		}
	curs_set(c->cursor_shown ? 1 : 0);
	move(c->cursor_row, c->cursor_col);
	refresh();
}

void
terminal_redraw(struct terminal *t)
{
	(void)t;
	clearok(curscr, TRUE);
}

void
terminal_suspend(struct terminal *t)
{
	curs_set(1);
	endwin();
	restore_stop();
	terminal_redraw(t);
	refresh();
}

void
terminal_copy(struct terminal *t, const char *text, size_t n)
{
	(void)t;
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct str out = {0};
	if (n > COPY_MAX)
		return;
	str_adds(&out, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = 0;
		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (i + j < n ? (unsigned char)text[i + j] : 0u);
		for (size_t j = 0; j < 4; j++)
			str_addc(&out, i + j > n ? '=' : digits[v >> (18 - 6 * j) & 63]);
	}
	str_addc(&out, '\a');
	fwrite(out.s, 1, out.len, stdout);
	fflush(stdout);
	str_free(&out);
}

/* ---- keys ---- */

static int32_t
key_from_curses(wint_t code)
{
	static const struct { int curses; int32_t key; } table[] = {
		{ KEY_UP, K_UP }, { KEY_DOWN, K_DOWN }, { KEY_LEFT, K_LEFT }, { KEY_RIGHT, K_RIGHT },
		{ KEY_HOME, K_HOME },
		{ KEY_END, K_END }, { KEY_PPAGE, K_PGUP }, { KEY_NPAGE, K_PGDN }, { KEY_BTAB, K_SHIFT_TAB },
		{ KEY_BACKSPACE, K_BACKSPACE }, { KEY_DC, K_DELETE }, { KEY_IC, K_INSERT }, { KEY_ENTER, K_ENTER },
		{ KEY_FIND, K_HOME }, { KEY_SELECT, K_END }, { KEY_RESIZE, K_RESIZE },
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if ((wint_t)table[i].curses == code)
			return table[i].key;
	if (code >= KEY_F(1) && code <= KEY_F(12))
		return K_F1 + (int32_t)(code - KEY_F(1));
	return K_INSERT;	/* a key we have no name for: bound to nothing */
}

static int32_t
key_from_char(wint_t c)
{
	if (c == '\n' || c == '\r')
		return K_ENTER;
	return c == 0x7f || c == 8 ? K_BACKSPACE : (int32_t)c;
}

int32_t
terminal_key(struct terminal *t)
{
	(void)t;
	wint_t c = 0;
	int kind = get_wch(&c);
	if (kind == ERR || (kind == OK && (c == 0 || c > 0x10ffff)))
		return K_NONE;
	return kind == KEY_CODE_YES ? key_from_curses(c) : key_from_char(c);
}
