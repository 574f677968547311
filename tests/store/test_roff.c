/* Manual pages down to their words. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/store/roff.h"

static void
check(const char *source, const char *want)
{
	struct roff_page p;
	roff_read(source, strlen(source), &p);
	assert_string_equal(p.text.s ? p.text.s : "", want);
	roff_page_free(&p);
}

static void
test_page(void **state)
{
	(void)state;
	struct roff_page p;
	static const char source[] =
		".\\\" a comment\n.TH lamp 3 2023-02-05 \"Head lamps\"\n.SH NAME\nlamp \\- light it\n"
		".SH SYNOPSIS\n.nf\n.BI \"int lamp(int \" height );\n.fi\n"
		".PP\n.BR lamp ()\nlights\n.I height\nlamps.\n";
	roff_read(source, sizeof(source) - 1, &p);
	assert_string_equal(p.name, "lamp");
	assert_string_equal(p.section, "3");
	assert_string_equal(p.date, "2023-02-05");
	assert_null(p.redirect);
	assert_string_equal(p.text.s,
		"NAME\nlamp - light it\n\nSYNOPSIS\nint lamp(int height);\n\nlamp() lights height lamps.\n");
	roff_page_free(&p);
}

static void
test_escapes(void **state)
{
	(void)state;
	check("\\fBbold\\fP and \\f(BIboth\\fR \\(aqq\\(aq \\[lq]x\\[rq] a\\|b\\&c \\e \\s-1small\\s0 z\\\" gone\n",
		"bold and both 'q' \u201cx\u201d abc \\ small z\n");
	check("\\h'3n'x \\v'1'y \\*(lqz\\*(rq \\~\n", "x y \u201cz\u201d\n");
	check("\\", "");
	check("\\(", "");
	check("\\[never", "");
	check("\\f", "");
	check("\\h'never", "");
}

static void
test_structure(void **state)
{
	(void)state;
	check(".TP\n.B tag\ntext\n.IP 2\nitem\n", "tag text\n\n2 item\n");
	check(".TS\nallbox;\nl c.\na\tb\n_\nT{\nc\nT}\td\n.TE\nafter\n", "a\tb\nc\n\td\nafter\n");
	check(".de XX\n.B hidden\n..\nshown\n", "shown\n");
	check(".if n \\{\\\nhidden\n.\\}\nshown\n", "shown\n");
	check(".ie n one\n.el two\nshown\n", "shown\n");
	check("a\n\n\n\n.PP\n.PP\nb\n", "a\n\nb\n");
}

static void
test_redirect(void **state)
{
	(void)state;
	struct roff_page p;
	roff_read(".so man3/other.3\n", 17, &p);
	assert_string_equal(p.redirect, "man3/other.3");
	assert_int_equal(p.text.len, 0);
	roff_page_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page), cmocka_unit_test(test_escapes), cmocka_unit_test(test_structure),
		cmocka_unit_test(test_redirect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
