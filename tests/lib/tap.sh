# tap.sh: what the shell tests share. Sourced first; leaves the test in an empty folder of its own, with byline on PATH.
# A test ends with `finish`, which prints the plan. Nothing is ever skipped.
set -u

case $0 in */*) tap_dir=${0%/*} ;; *) tap_dir=. ;; esac
top=$(cd "$tap_dir/../.." && pwd)
byline=${BYLINE:-$top/build/byline}
jsonq=${JSONQ:-${byline%/*}/tests/lib/jsonq}
data=$top/tests/data/cli
tap_n=0

tmp=$(mktemp -d "${TMPDIR:-/tmp}/byline-test.XXXXXX") || exit 99
trap 'chmod -R u+w "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
mkdir "$tmp/bin" "$tmp/work"
ln -s "$byline" "$tmp/bin/byline"
PATH=$tmp/bin:$PATH
export PATH
out=$tmp/out err=$tmp/err
cd "$tmp/work" || exit 99

# Logs are read on terminals.
plain() { LC_ALL=C tr -d '\000-\010\013-\037\177-\377'; }

pass() { tap_n=$((tap_n + 1)); printf 'ok %d - %s\n' "$tap_n" "$1" | plain; }

fail() {
	tap_n=$((tap_n + 1))
	printf 'not ok %d - %s\n' "$tap_n" "$1" | plain
	shift
	for tap_line in "$@"; do printf '%s\n' "$tap_line" | plain | sed 's/^/# /'; done
}

# ok DESCRIPTION COMMAND...: the command succeeds. $out and $err stay as they are.
ok() {
	tap_what=$1
	shift
	if "$@" >"$tmp/ok" 2>&1; then
		pass "$tap_what"
	else
		fail "$tap_what" "exit code $? from: $*" "$(head -n 20 "$tmp/ok")"
	fi
}

# is DESCRIPTION GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}

# exits CODE DESCRIPTION COMMAND...: that exit code; the output is left in $out and $err.
exits() {
	tap_code=$1 tap_what=$2
	shift 2
	"$@" >"$out" 2>"$err"
	tap_got=$?
	if [ "$tap_got" = "$tap_code" ]; then
		pass "$tap_what"
	else
		fail "$tap_what" "exit code $tap_got, wanted $tap_code, from: $*" "$(head -n 20 "$err")"
	fi
}

# refuses CODE WORDS COMMAND...: that exit code, nothing on standard output, and on standard error one line that begins
# with "byline: " and holds WORDS.
refuses() {
	tap_code=$1 tap_words=$2
	shift 2
	"$@" >"$out" 2>"$err"
	tap_got=$? tap_bad=
	[ "$tap_got" = "$tap_code" ] || tap_bad="exit code $tap_got, wanted $tap_code. "
	[ ! -s "$out" ] || tap_bad="${tap_bad}standard output is not empty. "
	[ "$(wc -l <"$err")" -eq 1 ] || tap_bad="${tap_bad}not one line on standard error. "
	grep -q '^byline: ' "$err" || tap_bad="${tap_bad}no \"byline: \" first. "
	grep -qF -e "$tap_words" "$err" || tap_bad="${tap_bad}it does not say: $tap_words. "
	tap_what="refuses with $tap_code and says \"$tap_words\": $(printf '%s' "$*" | tr '\n' ' ' | cut -c 1-90)"
	if [ -z "$tap_bad" ]; then
		pass "$tap_what"
	else
		fail "$tap_what" "$tap_bad" "$(head -n 20 "$err")"
	fi
}

# json PATH: that value of the JSON in $out. Several values come one a line.
json() { "$jsonq" "$@" <"$out"; }

# clean DESCRIPTION FILE...: no control, escape, bidirectional or invalid byte that a terminal could act upon.
hostile='[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf|\xf3\xa0|[\xc0\xc1\xf5-\xff]'
clean() {
	tap_what=$1
	shift
	if LC_ALL=C grep -aPq "$hostile" "$@"; then
		fail "$tap_what" "$(LC_ALL=C grep -aPn "$hostile" "$@" | head -n 3 | od -c | head -n 12)"
	else
		pass "$tap_what"
	fi
}

finish() { printf '1..%d\n' "$tap_n"; }
