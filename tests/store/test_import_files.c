/* Folders of texts, source trees, manual pages and tables into a store. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/import.h"
#include "byline/mem.h"

struct place { char *root, *corpus, *dir; struct store *s; };

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char name[] = "import-files-XXXXXX";
	if (!mkdtemp(name))
		return 1;
	p->root = xstrdup(name);
	p->corpus = path_join(name, "corpus");
	p->dir = path_join(name, "t.byline");
	*state = p;
	return store_create(p->dir, &p->s) != OK;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	store_close(p->s);
	file_remove_tree(p->root);
	free(p->root);
	free(p->corpus);
	free(p->dir);
	free(p);
	return 0;
}

static void
put(const struct place *p, const char *rel, const char *text)
{
	char *path = path_join(p->corpus, rel), *dir = xstrndup(path, (size_t)(path_base(path) - path));
	assert_ok(file_mkdirs(dir));
	assert_ok(file_replace(path, text, strlen(text)));
	free(path);
	free(dir);
}

/* Each work as "title:author+author:licence", one a line. */
static enum err
tell(void *arg, const struct work *w)
{
	struct str *out = arg;
	str_addf(out, "%s:", w->title);
	for (size_t i = 0; i < w->n_authors; i++)
		str_addf(out, "%s%s", i ? "+" : "", w->authors[i].name);
	str_addf(out, ":%s\n", w->licence);
	return OK;
}

static void
check(struct place *p, const char *path, const struct import_options *o, int64_t skipped, const char *want)
{
	struct import_report r;
	struct str got = {0};
	assert_ok(import_path(p->s, path, o, NULL, &r));
	assert_int_equal(r.skipped, skipped);
	int64_t added = r.added + r.duplicates;
	import_report_free(&r);
	assert_ok(store_each_work(p->s, tell, &got));
	assert_string_equal(got.s ? got.s : "", want);
	str_free(&got);
	assert_ok(import_path(p->s, path, o, NULL, &r));
	assert_int_equal(r.added, 0);
	assert_int_equal(r.duplicates, added);
	import_report_free(&r);
}

static void
test_dir(void **state)
{
	struct place *p = *state;
	put(p, "ada/lamp.txt", "The lamp.");
	put(p, "bo/tide.txt", "The tide.");
	put(p, "top.txt", "Nobody's.");
	put(p, ".git/config", "hidden");
	put(p, "ada/empty.txt", "");
	const struct import_options o = {.format = "dir", .licence = "CC0-1.0"};
	check(p, p->corpus, &o, 1, "lamp:ada:CC0-1.0\ntide:bo:CC0-1.0\ntop:unknown:CC0-1.0\n");
}

static void
test_dir_kinds(void **state)
{
	struct place *p = *state;
	put(p, "x/ada/lamp.txt", "\xff\xfe is kept as it is");
	put(p, "x/bo/packed.gz", "\x1f\x8b\x08");
	put(p, "x/.hidden", "hidden");
	put(p, "CVS/Root", "hidden");
	put(p, "x/.svn/a/b", "hidden");
	char *binary = path_join(p->corpus, "x/ada/binary"), *packed = path_join(p->corpus, "x/bo/packed.gz");
	assert_ok(file_replace(binary, "text\0text", 9));
	assert_ok(file_replace(packed, "\x1f\x8b\x08\0\0\0\0\0", 8));
	const struct import_options o = {.format = "dir", .author_from = "dir2", .max_bytes = 30};
	check(p, p->corpus, &o, 2, "lamp:ada:unknown\n");
	put(p, "x/ada/long.txt", "More than thirty bytes are too long here.");
	check(p, p->corpus, &o, 3, "lamp:ada:unknown\n");
	free(binary);
	free(packed);
}

static void
test_pattern(void **state)
{
	struct place *p = *state;
	put(p, "Ada Quay - Lamps.txt", "The lamp.");
	put(p, "Ada Quay & Bo Reef - Tides.txt", "The tide.");
	put(p, "odd.txt", "Odd.");
	const struct import_options o = {.format = "dir", .author_from = "^(?<author>.*) - (?<title>.*)\\.txt$",
		.author_map = " & "};
	check(p, p->corpus, &o, 0, "Tides:Ada Quay+Bo Reef:unknown\nLamps:Ada Quay:unknown\nodd:unknown:unknown\n");
	static const char *const bad[] = {"(?<author", "^(?<title>.*)$", "folder", "dir0", "dir1234", "dir1x"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct import_options wrong = {.format = "dir", .author_from = bad[i]};
		struct import_report r;
		assert_err(import_path(p->s, p->corpus, &wrong, NULL, &r), ERR_USAGE);
		assert_non_null(strstr(err_message(), bad[i]));
		import_report_free(&r);
	}
}

static void
test_source(void **state)
{
	struct place *p = *state;
	put(p, "a.c", "/* Copyright (C) 2001 Ada Quay\n * SPDX-License-Identifier: MIT */\nint a;\n");
	put(p, "b.c", "int b;\n");
	const struct import_options o = {.format = "source"};
	check(p, p->corpus, &o, 0, "a.c:Ada Quay:MIT\nb.c:unknown:unknown\n");
}

static void
test_man(void **state)
{
	struct place *p = *state;
	put(p, "man3/lamp.3",
		".\\\" Copyright 1999 Ada Quay\n.\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
		".TH lamp 3\n.SH NAME\nlamp\n");
	put(p, "man3/light.3", ".so man3/lamp.3\n");
	put(p, "man3/torn.3.gz", "\x1f\x8b\x08 not really");
	put(p, "man7/glow.7",
		".TH glow 7\n.SH NAME\nglow\n.SH COPYRIGHT\nCopyright \\(co 2001 Bo Reef.\n"
		"All rights kept.\n.SH SEE\nlamp\n");
	put(p, "man7/talk.7", ".\\\" Copyright 1998 Ada Quay\n.TH talk 7\n.SH NAME\nsays Copyright 1997 Nobody Here\n");
	char *page = path_join(p->corpus, "man3/lamp.3"), *folder = path_join(p->corpus, "man7");
	const struct import_options o = {.format = "man"}, guess = {0};
	check(p, page, &guess, 0, "lamp(3):Ada Quay:GPL-2.0-or-later\n");
	check(p, folder, &guess, 0,
		"lamp(3):Ada Quay:GPL-2.0-or-later\nglow(7):Bo Reef:unknown\ntalk(7):Ada Quay:unknown\n");
	free(page);
	free(folder);
	check(p, p->corpus, &o, 2,
		"lamp(3):Ada Quay:GPL-2.0-or-later\nglow(7):Bo Reef:unknown\ntalk(7):Ada Quay:unknown\n");
}

/* What gzip made, and what is left when it is cut off or grows without bound. */
static void
test_packed(void **state)
{
	struct place *p = *state;
	struct str bytes = {0};
	str_adds(&bytes, ".\\\" Copyright 1999 Ada Quay\n.TH lamp 3\n.SH NAME\n");
	str_fill(&bytes, 'x', 5000);
	put(p, "man3/lamp.3", bytes.s);
	str_clear(&bytes);
	char *cut = path_join(p->corpus, "man3/cut.3.gz"), *packed = path_join(p->corpus, "man3/lamp.3.gz");
	char *plain = path_join(p->corpus, "man3/lamp.3"), *line = xasprintf("gzip -n '%s'", plain);
	assert_int_equal(system(line), 0);
	assert_ok(file_read(packed, 1000, &bytes));
	assert_ok(file_replace(cut, bytes.s, bytes.len - 10));
	const struct import_options o = {.format = "man"}, tiny = {.format = "man", .max_bytes = bytes.len + 1};
	check(p, p->corpus, &tiny, 2, "");
	check(p, p->corpus, &o, 1, "lamp(3):Ada Quay:unknown\n");
	str_free(&bytes);
	free(cut);
	free(packed);
	free(plain);
	free(line);
}

static void
test_csv(void **state)
{
	struct place *p = *state;
	put(p, "t.csv", "n,Author,text\n1,ADA AND BO,\"The lamp,\nlit\"\n2,DISPUTED,x\n3,ADA,\n4,\"ADA\"x,y\n");
	char *path = path_join(p->corpus, "t.csv");
	const struct import_options o = {.columns = "title=n", .author_map = " AND ", .unknown_names = "DISPUTED,anon"};
	check(p, path, &o, 2, "1:ADA+BO:unknown\n2:unknown:unknown\n");
	char *odd = path_join(p->corpus, "odd.csv");
	put(p, "odd.csv", "text;author;note\nTwo; too few\none;ADA;x;y\nlast;ADA;\n\n;;\n");
	check(p, odd, &(struct import_options){0}, 3, "1:ADA+BO:unknown\n2:unknown:unknown\n:ADA:unknown\n");
	assert_ok(file_replace(odd, "text,author\nx,A\0B\ny,\"A\"\n", 24));
	check(p, odd, &(struct import_options){0}, 1,
		"1:ADA+BO:unknown\n2:unknown:unknown\n:ADA:unknown\n:A:unknown\n");
	free(odd);
	const struct import_options bad = {.columns = "text=nothing"};
	struct import_report r;
	assert_err(import_path(p->s, path, &bad, NULL, &r), ERR_USAGE);
	import_report_free(&r);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dir_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pattern, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_man, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
