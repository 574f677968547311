# Makes a manual page: fills @SYNOPSIS@, @OPTIONS@, @COMMANDS@ and @METHODS@ from what `byline help --roff` prints, @VERSION@ and
# @DATADIR@ from the command line, and turns the plain text of each example (.EX to .EE) into roff.
#
#	byline help --roff ask | awk -f page.awk version=0.1 datadir=/usr/share/byline part=made - part=page byline-ask.1.in

part == "made" && /^\.SH / { section = $2 }
part == "made" { made[section] = made[section] $0 "\n"; next }

/^\.EE/ { example = 0 }

example {
	gsub(/\\/, "\\e")
	gsub(/-/, "\\-")
	gsub(/'/, "\\(aq")
	gsub(/`/, "\\(ga")
	gsub(/\^/, "\\(ha")
	gsub(/~/, "\\(ti")
	sub(/^\./, "\\\\\\&.")
	print
	next
}

/^\.EX/ { example = 1 }

/^@[A-Z]+@$/ {
	name = substr($0, 2, length($0) - 2)
	if (!(name in made)) {
		print FILENAME ": nothing makes " $0 | "cat 1>&2"
		exit 1
	}
	printf "%s", made[name]
	next
}

{ gsub(/@VERSION@/, version); gsub(/@DATADIR@/, datadir); print }
