/* retrain_run: a retraining held against the run it repeats: its bits, and how long it takes. */
#include "byline/retrain.h"

#include <string.h>

#include "byline/clock.h"
#include "byline/half.h"

static void
narrow(enum st_dtype dtype, void *to, const float *from, size_t n)
{
	if (dtype == ST_BF16)
		half_write_bf16(to, from, n);
	else if (dtype == ST_F16)
		half_write_f16(to, from, n);
	else
		memcpy(to, from, n * sizeof(*from));
}

bool
retrain_is_run(const struct retraining *r, const struct model *m, const struct model *run)
{
	enum { PIECE = 4096 };
	enum st_dtype dtype = r->journal.options.dtype;
	float here[PIECE], there[PIECE];
	bool same = m->n_params == run->n_params;
	for (size_t i = 0; same && i < m->n_params; i += PIECE) {
		size_t n = m->n_params - i < PIECE ? m->n_params - i : PIECE;
		narrow(dtype, here, m->params + i, n);
		narrow(dtype, there, run->params + i, n);
		same = memcmp(here, there, n * st_dtype_size(dtype)) == 0;
	}
	return same;
}

/* ---- time ---- */

static enum err
steps_time(const struct train_spec *spec, const struct model_config *config, int64_t steps, struct pool *pool,
	double *seconds)
{
	struct model m;
	double from = clock_monotonic();
	TRY(model_new(&m, config, true));
	enum err err = train_replay(&m, spec, steps, pool, NULL);
	*seconds = clock_monotonic() - from;
	model_free(&m);
	return err;
}

/* One step more is one step's time; the rest is beginning. */
enum err
retrain_time(const struct retraining *r, double *seconds)
{
	const struct train_spec spec = { .data = r->data, .options = r->journal.options };
	const struct model_config *config = &r->journal.config;
	struct pool *pool = pool_new(1);
	int64_t all = train_steps(&spec), n = 4;
	double one = 0, more = 0;
	enum err err = steps_time(&spec, config, 1, pool, &one);
	for (; err == OK && n < all && more - one < 0.5 && n <= 1024; n *= 4)
		err = steps_time(&spec, config, 1 + n, pool, &more);
	pool_free(pool);
	double step = more > one ? (more - one) / (double)(n / 4) : one;
	*seconds = step * (double)all;
	return err;
}
