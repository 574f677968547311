/* keys: names of keys. */
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "byline/mem.h"
#include "byline/utf8.h"

/* "Ctrl-I" and "Ctrl-M" are what terminals send for Tab and Enter, so they have no names of their own. */
static const struct { const char *name; int32_t key; } names[] = {
	{ "Up", K_UP }, { "Down", K_DOWN }, { "Left", K_LEFT }, { "Right", K_RIGHT }, { "Home", K_HOME },
	{ "End", K_END },
	{ "PgUp", K_PGUP }, { "PgDn", K_PGDN }, { "Enter", K_ENTER }, { "Esc", K_ESC }, { "Tab", K_TAB },
	{ "Shift-Tab", K_SHIFT_TAB }, { "Space", ' ' }, { "Backspace", K_BACKSPACE }, { "Delete", K_DELETE },
	{ "Insert", K_INSERT }, { "Hash", '#' },
};

void
key_label(int32_t key, char out[KEY_NAME_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].key == key) {
			snprintf(out, KEY_NAME_MAX, "%s", names[i].name);
			return;
		}
	if (key >= K_F1 && key <= K_F12)
		snprintf(out, KEY_NAME_MAX, "F%d", (int)(key - K_F1 + 1));
	else if (key > 0 && key < ' ')
		snprintf(out, KEY_NAME_MAX, "Ctrl-%c", (char)('@' + key));
	else if (key > ' ' && key < K_UP && !utf8_hostile(key)) {
		memset(out, 0, KEY_NAME_MAX);
		utf8_encode(key, out);
	} else
		snprintf(out, KEY_NAME_MAX, "?");
}

static int32_t
key_parse_named(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == n && strncasecmp(names[i].name, name, n) == 0)
			return names[i].key;
	if (n == 6 && strncasecmp(name, "Ctrl-", 5) == 0) {
		int32_t c = (name[5] | 0x20) - 'a' + 1;
		return c >= 1 && c <= 26 && c != K_TAB && c != K_ENTER ? c : K_NONE;
	}
	return K_NONE;
}

static int32_t
key_parse_function(const char *name, size_t n)
{
	int f = 0;
	if ((n != 2 && n != 3) || (name[0] != 'F' && name[0] != 'f'))
		return K_NONE;
	for (size_t i = 1; i < n; i++) {
		if (name[i] < '0' || name[i] > '9')
			return K_NONE;
		f = f * 10 + name[i] - '0';
	}
	return f >= 1 && f <= 12 ? K_F1 + f - 1 : K_NONE;
}

int32_t
key_parse(const char *name, size_t n)
{
	if (n == 0)
		return K_NONE;
	int32_t cp;
	if (utf8_decode(name, n, &cp) == n)
		return cp > ' ' && !utf8_hostile(cp) ? cp : K_NONE;
	int32_t key = key_parse_named(name, n);
	return key != K_NONE ? key : key_parse_function(name, n);
}
