/* Copyright lines as they are met in the wild, names made up. */
#include "unit.h"

#include <string.h>

#include "../../src/store/holders.h"

/* Holders joined by '|', then '#' and the licence, then '@' and the date. */
static void
check(const char *text, const char *want)
{
	struct record r = {0};
	struct str got = {0};
	holders_scan(text, strlen(text), &r);
	str_adds(&got, "");
	for (size_t i = 0; i < r.people.n; i++)
		str_addf(&got, "%s%s", i ? "|" : "", r.people.v[i].name);
	if (r.licence)
		str_addf(&got, "#%s", r.licence);
	if (r.date)
		str_addf(&got, "@%s", r.date);
	assert_string_equal(got.s, want);
	str_free(&got);
	record_free(&r);
}

static void
test_one(void **state)
{
	(void)state;
	check("/* Copyright (C) 1993 Ada Quay <ada@example.org> */\n", "Ada Quay@1993");
	check("// Copyright 2003-2006, Ada Quay\n", "Ada Quay@2003");
	check("# (c) Copyright 2015 Ada Quay <a@b>. All rights reserved.\n", "Ada Quay@2015");
	check(".\\\" Copyright \xc2\xa9 2001 by \xc3\x89lo\xc3\xafse Marsh (e@m), March 3, 2001\n",
		"\xc3\x89lo\xc3\xafse Marsh@2001");
	check("SPDX-FileCopyrightText: 2020 Ada Quay\nSPDX-License-Identifier: MIT\n", "Ada Quay#MIT@2020");
	check("Copyright by Ada Quay\n", "Ada Quay");
	check("Copyright (c) ada quay (ada@example.org)\n", "ada quay");
}

static void
test_several(void **state)
{
	(void)state;
	check("Copyright (C) 1999, 2001 Ada Quay, Bo Reef.\n", "Ada Quay|Bo Reef@1999");
	check("Copyright 1999 Ada Quay <a@b> and Bo Reef <b@c>\n", "Ada Quay|Bo Reef@1999");
	check("Copyright 1999 Ada Quay\nand Copyright 2003 Bo Reef\nCopyright 2004 Ada Quay\n",
		"Ada Quay|Bo Reef@1999");
	check("Copyright 1999 Pier Works, Inc.\n", "Pier Works, Inc@1999");
	check("Copyright 2008, Pier Foundation, written by Ada Quay\n", "Ada Quay@2008");
	check("Copyright (c) 1990\n * The Regents of Somewhere.  All rights reserved.\n",
		"The Regents of Somewhere@1990");
}

static void
test_around_names(void **state)
{
	(void)state;
	check("Copyright 1999 Ada Quay & Bo Reef\n", "Ada Quay|Bo Reef@1999");
	check("Copyright 1999 Pier&Mole\n", "Pier&Mole@1999");
	check("Copyright 1999 Pier Works Corporation - Northport, Some State\n", "Pier Works Corporation@1999");
	check("Copyright 1999 Pier Works Corporation, Northport, Some State\n", "Pier Works Corporation@1999");
	check("Copyright 1999 Pier Works, Inc. and Ada Quay\n", "Pier Works, Inc|Ada Quay@1999");
	check("Copyright 1999 Ada Quay, Northport\n", "Ada Quay@1999");
	check("Copyright (c) 1999 Author: Ada Quay 1999-2003\n", "Ada Quay@1999");
	check("Copyright 1999 Ada Quay. Freely redistributable\n", "Ada Quay@1999");
	check("Copyright 1999 Ada P. Quay http://ada.example.org/\n", "Ada P. Quay@1999");
	check("Copyright \xc2\xa9 2022 Pier Foundation, Inc. License GPLv3+: see below\n", "Pier Foundation, Inc@2022");
}

static void
test_prose(void **state)
{
	(void)state;
	check("The above copyright notice shall be kept.\n", "");
	check("IN NO EVENT SHALL THE COPYRIGHT HOLDERS BE LIABLE\n", "");
	check("see the SPDX-License-Identifier: \" string\n", "");
	check("%%%LICENSE_START(PUBLIC_DOMAIN)\n", "#PUBLIC_DOMAIN");
	check("Copyright\n", "");
	check("", "");
}

static void
test_hostile(void **state)
{
	(void)state;
	char wild[600];
	memset(wild, '(', sizeof(wild) - 1);
	memcpy(wild, "Copyright 1999 ", 15);
	wild[sizeof(wild) - 1] = '\0';
	check(wild, "@1999");
	memset(wild + 15, 'A', sizeof(wild) - 16);
	check(wild, "@1999");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one), cmocka_unit_test(test_several), cmocka_unit_test(test_around_names),
		cmocka_unit_test(test_prose),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
