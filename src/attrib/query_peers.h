/*
 * query_peers: one query before all the runs of its session: the same tokens, no new generation.
 */
#ifndef BYLINE_ATTRIB_QUERY_PEERS_H
#define BYLINE_ATTRIB_QUERY_PEERS_H

#include "byline/attrib.h"

/* run (session_runs) gets the query itself and then one of each peer, all owned by the query. */
enum err query_runs(struct query *q, struct query **run, struct job *job);
/* Gives back what the peers' queries hold and can compute again, when all of it together is much. */
void query_runs_rest(struct query *q);

#endif
