/* tables: see tables.h. */
#include "tables.h"

#include <pthread.h>
#include <stdlib.h>

#include "byline/mem.h"

struct tables {
	pthread_mutex_t lock;
	struct { void *table; void (*free)(void *table); } place[TABLES];
};

struct tables *
tables_new(void)
{
	struct tables *t = xcalloc(1, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
tables_free(struct tables *t)
{
	if (!t)
		return;
	for (int i = 0; i < TABLES; i++)
		if (t->place[i].free)
			t->place[i].free(t->place[i].table);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

enum err
table_of(const struct session *s, const struct table_kind *kind, struct job *job, void **out)
{
	struct tables *t = s->tables;
	enum err err = OK;
	pthread_mutex_lock(&t->lock);
	*out = t->place[kind->place].table;
	if (!*out)
		err = kind->make(s, job, out);
	t->place[kind->place].table = *out;
	t->place[kind->place].free = kind->free;
	pthread_mutex_unlock(&t->lock);
	return err;
}

enum err
table_room(const char *method, size_t n, size_t bytes_each, size_t more_bytes)
{
	if (more_bytes > TABLE_BYTES || (bytes_each > 0 && n > (TABLE_BYTES - more_bytes) / bytes_each))
		return err_set(ERR_LIMIT,
			"method %s would keep %.1f GiB for the %zu examples of this run, and %zu GiB is the limit: "
			"choose another method", method,
			((double)n * (double)bytes_each + (double)more_bytes) / (1 << 30), n, TABLE_BYTES >> 30);
	return OK;
}
