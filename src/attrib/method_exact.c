/*
 * Method "ekfac": influence with the eigenvalue-corrected Kronecker-factored curvature, nothing projected, nothing
 * stored:
 *
 *   s_i = (1/N) mean_k sum_layers < Q_S [ (Q_S^T G_q Q_A) / (L + 0.1 mean L) ] Q_A^T , G_i >
 *
 * Grosse et al. 2023, "Studying large language model generalization with influence functions", eq. 21; the basis and L
 * of George et al. 2018, eq. 6. It reads every example once for each checkpoint: slow, and what the others are measured
 * against.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "query_private.h"

enum err
method_exact_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	const struct session *s = q->session;
	uint32_t *example = xcalloc(s->data.n + 1, sizeof(*example));
	float *exact = xcalloc(s->data.n + 1, sizeof(*exact));
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++) {
		scores[i] = NAN;
		if (session_trained_on(s, i))
			example[n++] = (uint32_t)i;
	}
	enum err err = query_exact(q, from, to, example, n, exact, NULL, job);
	for (size_t j = 0; err == OK && j < n; j++)
		scores[example[j]] = exact[j];
	free(example);
	free(exact);
	return err;
}
