/* trust_print: what was measured of the methods, for people. */
#ifndef BYLINE_CLI_TRUST_PRINT_H
#define BYLINE_CLI_TRUST_PRINT_H

#include "byline/trust.h"

/* The whole report: tables of at most 80 columns, methods by LDS, then what the numbers mean. */
void say_trust(const struct trust *t);

/* One line on a ranking's method: its LDS, or how to measure it, with `store` NULL that it cannot be. t NULL: nothing
 * was measured. */
void say_method_trust(const struct trust *t, const char *method, const char *store, bool current);

#endif
