/*
 * jsonq: looks into JSON for the shell tests.
 *
 *   jsonq [-s | -n | -t] PATH < JSON      PATH: names and indices joined by dots, * for every member; "" the whole
 *
 * Prints what is there, a value a line (strings as they are); -s their sum, -n how many, -t their types.
 * Exit code 1 when nothing is there, 2 when the input is not exactly one JSON value.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found { char mode; size_t n; double sum; };

static const char *
type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object", [JSON_ARRAY] = "array", [JSON_STRING] = "string", [JSON_INTEGER] = "integer",
		[JSON_REAL] = "real", [JSON_TRUE] = "boolean", [JSON_FALSE] = "boolean", [JSON_NULL] = "null",
	};
	return names[json_typeof(v)];
}

static void
take(const json_t *v, struct found *f)
{
	f->n++;
	f->sum += json_number_value(v);
	if (f->mode == 't') {
		puts(type_name(v));
	} else if (f->mode == 'v' && json_is_string(v)) {
		fwrite(json_string_value(v), 1, json_string_length(v), stdout);
		putchar('\n');
	} else if (f->mode == 'v') {
		json_dumpf(v, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
		putchar('\n');
	}
}

static void walk(json_t *v, const char *path, struct found *f);

static void
walk_all(json_t *v, const char *rest, struct found *f)
{
	const char *key;
	json_t *item;
	size_t i;
	json_object_foreach(v, key, item)
		walk(item, rest, f);
	json_array_foreach(v, i, item)
		walk(item, rest, f);
}

static json_t *
member(json_t *v, const char *name, size_t n)
{
	char key[128];
	if (n >= sizeof(key))
		return NULL;
	memcpy(key, name, n);
	key[n] = '\0';
	return json_is_array(v) ? json_array_get(v, strtoul(key, NULL, 10)) : json_object_get(v, key);
}

static void
walk(json_t *v, const char *path, struct found *f)
{
	if (!v)
		return;
	if (!*path) {
		take(v, f);
		return;
	}
	size_t n = strcspn(path, ".");
	const char *rest = path[n] ? path + n + 1 : path + n;
	if (n == 1 && *path == '*')
		walk_all(v, rest, f);
	else
		walk(member(v, path, n), rest, f);
}

int
main(int argc, char **argv)
{
	struct found f = {.mode = 'v'};
	if (argc > 2)
		f.mode = argv[1][1];
	json_error_t why;
	json_t *v = json_loadf(stdin, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
	if (!v) {
		fprintf(stderr, "jsonq: line %d: %s\n", why.line, why.text);
		return 2;
	}
	walk(v, argc > 1 ? argv[argc - 1] : "", &f);
	json_decref(v);
	if (f.mode == 's')
		printf("%.9f\n", f.sum);
	if (f.mode == 'n')
		printf("%zu\n", f.n);
	return f.n > 0 ? 0 : 1;
}
