/* turns: one lock for all queues; they are held for moments. */
#include "turns.h"

#include <assert.h>
#include <stdlib.h>

#include "byline/mem.h"

void
turns_init(struct turns *t, size_t slots)
{
	*t = (struct turns){ .next = xcalloc(slots + 1, sizeof(*t->next)), .slots = slots };
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->passed, NULL);
}

void
turns_free(struct turns *t)
{
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->passed);
	free(t->next);
}

/* Locked. */
static void
wait_for(struct turns *all, size_t piece, size_t slot)
{
	assert(slot < all->slots);
	while (all->next[slot] < piece)
		pthread_cond_wait(&all->passed, &all->lock);
}

void
turn_wait(const struct turn *t, size_t slot)
{
	pthread_mutex_lock(&t->turns->lock);
	wait_for(t->turns, t->piece, slot);
	pthread_mutex_unlock(&t->turns->lock);
}

void
turn_pass(const struct turn *t, size_t slot)
{
	pthread_mutex_lock(&t->turns->lock);
	assert(t->turns->next[slot] == t->piece);
	t->turns->next[slot]++;
	pthread_cond_broadcast(&t->turns->passed);
	pthread_mutex_unlock(&t->turns->lock);
}

void
turn_end(const struct turn *t)
{
	pthread_mutex_lock(&t->turns->lock);
	for (size_t slot = 0; slot < t->turns->slots; slot++) {
		wait_for(t->turns, t->piece, slot);
		t->turns->next[slot] += t->turns->next[slot] == t->piece ? 1 : 0;
	}
	pthread_cond_broadcast(&t->turns->passed);
	pthread_mutex_unlock(&t->turns->lock);
}
