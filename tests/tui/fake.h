/* fake: a small invented world behind the views: seven people, twelve works, three outputs, nothing on disk. */
#ifndef BYLINE_TEST_FAKE_H
#define BYLINE_TEST_FAKE_H

#include "byline/tui.h"
#include "source.h"

/*
 * Prompts with a meaning: "slow..." writes one token and then waits until it is cancelled; "stuck..." does so when it
 * rescores exactly; "noise..." finds nothing above the noise floor; "runs..." averages three runs; "hostile..."
 * writes control bytes; "fail..." fails; "empty..." ends at once; "crash..." ends in a segmentation fault.
 * Verifying an output of "long..." goes on until it is cancelled.
 * The world was measured, unless the store is called "fresh"; then nothing can be trained again, either;
 * it has an index, unless it is called "bare".
 */
enum err fake_open(const struct tui_options *o, struct source **out);

#endif
