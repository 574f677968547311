/* setting: the sampling settings by name: setting, showing, and as the JSON that saved queries carry. */
#ifndef TUI_SETTING_H
#define TUI_SETTING_H

#include <stdbool.h>

#include "byline/err.h"
#include "byline/generate.h"
#include "byline/str.h"
#include "glyph.h"

/* ERR_USAGE says what is allowed. */
enum err setting_set(struct sample_options *o, const char *name, const char *value);
enum err setting_int(const char *name, const char *value, int64_t min, int64_t max, int64_t *out);
/* "seed 7 . temperature 0.8 . top-p 0.95 . 40 tokens" */
void setting_show(const struct sample_options *o, const struct glyphs *g, struct str *out);
/* What a saved query needs to be asked again. target, method: NULL for none; from, to: 0, 0 for the whole output. */
struct question { struct sample_options sample; char *target, *method; int from, to; };
void question_json(const struct question *q, struct str *out);
/* What is absent keeps its value in *q; target and method are fresh memory. */
enum err question_parse(const char *json, struct question *q);
/* Do both ask the same? How it is sampled counts only where there is no target. */
bool question_same(const struct question *a, const struct question *b);
void question_free(struct question *q);

#endif
