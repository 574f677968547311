# Turns etc/keys into the table of actions: ACTION(UP, "up", "k Up Ctrl-P", "one line up", V_ANY)
/^[a-z-]+ =/ {
	hash = match($0, /[ \t]#[ ]/)
	keys = substr($0, 1, hash - 1)
	text = substr($0, hash + 3)
	name = $1
	sub(/^[a-z-]+ =[ \t]*/, "", keys)
	sub(/[ \t]+$/, "", keys)
	gsub(/[ \t]+/, " ", keys)
	gsub(/\\/, "&&", keys)
	gsub(/"/, "\\\"", keys)
	match(text, /\[[a-z ]+\]$/)
	views = substr(text, RSTART + 1, RLENGTH - 2)
	help = substr(text, 1, RSTART - 2)
	gsub(/"/, "\\\"", help)
	id = toupper(name)
	gsub(/-/, "_", id)
	n = split(toupper(views), view, " ")
	mask = ""
	for (i = 1; i <= n; i++)
		mask = mask (i > 1 ? " | " : "") "V_" view[i]
	printf "ACTION(%s, \"%s\", \"%s\", \"%s\", %s)\n", id, name, keys, help, mask
}
/^# ---- / {
	group = $0
	gsub(/^# ---- | ----$/, "", group)
	printf "GROUP(\"%s\")\n", group
}
