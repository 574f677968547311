/* glyph: two families of signs. Escapes keep the source itself in ASCII. */
#include "glyph.h"

static const struct glyphs utf8 = {
	.rule = "\u2500", .vrule = "\u2502", .tee_down = "\u252c", .tee_up = "\u2534",
	.crumb = "\u203a", .here = "\u25b8", .dot = "\u00b7", .times = "\u00d7", .dash = "\u2013",
	.ellipsis = "\u2026", .plus_minus = "\u00b1", .space = "\u2423", .open_quote = "\u201c",
	.close_quote = "\u201d",
	.helped = { " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" },
	.opposed = { " ", "\u2591", "\u2591", "\u2591", "\u2592", "\u2592", "\u2592", "\u2593", "\u2593" },
	.bar = { "", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589", "\u2588" },
	.hatch = "\u2592",
	.whisker_lo = "\u251c", .whisker = "\u253c", .whisker_hi = "\u2524",
	.flat = "\u2500", .rising = "\u2571", .falling = "\u2572",
	.rail_first = "\u250c", .rail = "\u2502", .rail_last = "\u2514",
};

static const struct glyphs ascii = {
	.ascii = true,
	.rule = "-", .vrule = "|", .tee_down = "+", .tee_up = "+",
	.crumb = ">", .here = ">", .dot = "|", .times = "x", .dash = "-",
	.ellipsis = "~", .plus_minus = "+-", .space = "_", .open_quote = "\"", .close_quote = "\"",
	.helped = { " ", "1", "2", "3", "4", "5", "6", "7", "8" },
	.opposed = { " ", "a", "b", "c", "d", "e", "f", "g", "h" },
	.bar = { "", "", "", "", "#", "#", "#", "#", "#" },
	.hatch = ":",
	.whisker_lo = "[", .whisker = "+", .whisker_hi = "]",
	.flat = "-", .rising = "/", .falling = "\\",
	.rail_first = "/", .rail = "|", .rail_last = "\\",
};

const struct glyphs *
glyphs_for(bool want_ascii)
{
	return want_ascii ? &ascii : &utf8;
}
