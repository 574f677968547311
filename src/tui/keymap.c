/* keymap: which key stands for which action where; the built-in table and the user's file. */
#include "keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "xdg.h"

enum { KEYS_FILE_MAX = 64 * 1024 };

/* Groups are rows without a name: an action belongs to the last one before it. */
#define GROUP(title) { .group = title },
#define ACTION(id, n, k, h, p) { .name = n, .keys = k, .help = h, .places = p },
static const struct action_info rows[] = {
#include "actions.def"
};
#undef ACTION
#undef GROUP

#define GROUP(title)
#define ACTION(id, n, k, h, p) { .name = n, .keys = k, .help = h, .places = p },
static const struct action_info actions[ACTIONS] = {
	{ .name = "" },
#include "actions.def"
};
#undef ACTION
#undef GROUP

const struct action_info *
action_info(enum action a)
{
	assert(a < ACTIONS);
	return &actions[a];
}

const char *
action_group(enum action a)
{
	const char *group = "";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].group)
			group = rows[i].group;
		else if (strcmp(rows[i].name, actions[a].name) == 0)
			break;
	}
	return group;
}

enum action
action_find(const char *name)
{
	for (int a = 1; a < ACTIONS; a++)
		if (strcmp(actions[a].name, name) == 0)
			return (enum action)a;
	return ACT_NONE;
}

static void
keymap_add(struct keymap *m, int32_t key, enum action a)
{
	mem_grow(&m->b, &m->cap, m->n + 1, sizeof(*m->b));
	m->b[m->n++] = (struct binding){ key, a };
}

static void
keymap_unbind(struct keymap *m, enum action a)
{
	size_t keep = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->b[i].action != a)
			m->b[keep++] = m->b[i];
	m->n = keep;
}

/* Takes a key from the other actions that have it in one of the same places. */
static void
keymap_free_key(struct keymap *m, int32_t key, enum action taker)
{
	size_t keep = 0;
	for (size_t i = 0; i < m->n; i++) {
		bool rival = m->b[i].key == key && m->b[i].action != taker
			&& (actions[m->b[i].action].places & actions[taker].places) != 0;
		if (!rival)
			m->b[keep++] = m->b[i];
	}
	m->n = keep;
}

/* The next word of a line, or false at its end or at a comment. */
static bool
word_next(const char **p, const char *end, const char **word, size_t *n)
{
	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
	*word = *p;
	while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
		(*p)++;
	*n = (size_t)(*p - *word);
	return *n > 0 && **word != '#';
}

/* Messages name strangers' words cut short. */
enum { WORD_SHOWN = 40 };

static enum err
keymap_bind_words(struct keymap *m, enum action a, const char *p, const char *end, const char *name, int line)
{
	const char *word;
	size_t n;
	keymap_unbind(m, a);
	while (word_next(&p, end, &word, &n)) {
		int32_t key = key_parse(word, n);
		if (key == K_NONE)
			return err_set(ERR_FORMAT, "%s:%d: '%.*s' is not a key (a character, or a name such as PgUp or "
				"Ctrl-A)", name, line, (int)(n < WORD_SHOWN ? n : WORD_SHOWN), word);
		keymap_free_key(m, key, a);
		keymap_add(m, key, a);
	}
	return OK;
}

static enum err
keymap_parse_line(struct keymap *m, const char *p, const char *end, const char *name, int line)
{
	const char *word, *equals;
	size_t n, n_equals;
	if (!word_next(&p, end, &word, &n))
		return OK;
	int shown = (int)(n < WORD_SHOWN ? n : WORD_SHOWN);
	if (!word_next(&p, end, &equals, &n_equals) || n_equals != 1 || *equals != '=')
		return err_set(ERR_FORMAT, "%s:%d: '%.*s' is not followed by '=' (action = KEY...)", name, line, shown,
			word);
	char *action = xstrndup(word, n);
	enum action a = action_find(action);
	free(action);
	if (a == ACT_NONE)
		return err_set(ERR_FORMAT, "%s:%d: there is no action '%.*s' (press ? for all of them)", name, line,
			shown, word);
	return keymap_bind_words(m, a, p, end, name, line);
}

static void
keymap_copy(struct keymap *to, const struct keymap *from)
{
	for (size_t i = 0; i < from->n; i++)
		keymap_add(to, from->b[i].key, from->b[i].action);
}

enum err
keymap_parse(struct keymap *m, const char *text, size_t n, const char *name)
{
	struct keymap fresh = {0};
	enum err err = OK;
	keymap_copy(&fresh, m);
	int line = 1;
	for (const char *p = text, *end = text + n; p < end && err == OK; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol ? eol : end;
		err = keymap_parse_line(&fresh, p, eol, name, line);
		p = eol < end ? eol + 1 : end;
	}
	if (err == OK) {
		struct keymap old = *m;
		*m = fresh;
		fresh = old;
	}
	keymap_free(&fresh);
	return err;
}

void
keymap_defaults(struct keymap *m)
{
	m->n = 0;
	for (int a = 1; a < ACTIONS; a++) {
		const char *keys = actions[a].keys;
		enum err err = keymap_bind_words(m, (enum action)a, keys, keys + strlen(keys), "etc/keys", 0);
		assert(err == OK);
		(void)err;
	}
}

enum err
keymap_load(struct keymap *m)
{
	char *path = xdg_path(XDG_CONFIG, "keys");
	struct str text = {0};
	enum err err = OK;
	if (path && file_exists(path)) {
		err = file_read(path, KEYS_FILE_MAX, &text);
		if (err == OK)
			err = keymap_parse(m, text.s, text.len, path);
	}
	str_free(&text);
	free(path);
	return err;
}

void
keymap_free(struct keymap *m)
{
	free(m->b);
	*m = (struct keymap){0};
}

enum action
keymap_find(const struct keymap *m, int32_t key, unsigned place)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->b[i].key == key && (actions[m->b[i].action].places & place) != 0)
			return m->b[i].action;
	return ACT_NONE;
}

int32_t
keymap_key(const struct keymap *m, enum action a, size_t i)
{
	for (size_t j = 0; j < m->n; j++)
		if (m->b[j].action == a && i-- == 0)
			return m->b[j].key;
	return K_NONE;
}
