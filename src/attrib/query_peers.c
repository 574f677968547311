/* query_peers: the same tokens before the other runs of a session. */
#include "query_peers.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "query_private.h"
#include "session_index.h"
#include "session_peers.h"

/* What takes more in all peers together is made again for each ranking. */
static const size_t keep_bytes = (size_t)256 << 20;

static struct query *
peer_new(const struct query *q, struct session *peer)
{
	size_t n = (size_t)(q->n_prompt + q->n_out);
	struct query *p = xcalloc(1, sizeof(*p));
	p->session = peer;
	p->n_prompt = q->n_prompt;
	p->n_out = q->n_out;
	p->tokens = xcalloc(n + 1, sizeof(*p->tokens));
	memcpy(p->tokens, q->tokens, n * sizeof(*p->tokens));
	return p;
}

enum err
query_runs(struct query *q, struct query **run, struct job *job)
{
	int n = session_runs(q->session) - 1;
	run[0] = q;
	if (n == 0)
		return OK;
	TRY(peers_open(q->session->peers, job));
	if (!q->peer) {
		q->peer = xcalloc((size_t)n, sizeof(struct query *));
		for (int i = 0; i < n; i++)
			q->peer[i] = peer_new(q, peers_session(q->session->peers, i));
	}
	memcpy(run + 1, q->peer, (size_t)n * sizeof(struct query *));
	return OK;
}

/* Features of the output, and scores of the last spans. */
static size_t
peer_bytes(const struct query *q)
{
	const struct index *x = q->session->index;
	size_t token = x->layout.width + (size_t)x->n_points * (size_t)q->session->model.config.vocab;
	return ((size_t)q->n_out * token + 4 * q->session->data.n) * sizeof(float);
}

void
query_runs_rest(struct query *q)
{
	size_t n = (size_t)peers_count(q->session->peers);
	for (size_t i = 0; q->peer && i < n; i++) {
		direction_free(q->peer[i]->direction);
		q->peer[i]->direction = NULL;
		if (n * peer_bytes(q) > keep_bytes)
			query_forget(q->peer[i]);
	}
}

void
query_peers_free(struct query *q)
{
	for (int i = 0; q->peer && i < peers_count(q->session->peers); i++)
		query_free(q->peer[i]);
	free(q->peer);
	q->peer = NULL;
}
