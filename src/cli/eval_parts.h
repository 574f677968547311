/* eval_parts: what the files of `byline eval` share. */
#ifndef BYLINE_CLI_EVAL_PARTS_H
#define BYLINE_CLI_EVAL_PARTS_H

#include "commands.h"

#include "byline/trust.h"

/* What is planned, and how much of it is done; seconds: what is left takes, below 0: unknown. */
void eval_say_plan(const struct bank *b);
void eval_say_left(const struct bank *b, double seconds);

/* The report as people read it. t may be NULL: nothing was measured. */
void eval_say_report(const struct bank *b, const struct trust *t);
/* trust_json() with "bank", what it was measured on. seconds as above. */
json_t *eval_json(const struct bank *b, const struct trust *t, double seconds);

/* Goes on in a process of its own, of no terminal, whose output is appended to `log`. *child: which of the two this
 * is; *pid: the other one's, for the parent. */
enum err eval_detach(const char *log, bool *child, long *pid);
/* From now on a line of output for each member done. */
void eval_log_progress(struct job *job);

#endif
