/*
 * unit: what every unit test includes. cmocka wants these headers, in this order, before its own.
 */
#ifndef BYLINE_TEST_UNIT_H
#define BYLINE_TEST_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "byline/err.h"

/* Fails with the stored message, which says more than a number. */
#define assert_ok(expr) do { \
	enum err unit_err_ = (expr); \
	if (unit_err_ != OK) \
		fail_msg("%s: error %d: %s", #expr, (int)unit_err_, err_message()); \
} while (0)

#define assert_err(expr, code) assert_int_equal((expr), (code))

#endif
