/* commands: the commands' rows, one per file, and what they share beyond parsing. */
#ifndef BYLINE_CLI_COMMANDS_H
#define BYLINE_CLI_COMMANDS_H

#include "command.h"

#include <jansson.h>
#include <string.h>

extern const struct command cmd_import, cmd_train, cmd_index, cmd_ask, cmd_show, cmd_info,
	cmd_eval, cmd_whatif, cmd_verify, cmd_verbatim, cmd_opt_out, cmd_help, cmd_explore,
	cmd_logits, cmd_tokenize, cmd_import_index, cmd_import_scores;

/* One JSON value and a newline on standard output, hostile code points as \uXXXX. Steals the reference. */
void print_json(json_t *value);

#endif
