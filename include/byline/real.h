/*
 * real: the number type of the layers. float in the product; the layers are compiled a second time with double for the
 * tests, so that finite differences can be told from rounding.
 */
#ifndef BYLINE_REAL_H
#define BYLINE_REAL_H

#ifdef BYLINE_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
