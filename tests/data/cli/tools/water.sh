#!/bin/sh
# SPDX-License-Identifier: CC0-1.0
# SPDX-FileCopyrightText: 2015 Bo Pell
# Says whose turn it is to water, from the number of the week.
week=$(date +%V)
set -- Wren Pell Birch Korn
shift $((week % 4))
echo "$1"
