# garden.sh: a small corpus, and a very small model trained on it. Sourced after tap.sh.

# What makes a model that trains and indexes in about a second.
tiny="--layers 2 --width 64 --vocab 384 --context 64 --batch 4 --epochs 40"

# garden_store DIR: imported, trained as run "base", and indexed.
garden_store() {
	# shellcheck disable=SC2086 — options are meant to split
	if byline import "$1" "$data/garden.jsonl" --quiet >"$tmp/made" 2>&1 \
		&& byline train "$1" $tiny --no-capture --quiet >>"$tmp/made" 2>&1 \
		&& byline index "$1" --k 16 --null-queries 8 --quiet >>"$tmp/made" 2>&1
	then
		pass "a store to work with"
	else
		fail "a store to work with" "$(cat "$tmp/made")"
	fi
}
