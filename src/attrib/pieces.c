/* pieces: see pieces.h. */
#include "pieces.h"

#include <stdlib.h>

#include "byline/mem.h"

static int
example_rows(const struct dataset *data, uint32_t example)
{
	uint64_t tokens = data->start[example + 1] - data->start[example];
	return tokens > 0 ? (int)(tokens - 1) : 0;
}

void
pieces_cut_rows(struct pieces *p, const struct dataset *data, const uint32_t *example, size_t n, int most)
{
	int rows = 0;
	*p = (struct pieces){ .example = example, .start = xcalloc(n + 1, sizeof(*p->start)) };
	for (size_t i = 0; i < n; i++) {
		int more = example_rows(data, example[i]);
		if (i > p->start[p->n] && rows + more > most) {
			p->start[++p->n] = i;
			rows = 0;
		}
		rows += more;
		p->max_rows = rows > p->max_rows ? rows : p->max_rows;
	}
	if (n > 0)
		p->start[++p->n] = n;
}

void
pieces_cut(struct pieces *p, const struct dataset *data, const uint32_t *example, size_t n)
{
	pieces_cut_rows(p, data, example, n, PIECE_ROWS);
}

void
pieces_free(struct pieces *p)
{
	free(p->start);
	*p = (struct pieces){0};
}

size_t
pieces_count(const struct pieces *p, size_t i)
{
	return p->start[i + 1] - p->start[i];
}
