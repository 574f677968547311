/* replay: a run again, in memory alone. */
#include "trainer.h"

enum err
train_replay(struct model *m, const struct train_spec *spec, int64_t at_step, struct pool *pool, struct job *job)
{
	struct trainer t;
	enum err err;
	TRY_OUT(trainer_open(&t, m, spec, pool, job));
	int64_t last = at_step > 0 && at_step < t.plan.steps ? at_step : t.plan.steps;
	t.status.steps = last;
	job_phase(job, "training", (uint64_t)last);
	while (t.status.step < last) {
		TRY_OUT(job_check(job));
		TRY_OUT(trainer_step(&t));
		trainer_report(&t, t.status.step == last);
	}
out:
	trainer_close(&t);
	return err;
}
