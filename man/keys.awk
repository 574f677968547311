# The KEYS section of byline-explore(1), from etc/keys, the file that the explorer's own table of actions is made from.
#
#	# ---- group ----
#	action = KEY...		# what it does [where]

function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	sub(/^\./, "\\\\\\&.", s)
	gsub(/"/, "\\(dq", s)
	return s
}

BEGIN { print ".SH KEYS" }

/^# ---- / {
	gsub(/^# ---- | ----$/, "")
	print ".SS " toupper(substr($0, 1, 1)) substr($0, 2)
}

/^[a-z-]+ =/ {
	hash = match($0, /[ \t]#[ ]/)
	keys = substr($0, 1, hash - 1)
	text = substr($0, hash + 3)
	sub(/^[a-z-]+ =[ \t]*/, "", keys)
	sub(/[ \t]+$/, "", keys)
	n = split(keys, key, /[ \t]+/)
	line = ".TP\n.BR"
	for (i = 1; i <= n; i++)
		line = line " \"" roff(key[i]) "\"" (i < n ? " \", \"" : "")
	print line
	match(text, /\[[a-z ]+\]$/)
	where = substr(text, RSTART + 1, RLENGTH - 2)
	gsub(/ /, ", ", where)
	text = roff(substr(text, 1, RSTART - 2))
	print toupper(substr(text, 1, 1)) substr(text, 2) "."
	if (where != "any" && where != "typing")
		print "In: " where "."
	print ".RB ( " roff($1) " )"
}
