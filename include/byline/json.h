/*
 * json: jansson, with the checks that data from strangers needs. Messages name the file and the key.
 */
#ifndef BYLINE_JSON_H
#define BYLINE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/str.h"

/* Parses text[0..n); duplicates are refused, NUL bytes in strings are allowed, a whole number beyond 64 bits is a real
 * one (and no whole number to the getters below). *out is the caller's to json_decref. */
enum err json_parse(const char *text, size_t n, const char *name, json_t **out);
enum err json_parse_file(const char *path, size_t limit, json_t **out);

/* Getters on an object. `name` is what messages call the file. The default is used when the key is absent or null. */
enum err json_want_int(const json_t *obj, const char *name, const char *key, int64_t min, int64_t max, int64_t *out);
enum err json_opt_int(const json_t *obj, const char *name, const char *key, int64_t min, int64_t max, int64_t def,
	int64_t *out);
enum err json_opt_real(const json_t *obj, const char *name, const char *key, double min, double max, double def,
	double *out);
enum err json_opt_bool(const json_t *obj, const char *name, const char *key, bool def, bool *out);
enum err json_want_str(const json_t *obj, const char *name, const char *key, const char **out);	/* borrowed */
enum err json_opt_str(const json_t *obj, const char *name, const char *key, const char *def, const char **out);

/* A SHA-256 in 64 lower-case hexadecimal digits; the optional one leaves an empty string when it is absent or null.
 * hex (65) */
enum err json_want_hash(const json_t *obj, const char *name, const char *key, char *hex);
enum err json_opt_hash(const json_t *obj, const char *name, const char *key, char *hex);
/* A number from 0 to 2^64 - 1 in a string: not every seed is an integer that JSON readers take. */
enum err json_want_u64(const json_t *obj, const char *name, const char *key, uint64_t *out);

/* Compact, keys in insertion order, floats with the digits that read back the same float64; appended to out. */
void json_print(struct str *out, const json_t *value, int indent);

/* A JSON string from bytes that may not be UTF-8: each invalid byte becomes U+FFFD. New reference. */
json_t *json_text(const char *s, size_t n);
/* The same of a C string, JSON null for NULL; of a number, JSON null for what is not finite. */
json_t *json_cstr(const char *s);
json_t *json_number(double x);

#endif
