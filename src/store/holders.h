/*
 * holders: who a text's own header says made it: Copyright lines, SPDX tags, and the licence they name. Private to the
 * store floor.
 */
#ifndef BYLINE_STORE_HOLDERS_H
#define BYLINE_STORE_HOLDERS_H

#include <stddef.h>

#include "importer.h"

enum { HOLDERS_HEAD = 16384 };	/* bytes of a file looked at: headers stand at the top */

/* Adds the holders found in text[0..n) to r->people, each once, and sets licence, licence_from and date (first year)
 * where found. */
void holders_scan(const char *text, size_t n, struct record *r);

#endif
