/*
 * keys: what was pressed, what it is called, and which action it stands for where.
 *
 * The table of actions is made from etc/keys, which is also the documentation and a sample of the user's own file.
 */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"

/* Where an action exists: one bit a view, and one for typing. */
enum place {
	V_OUTPUT = 1, V_EXAMPLES = 2, V_EXAMPLE = 4, V_CONTRIBUTORS = 8, V_CONTRIBUTOR = 16, V_RUNS = 32,
	V_QUERIES = 64, V_HELP = 128, V_TYPING = 256, V_TRUST = 512, V_VERIFY = 1024,
	V_VERBATIM = 2048,
	V_ANY = 255 | V_TRUST | V_VERIFY | V_VERBATIM
};

enum action {
	ACT_NONE,
#define GROUP(title)
#define ACTION(id, name, keys, help, places) ACT_##id,
#include "actions.def"
#undef ACTION
#undef GROUP
	ACTIONS
};

struct action_info { const char *name, *keys, *help, *group; unsigned places; };
const struct action_info *action_info(enum action a);	/* its group is action_group's to say */
const char *action_group(enum action a);
enum action action_find(const char *name);	/* ACT_NONE when there is none */

/* A key: a Unicode scalar value, a control code, or one of these. */
enum {
	K_NONE = 0, K_TAB = 9, K_ENTER = 13, K_ESC = 27,
	K_UP = 0x110000, K_DOWN, K_LEFT, K_RIGHT, K_HOME, K_END, K_PGUP, K_PGDN, K_SHIFT_TAB, K_BACKSPACE, K_DELETE,
	K_INSERT, K_F1, K_F12 = K_F1 + 11, K_RESIZE, K_INTERRUPT, K_SUSPEND
};

enum { KEY_NAME_MAX = 16 };
void key_label(int32_t key, char out[KEY_NAME_MAX]);
int32_t key_parse(const char *name, size_t n);	/* K_NONE when it is not the name of a key */

struct binding { int32_t key; enum action action; };
struct keymap {
	struct binding *b;
	size_t n, cap;
};

void keymap_defaults(struct keymap *m);
/* Applies the text of a keys file; `name` is what messages call it. On an error nothing is changed. */
enum err keymap_parse(struct keymap *m, const char *text, size_t n, const char *name);
/* $XDG_CONFIG_HOME/byline/keys when there is one. */
enum err keymap_load(struct keymap *m);
void keymap_free(struct keymap *m);

enum action keymap_find(const struct keymap *m, int32_t key, unsigned place);
int32_t keymap_key(const struct keymap *m, enum action a, size_t i);	/* its i-th key, K_NONE after the last */

#endif
