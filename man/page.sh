#!/bin/sh
# page.sh BYLINE VERSION DATADIR PAGE.N.in: the manual page on standard output. The generated sections are the program's own.
set -eu
byline=$1 version=$2 datadir=$3 source=$4
name=${source##*/} here=$(dirname "$0")
case $name in
byline.1.in)	made=$("$byline" help --roff) ;;
byline-explore.1.in)	made=$("$byline" help --roff explore; ${AWK:-awk} -f "$here/keys.awk" "$here/../etc/keys") ;;
byline.7.in)	made=$("$byline" help --methods --roff) ;;
*.1.in)		command=${name#byline-}; made=$("$byline" help --roff "${command%.1.in}") ;;
*)		made= ;;
esac
printf '%s\n' "$made" | ${AWK:-awk} -f "$here/page.awk" version="$version" datadir="$datadir" part=made - part=page "$source"
