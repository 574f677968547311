/* Keys: their names, the table of actions, and the user's file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "unit.h"

static void
names_round_trip(void **state)
{
	(void)state;
	static const char *const names[] = { "k", "G", "?", "Hash", "Space", "Up", "PgDn", "Shift-Tab", "Ctrl-A",
		"Ctrl-Z", "F1", "F12", "Enter", "Esc", "Backspace", "\xc3\xa9", "\xe6\xbc\xa2" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char label[KEY_NAME_MAX];
		int32_t key = key_parse(names[i], strlen(names[i]));
		assert_int_not_equal(key, K_NONE);
		key_label(key, label);
		assert_string_equal(label, names[i]);
	}
}

static void
names_that_are_none(void **state)
{
	(void)state;
	static const char *const names[] = { "", "Upp", "Ctrl-", "Ctrl-1", "Ctrl-I", "Ctrl-M", "F0", "F13", "F1x", "ab",
		"\x1b", "\x7f", " ", "\xff", "\xe2\x80\xae" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(key_parse(names[i], strlen(names[i])), K_NONE);
}

/* Nothing in the built-in table takes a key from something else. */
static void
defaults_do_not_clash(void **state)
{
	(void)state;
	struct keymap m = {0};
	keymap_defaults(&m);
	size_t written = 0;
	for (int a = 1; a < ACTIONS; a++) {
		const struct action_info *info = action_info((enum action)a);
		assert_true(strlen(info->help) > 3);
		assert_int_not_equal(info->places, 0);
		for (const char *p = info->keys; *p; p += strspn(p, " ")) {
			p += strcspn(p, " ");
			written++;
		}
		assert_int_not_equal(keymap_key(&m, (enum action)a, 0), K_NONE);
	}
	assert_int_equal(m.n, written);
	keymap_free(&m);
}

static void
places_decide(void **state)
{
	(void)state;
	struct keymap m = {0};
	keymap_defaults(&m);
	assert_int_equal(keymap_find(&m, 'i', V_OUTPUT), ACT_PROMPT);
	assert_int_equal(keymap_find(&m, 'i', V_EXAMPLES), ACT_REVERSE);
	assert_int_equal(keymap_find(&m, 'i', V_HELP), ACT_NONE);
	assert_int_equal(keymap_find(&m, K_UP, V_TYPING), ACT_EDIT_OLDER);
	assert_int_equal(keymap_find(&m, K_UP, V_HELP), ACT_UP);
	assert_string_equal(action_group(ACT_UP), "moving");
	assert_string_equal(action_group(ACT_EDIT_LEFT), "while typing");
	keymap_free(&m);
}

static void
a_file_rebinds(void **state)
{
	(void)state;
	static const char text[] = "# mine\n\nquit = Ctrl-X x   # both\r\nup = w Up\nhelp =\n";
	struct keymap m = {0};
	keymap_defaults(&m);
	assert_ok(keymap_parse(&m, text, strlen(text), "keys"));
	assert_int_equal(keymap_find(&m, 24, V_OUTPUT), ACT_QUIT);
	assert_int_equal(keymap_find(&m, 'x', V_OUTPUT), ACT_QUIT);	/* taken from export */
	assert_int_equal(keymap_find(&m, 'Q', V_OUTPUT), ACT_NONE);
	assert_int_equal(keymap_find(&m, 'w', V_HELP), ACT_UP);
	assert_int_equal(keymap_find(&m, 'k', V_HELP), ACT_NONE);
	assert_int_equal(keymap_key(&m, ACT_HELP, 0), K_NONE);
	assert_int_equal(keymap_key(&m, ACT_EXPORT, 0), K_NONE);
	keymap_free(&m);
}

/* One wrong line and nothing is taken over; the message says where and what. */
static void
a_wrong_file_changes_nothing(void **state)
{
	(void)state;
	static const struct { const char *text, *says; } cases[] = {
		{ "up = w\nfly = k\n", "keys:2: there is no action 'fly'" },
		{ "up w\n", "keys:1: 'up' is not followed by '='" },
		{ "up = Upp\n", "keys:1: 'Upp' is not a key" },
		{ "up\n", "keys:1" },
		{ "up = w \x1b[31m\n", "keys:1" },
	};
	struct keymap m = {0};
	keymap_defaults(&m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_err(keymap_parse(&m, cases[i].text, strlen(cases[i].text), "keys"), ERR_FORMAT);
		assert_non_null(strstr(err_message(), cases[i].says));
		assert_int_equal(keymap_find(&m, 'k', V_OUTPUT), ACT_UP);
		assert_int_equal(keymap_find(&m, 'w', V_OUTPUT), ACT_NONE);
	}
	keymap_free(&m);
}

/* The file that is shipped is the table: reading it changes nothing. */
static void
the_shipped_file_is_the_default(void **state)
{
	(void)state;
	char path[4096], text[65536];
	const char *srcdir = getenv("srcdir");
	snprintf(path, sizeof(path), "%s/etc/keys", srcdir ? srcdir : ".");
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	struct keymap m = {0}, again = {0};
	keymap_defaults(&m);
	keymap_defaults(&again);
	assert_ok(keymap_parse(&again, text, n, path));
	assert_int_equal(m.n, again.n);
	for (size_t i = 0; i < m.n; i++) {
		assert_int_equal(m.b[i].key, again.b[i].key);
		assert_int_equal(m.b[i].action, again.b[i].action);
	}
	keymap_free(&m);
	keymap_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_round_trip), cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(defaults_do_not_clash),
		cmocka_unit_test(places_decide), cmocka_unit_test(a_file_rebinds),
		cmocka_unit_test(a_wrong_file_changes_nothing), cmocka_unit_test(the_shipped_file_is_the_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
