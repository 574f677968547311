/* exact_weights: how much each checkpoint counts. */
#include "exact.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/train.h"
#include "session_index.h"
#include "sweep.h"

static double
rate_of(const struct train_journal *j, const char *sha256)
{
	for (int i = 0; i < j->n_checkpoints; i++)
		if (strcmp(j->checkpoints[i].sha256, sha256) == 0)
			return j->checkpoints[i].lr;
	return 0;
}

/* Of each checkpoint, from the journal; all 0 when there is none, as beside a foreign checkpoint. */
static enum err
rates(const struct session *s, double *rate)
{
	struct train_journal j = {0};
	char *path = path_join(s->run.dir, "journal.jsonl");
	enum err err = file_exists(path) ? train_journal_read(s->run.dir, &j) : OK;
	for (int k = 0; err == OK && k < s->index->n_points; k++)
		rate[k] = rate_of(&j, s->index->info.checkpoint[k].sha256);
	train_journal_free(&j);
	free(path);
	return err;
}

enum err
exact_weights(const struct session *s, const struct exact_kind *kind, double *w)
{
	int n = s->index->n_points;
	double sum = 0, whole = 1;
	for (int k = 0; k < n; k++)
		w[k] = kind->weigh == WEIGH_EVENLY || (kind->weigh == WEIGH_LAST && k == n - 1) ? 1 : 0;
	if (kind->weigh == WEIGH_RATE)
		TRY(rates(s, w));
	for (int k = 0; k < n; k++)
		sum += w[k];
	if (kind->per_example) {
		uint32_t *example;
		size_t trained = sweep_trained(s, &example);
		whole = 1 / (double)(trained > 0 ? trained : 1);
		free(example);
	}
	for (int k = 0; k < n; k++)
		w[k] = whole * (sum > 0 ? w[k] / sum : 1.0 / n);
	return OK;
}
