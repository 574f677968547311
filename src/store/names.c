/* names: cleaning of names and fields, merging of authors. */
#include "names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <utf8proc.h>

#include "byline/mem.h"
#include "byline/utf8.h"

static const double SHARE_MAX = 1e6;

static bool
is_space(int32_t cp)
{
	return cp >= 0 && (cp <= ' ' || cp == 0x7f || cp == 0x85 || utf8proc_category(cp) == UTF8PROC_CATEGORY_ZS
		|| utf8proc_category(cp) == UTF8PROC_CATEGORY_ZL || utf8proc_category(cp) == UTF8PROC_CATEGORY_ZP);
}

/* A copy in which every byte that is not UTF-8 is U+FFFD and, when `collapse`, every stretch of white space one
 * space. */
static char *
text_valid(const char *text, bool collapse)
{
	struct str out = {0};
	size_t n = strlen(text);
	bool gap = false;
	for (size_t i = 0; i < n;) {
		int32_t cp;
		size_t used = utf8_decode(text + i, n - i, &cp);
		bool space = is_space(cp);
		gap = gap || space;
		if (!collapse || !space) {
			if (collapse && gap && out.len > 0)
				str_addc(&out, ' ');
			gap = false;
			str_add(&out, cp < 0 ? "\ufffd" : text + i, cp < 0 ? strlen("\ufffd") : used);
		}
		i += used;
	}
	return str_take(&out);
}

char *
name_clean(const char *name)
{
	char *valid = text_valid(name ? name : "", true);
	utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)valid);
	char *out = xstrdup(nfc ? (const char *)nfc : valid);
	free(nfc);
	free(valid);
	return out;
}

char *
name_or_unknown(const char *name)
{
	char *clean = name_clean(name);
	if (*clean && strcasecmp(clean, UNKNOWN) != 0)
		return clean;
	free(clean);
	return xstrdup(UNKNOWN);
}

char *
field_clean(const char *text)
{
	struct str out = {0};
	const char *from = text ? text + strspn(text, " \t\r\n\v\f") : "";
	char *valid = text_valid(from, false);
	str_adds(&out, valid);
	str_trim(&out);
	free(valid);
	return str_take(&out);
}

/* ---- authors ---- */

void
authors_free(struct authors *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].name);
	free(a->v);
	*a = (struct authors){0};
}

/* Takes the name. */
static void
authors_merge(struct authors *a, char *name, double share)
{
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i].name, name) == 0) {
			a->v[i].share += share;
			free(name);
			return;
		}
	}
	a->v[a->n].name = name;
	a->v[a->n++].share = share;
}

static enum err
author_check(const char *name, double share)
{
	if (strlen(name) > NAME_LIMIT)
		return err_set(ERR_LIMIT, "an author's name is longer than %d bytes", NAME_LIMIT);
	if (!(share >= 0 && share <= SHARE_MAX))
		return err_set(ERR_FORMAT, "an author's share is %g, must be from 0 to %g", share, SHARE_MAX);
	return OK;
}

enum err
authors_make(struct authors *a, const struct work_author *in, size_t n)
{
	static const struct work_author nobody = { UNKNOWN, 1 };
	double sum = 0;
	*a = (struct authors){0};
	if (n > AUTHORS_LIMIT)
		return err_set(ERR_LIMIT, "more than %d authors", AUTHORS_LIMIT);
	if (n == 0) {
		in = &nobody;
		n = 1;
	}
	a->v = xcalloc(n, sizeof(*a->v));
	for (size_t i = 0; i < n; i++) {
		char *name = name_or_unknown(in[i].name);
		enum err err = author_check(name, in[i].share);
		authors_merge(a, name, in[i].share);
		if (err != OK) {
			authors_free(a);
			return err;
		}
		sum += in[i].share;
	}
	if (sum < 1e-12) {
		authors_free(a);
		return err_set(ERR_FORMAT, "the authors' shares add up to nothing");
	}
	for (size_t i = 0; i < a->n; i++)
		a->v[i].share /= sum;
	return OK;
}
