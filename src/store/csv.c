/* csv: a state machine over bytes, one record at a time. */
#include "csv.h"

#include <string.h>

void
csv_start(struct csv *c, enum err (*byte)(void *arg, int *c), void *arg, char separator, size_t limit)
{
	*c = (struct csv){.byte = byte, .arg = arg, .separator = separator, .limit = limit, .line = 1, .held = -2};
}

static enum err
csv_take(struct csv *c, int *out)
{
	if (c->held != -2) {
		*out = c->held;
		c->held = -2;
	} else {
		TRY(c->byte(c->arg, out));
	}
	if (*out == '\n')
		c->line++;
	return OK;
}

/* A lone CR ends a record as CRLF and LF do. */
static enum err
csv_newline(struct csv *c, int *ch)
{
	if (*ch != '\r')
		return OK;
	TRY(c->byte(c->arg, ch));
	if (*ch != '\n')
		c->held = *ch;
	*ch = '\n';
	c->line++;
	return OK;
}

/* The separator nobody named is the likeliest one of the first record. */
static bool
csv_separates(struct csv *c, int ch)
{
	if (!c->separator && (ch == ',' || ch == ';' || ch == '\t'))
		c->separator = (char)ch;
	return c->separator && ch == (unsigned char)c->separator;
}

struct field { struct csv *c; struct csv_row *row; const char *why; };

static void
field_byte(struct field *f, int ch)
{
	if (f->row->bytes.len >= f->c->limit)
		f->why = "record too long";
	else
		str_addc(&f->row->bytes, (char)ch);
}

static void
field_end(struct field *f)
{
	if (f->row->n >= CSV_COLUMNS)
		f->why = "too many columns";
	else
		f->row->end[f->row->n++] = f->row->bytes.len;
}

/* After the opening quote, up to the closing one; *ch is the byte after that. */
static enum err
field_quoted(struct field *f, int *ch)
{
	for (;;) {
		TRY(csv_take(f->c, ch));
		if (*ch == -1) {
			f->why = "a quote is never closed";
			return OK;
		}
		if (*ch == '"') {
			TRY(csv_take(f->c, ch));
			if (*ch != '"')
				return OK;
		}
		field_byte(f, *ch);
	}
}

/* One field; *ch is the separator, '\n' or -1 that ended it. */
static enum err
field_read(struct field *f, int *ch)
{
	if (*ch == '"') {
		TRY(field_quoted(f, ch));
		if (*ch != -1 && *ch != '\r' && *ch != '\n' && !csv_separates(f->c, *ch))
			f->why = "text after a closing quote";
	}
	for (;;) {
		TRY(csv_newline(f->c, ch));
		if (*ch == -1 || *ch == '\n' || csv_separates(f->c, *ch))
			break;
		field_byte(f, *ch);
		TRY(csv_take(f->c, ch));
	}
	field_end(f);
	return OK;
}

static enum err
csv_skip_mark(struct csv *c, int *ch)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
	for (size_t i = 0; i < sizeof(mark); i++) {
		if (*ch != mark[i])
			return OK;
		TRY(csv_take(c, ch));
	}
	return OK;
}

enum err
csv_read(struct csv *c, struct csv_row *row, bool *have, const char **why)
{
	struct field f = {.c = c, .row = row};
	int ch;
	str_clear(&row->bytes);
	row->n = 0;
	row->line = c->line;
	TRY(csv_take(c, &ch));
	if (row->line == 1)
		TRY(csv_skip_mark(c, &ch));
	*have = ch != -1;
	*why = NULL;
	if (!*have)
		return OK;
	for (;;) {
		TRY(field_read(&f, &ch));
		if (ch == -1 || ch == '\n')
			break;
		TRY(csv_take(c, &ch));
	}
	*why = f.why;
	return OK;
}

const char *
csv_field(const struct csv_row *row, size_t i, size_t *n)
{
	size_t from = i ? row->end[i - 1] : 0;
	*n = row->end[i] - from;
	return row->bytes.s ? row->bytes.s + from : "";
}

void
csv_row_free(struct csv_row *row)
{
	str_free(&row->bytes);
	row->n = 0;
}
