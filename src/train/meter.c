/* meter: running rates. */
#include "meter.h"

#include <math.h>

#include "byline/clock.h"

static const double every = 0.5, memory = 10;	/* seconds */

void
meter_start(struct meter *m, int64_t step)
{
	*m = (struct meter){ .reported = clock_monotonic(), .step = step };
}

bool
meter_due(const struct meter *m)
{
	return clock_monotonic() - m->reported >= every;
}

void
meter_report(struct meter *m, int64_t step)
{
	double now = clock_monotonic(), passed = now - m->reported;
	if (passed <= 0 || step <= m->step)
		return;
	double keep = m->step_rate > 0 ? exp(-passed / memory) : 0;
	m->token_rate = keep * m->token_rate + (1 - keep) * m->tokens / passed;
	m->step_rate = keep * m->step_rate + (1 - keep) * (double)(step - m->step) / passed;
	m->reported = now;
	m->tokens = 0;
	m->step = step;
}
