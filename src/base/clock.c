/* clock: time, which tests may pin. */
#include "byline/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t
clock_now(void)
{
	const char *pinned = getenv("BYLINE_NOW");
	if (pinned && *pinned) {
		char *end;
		errno = 0;
		long long t = strtoll(pinned, &end, 10);
		if (errno == 0 && *end == '\0')
			return t;
	}
	return time(NULL);
}

double
clock_monotonic(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void
clock_iso(int64_t t, char out[32])
{
	time_t when = (time_t)t;
	struct tm tm;
	if (!gmtime_r(&when, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 32, "(no such time)");
}

void
clock_duration(double seconds, char out[32])
{
	if (seconds < 99.5)
		snprintf(out, 32, "%.0f s", seconds);
	else if (seconds < 99.5 * 60)
		snprintf(out, 32, "%.0f min", seconds / 60);
	else
		snprintf(out, 32, "%.1f h", seconds / 3600);
}
