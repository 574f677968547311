# Two jobs for manual.test.
#
#	awk -f examples.awk -v into=DIR PAGE.in		DIR/N.cmd and DIR/N.want for each "$ command" of the page's examples
#	awk -f examples.awk -v compare=1 WANT GOT		exit code 0 when GOT is as WANT says: "..." is any text within a line,
#							a line of "..." alone any number of lines

function begin_command(line) {
	finish_command()
	n++
	command = substr(line, 3)
	wanted = ""
	while (command ~ /\\$/ && (getline line) > 0 && sub(/^> /, "", line))
		command = substr(command, 1, length(command) - 1) line
	printf "%s\n", command >(into "/" n ".cmd")
	printf "" >(into "/" n ".want")
}

function finish_command() {
	if (n) {
		close(into "/" n ".cmd")
		close(into "/" n ".want")
	}
}

into && /^\.EE/ { inside = 0 }
into && inside && /^\$ / { begin_command($0); next }
into && inside { print >(into "/" n ".want") }
into && /^\.EX/ { inside = 1 }

compare && FNR == NR { want[++wants] = $0; next }
compare { got[++gots] = $0 }

# Does `text` fit `pattern`, in which "..." stands for any text?
function fits(text, pattern,   at, piece, from) {
	at = index(pattern, "...")
	if (at == 0)
		return text == pattern
	if (substr(text, 1, at - 1) != substr(pattern, 1, at - 1))
		return 0
	text = substr(text, at)
	pattern = substr(pattern, at + 3)
	while ((at = index(pattern, "...")) > 0) {
		piece = substr(pattern, 1, at - 1)
		from = index(text, piece)
		if (from == 0)
			return 0
		text = substr(text, from + length(piece))
		pattern = substr(pattern, at + 3)
	}
	return length(text) >= length(pattern) && substr(text, length(text) - length(pattern) + 1) == pattern
}

# Do lines g.. of what came fit lines w.. of what is wanted?
function all_fit(w, g,   k) {
	while (w <= wants && want[w] != "...") {
		if (g > gots || !fits(got[g], want[w])) {
			if (g > furthest) { furthest = g; wished = want[w] }
			return 0
		}
		w++
		g++
	}
	if (w > wants) {
		if (g <= gots && g > furthest) { furthest = g; wished = "the end" }
		return g > gots
	}
	for (k = g; k <= gots + 1; k++)
		if (all_fit(w + 1, k))
			return 1
	return 0
}

END {
	if (into)
		finish_command()
	if (compare && !all_fit(1, 1)) {
		printf "line %d is: %s\nwanted:    %s\n", furthest, furthest <= gots ? got[furthest] : "(no more)", wished
		exit 1
	}
}
