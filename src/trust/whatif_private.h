/*
 * whatif_private: what the files of a removal put to the test share.
 */
#ifndef BYLINE_TRUST_WHATIF_PRIVATE_H
#define BYLINE_TRUST_WHATIF_PRIVATE_H

#include "byline/retrain.h"
#include "byline/whatif.h"

enum { WHATIF_CONTROLS_MAX = 100 };

/* ---- whatif_choose.c: what is left out ---- */

/* drop (data.n) and w's removed, n_removed, tokens_removed and predicted, from the options in w. ERR_MISSING when
 * nothing that was trained on is left out, ERR_USAGE for options that name nothing. */
enum err whatif_choose(const struct session *s, const struct ranking *r, struct whatif *w, uint8_t *drop);
/* As many others, about as long, seeded by the control's number; false when there are not enough. */
bool whatif_control(const struct session *s, const struct whatif *w, int number, uint8_t *drop);

/* ---- whatif_run.c: the retrainings ---- */

/* Fills observed, control, token and bit_exact. */
enum err whatif_run(struct query *q, const struct retraining *r, struct whatif *w, const uint8_t *drop,
	struct job *job);

/* ---- whatif_file.c ---- */

/* "run folder/whatif/KEY.json", KEY over the run's weights, the tokens, the span, the method and what is left out; the
 * caller's. */
char *whatif_path(const struct query *q, const struct whatif *w);
enum err whatif_write(const char *path, const struct whatif *w);
/* What was observed, into w, whose choice is made. Everything is checked. ERR_MISSING: not measured. */
enum err whatif_read(const char *path, struct whatif *w);

#endif
