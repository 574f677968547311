#!/bin/sh
# page.sh BYLINE VERSION PAGE.N.in: the manual page on standard output. The generated sections are the program's own.
set -eu
byline=$1 version=$2 source=$3
name=${source##*/}
case $name in
byline.1.in)	made=$("$byline" help --roff) ;;
*.1.in)		command=${name#byline-}; made=$("$byline" help --roff "${command%.1.in}") ;;
*)		made= ;;
esac
printf '%s\n' "$made" | ${AWK:-awk} -f "$(dirname "$0")/page.awk" version="$version" part=made - part=page "$source"
