/* describe: words for things. */
#include "describe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "byline/clock.h"
#include "byline/utf8.h"

void
describe_title(const struct work *w, struct str *out)
{
	if (w && w->title && *w->title)
		str_adds(out, w->title);
	else
		str_addf(out, "work %lld, untitled", w ? (long long)w->id : 0LL);
}

void
describe_people(const struct work *w, struct str *out)
{
	for (size_t i = 0; w && i < w->n_authors; i++)
		str_addf(out, "%s%s", i == 0 ? "" : i + 1 == w->n_authors ? " and " : ", ", w->authors[i].name);
	if (!w || w->n_authors == 0)
		str_adds(out, UNKNOWN);
}

const char *
describe_licence(const struct work *w)
{
	return w && w->licence && *w->licence ? w->licence : UNKNOWN;
}

int
describe_decimals(double largest)
{
	if (!(largest > 0) || !isfinite(largest))
		return 3;
	int digits = 2 - (int)floor(log10(largest));
	return digits < 0 ? 0 : digits > 9 ? 9 : digits;
}

void
describe_score(double score, int decimals, bool exact, struct str *out)
{
	if (isfinite(score))
		str_addf(out, "%s%+.*f", exact ? "" : "~", decimals, score);
}

void
describe_error(double error, double largest, int decimals, const struct glyphs *g, struct str *out)
{
	char s[64], most[64];
	if (!isfinite(error))
		return;
	snprintf(s, sizeof(s), "%.*f", decimals, error);
	snprintf(most, sizeof(most), "%.*f", decimals, isfinite(largest) ? fmax(error, largest) : error);
	bool bare = most[0] == '0' && most[1] == '.';
	str_addf(out, " %*s%s%s", (int)(strlen(most) - strlen(s)), "", g->plus_minus, s + bare);
}

void
describe_share(double share, double error, double largest, const struct glyphs *g, struct str *out)
{
	str_addf(out, "%.1f", 100 * share);
	describe_error(100 * error, fmax(1, 100 * largest), 1, g, out);
}

void
share_widen(struct column *c, double share, double error, double largest, const struct glyphs *g)
{
	struct str s = {0};
	describe_share(share, error, largest, g, &s);
	int width = (int)text_width(s.s, s.len);
	c->width = width > c->width ? width : c->width;
	str_free(&s);
}

void
describe_times(double score, double floor, struct str *out)
{
	double times = fabs(score) / floor;
	if (floor > 0 && isfinite(times))
		str_addf(out, "%.*f", times < 9.95 ? 1 : 0, times);
}

void
describe_duration(double seconds, struct str *out)
{
	if (!(seconds >= 0) || !isfinite(seconds))
		str_adds(out, "an unknown time");
	else if (seconds < 1)
		str_adds(out, "less than a second");
	else if (seconds < 100)
		str_addf(out, "about %.0f second%s", seconds, seconds < 1.5 ? "" : "s");
	else if (seconds < 100 * 60)
		str_addf(out, "about %.0f minutes", seconds / 60);
	else if (seconds < 48 * 3600)
		str_addf(out, "about %.1f hours", seconds / 3600);
	else
		str_addf(out, "about %.0f days", seconds / 86400);
}

void
describe_count(int64_t n, const char *one, const char *many, struct str *out)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
	for (int i = 0; i < len; i++) {
		str_addc(out, digits[i]);
		if (digits[i] != '-' && i + 1 < len && (len - 1 - i) % 3 == 0)
			str_addc(out, ',');
	}
	str_addf(out, " %s", n == 1 ? one : many);
}

void
describe_day(int64_t time, struct str *out)
{
	char iso[32];
	clock_iso(time, iso);
	iso[10] = ' ';
	str_addf(out, "%.16s", iso);
}

void
heading_draw(struct canvas *c, int row, int col, int cols, bool focus, const char *title, const char *note)
{
	struct str shown = {0};
	int width = note ? (int)canvas_shown(c, &shown, note, strlen(note)) : 0;
	str_free(&shown);
	canvas_rule(c, row, col, cols);
	int used = 1, room = cols - 3;
	if (title && *title) {
		canvas_str(c, row, col + 1, 1, INK_TEXT, " ");
		used += 1 + canvas_str(c, row, col + 2, room, focus ? INK_FOCUS : INK_TITLE, title);
		canvas_str(c, row, col + used, 1, INK_TEXT, " ");
	}
	if (width > 0 && used + 4 + width <= cols) {
		canvas_fmt(c, row, col + cols - width - 3, width + 2, INK_DIM, " %s ", note);
	}
}

int
describe_level(double v, double largest)
{
	if (!(largest > 0) || !isfinite(v) || v == 0)
		return 0;
	int level = (int)ceil(fmin(fabs(v) / largest, 1.0) * 8);
	/* What is next to nothing is shown as nothing. */
	if (fabs(v) < largest / 32)
		level = 0;
	return v < 0 ? -level : level;
}
