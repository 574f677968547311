/* options: bounds, and JSON there and back. */
#include "../../src/train/options.h"

#include <math.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "unit.h"

static void
check_refused(struct train_options o, const char *word)
{
	assert_err(train_options_check(&o), ERR_USAGE);
	if (!strstr(err_message(), word))
		fail_msg("\"%s\" does not name %s", err_message(), word);
}

#define REFUSED(field, value) do { \
	struct train_options refused_; \
	train_defaults(&refused_); \
	refused_.field = (value); \
	check_refused(refused_, #field); \
} while (0)

static void
test_bounds(void **state)
{
	(void)state;
	struct train_options o;
	train_defaults(&o);
	assert_ok(train_options_check(&o));
	REFUSED(seed, UINT64_MAX);
	REFUSED(epochs, 0);
	REFUSED(batch, 0);
	REFUSED(lanes, 0);
	REFUSED(lanes, 1000);
	REFUSED(keep, -1);
	REFUSED(lr, 0);
	REFUSED(lr, (double)NAN);
	REFUSED(lr, (double)INFINITY);
	REFUSED(lr_floor, 1.5);
	REFUSED(warmup, -2);
	REFUSED(beta1, 1);
	REFUSED(beta2, -0.1);
	REFUSED(eps, 0);
	REFUSED(weight_decay, -1);
	REFUSED(clip, (double)NAN);
	REFUSED(dtype, ST_I8);
	REFUSED(save_every, -1);
}

static void
test_json(void **state)
{
	(void)state;
	struct train_options o, back;
	train_defaults(&o);
	o.seed = INT64_MAX;
	o.lr = 0.1 + 0.2;
	o.clip = 3;
	o.dtype = ST_BF16;
	struct str text = {0};
	json_t *root = options_json(&o);
	json_print(&text, root, 0);
	json_decref(root);
	assert_ok(json_parse(text.s, text.len, "text", &root));
	assert_ok(options_parse(&back, root, "text"));
	assert_int_equal(back.seed, o.seed);
	assert_true(back.lr == o.lr && back.clip == 3 && back.beta2 == o.beta2);
	assert_int_equal(back.dtype, ST_BF16);
	assert_int_equal(back.batch, o.batch);

	static const struct { const char *key, *value; } bad[] = {
		{ "seed", "-1" }, { "seed", "1.5" }, { "epochs", "\"3\"" }, { "epochs", "1e3" },
		{ "lanes", "99999999999" }, { "lr", "\"high\"" }, { "lr", "1e300" }, { "lr", "null" },
		{ "dtype", "\"I8\"" }, { "dtype", "7" }, { "warmup", "[]" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *copy = json_copy(root), *value;
		assert_ok(json_parse(bad[i].value, strlen(bad[i].value), "value", &value));
		json_object_set_new(copy, bad[i].key, value);
		assert_err(options_parse(&back, copy, "text"), ERR_FORMAT);
		assert_non_null(strstr(err_message(), bad[i].key));
		json_object_del(copy, bad[i].key);
		assert_err(options_parse(&back, copy, "text"), ERR_FORMAT);
		json_decref(copy);
	}
	assert_err(options_parse(&back, NULL, "text"), ERR_FORMAT);
	json_decref(root);
	str_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
