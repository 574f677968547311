/* trust_fields: trust.json field by field, for who writes it and who reads it. */
#ifndef BYLINE_TRUST_FIELDS_H
#define BYLINE_TRUST_FIELDS_H

#include "byline/trust.h"

#define TRUST_FILE "bank/trust.json"

enum field_kind {
	FIELD_REAL,			/* double; NaN is null */
	FIELD_INTERVAL,			/* struct interval: KEY, KEY_lo, KEY_hi */
	FIELD_COUNT,			/* int */
	FIELD_LONG,			/* int64_t */
	FIELD_SEED,			/* uint64_t: a number, or a string when no JSON reader would take it */
	FIELD_FLAG			/* bool */
};

struct field { const char *key; enum field_kind kind; size_t at; double min, max; };

extern const struct field trust_fields[], trust_method_fields[];
extern const size_t n_trust_fields, n_trust_method_fields;

#endif
