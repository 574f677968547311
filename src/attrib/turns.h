/*
 * turns: pieces of work that run at the same time and add to shared sums in the order of their numbers, so that the
 * sums are the same bits for any number of threads and stand in memory once.
 *
 * There is a queue for each sum (slot). Pieces must be begun in order: then one that waits, waits for those that run.
 */
#ifndef BYLINE_ATTRIB_TURNS_H
#define BYLINE_ATTRIB_TURNS_H

#include <pthread.h>
#include <stddef.h>

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t passed;
	size_t *next;			/* by slot: the piece whose turn it is */
	size_t slots;
};

void turns_init(struct turns *t, size_t slots);
void turns_free(struct turns *t);

/* One piece's place in all queues. */
struct turn { struct turns *turns; size_t piece; };

void turn_wait(const struct turn *t, size_t slot);	/* returns when all pieces before have passed */
void turn_pass(const struct turn *t, size_t slot);	/* once, after turn_wait */
void turn_end(const struct turn *t);			/* passes where it has not yet */

#endif
