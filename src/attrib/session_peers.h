/*
 * session_peers: the other runs of the store that differ from a session's in the seed alone, as sessions of their own
 * that borrow all the runs have in common.
 *
 * Found when the session opens, from journals and index.json; weights and indexes are opened when first asked for, and
 * without the store, so that any thread may ask.
 */
#ifndef BYLINE_ATTRIB_SESSION_PEERS_H
#define BYLINE_ATTRIB_SESSION_PEERS_H

#include "byline/attrib.h"

struct peers;
/* *out is NULL when there are none. A run whose journal or index.json cannot be read is none. */
enum err peers_find(struct session *s, struct peers **out);
void peers_close(struct peers *p);			/* NULL is fine */
int peers_count(const struct peers *p);			/* 0 for NULL */
/* Opens what is not open yet. ERR_MISMATCH and its like name the run. */
enum err peers_open(struct peers *p, struct job *job);
struct session *peers_session(const struct peers *p, int i);	/* after peers_open */

/* ---- session.c ---- */

/* Final weights and their hash into s. */
enum err session_weights(struct session *s);
/* The journal, where there is one, must be of these examples and weights. */
enum err session_check_journal(const struct session *s);

#endif
