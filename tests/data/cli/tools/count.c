/* SPDX-License-Identifier: MIT */
/* Copyright (C) 2014 Ilse Korn <ilse@hollow-lane.example> */
/* Counts the beans of a plot: one line of standard input for each plant. */
#include <stdio.h>

int
main(void)
{
	int c, beans = 0;
	while ((c = getchar()) != EOF)
		beans += c == 'b';
	printf("%d\n", beans);
	return 0;
}
