/*
 * clock: time, with an override for tests ($BYLINE_NOW, seconds since 1970).
 */
#ifndef BYLINE_CLOCK_H
#define BYLINE_CLOCK_H

#include <stdint.h>

int64_t clock_now(void);		/* seconds since 1970, or $BYLINE_NOW */
double clock_monotonic(void);		/* seconds, only for differences */
void clock_iso(int64_t t, char out[32]);	/* 2026-01-31T12:00:00Z */
void clock_duration(double seconds, char out[32]);	/* "41 s", "12 min", "3.1 h" */

#endif
