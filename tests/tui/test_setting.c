/* Settings by name, and the questions that saved queries carry. */
#include <stdlib.h>
#include <string.h>

#include "setting.h"
#include "unit.h"

static void
settings_are_checked(void **state)
{
	(void)state;
	struct sample_options o = { .temperature = 0.8, .top_p = 0.95, .seed = 1, .max_tokens = 32 };
	assert_ok(setting_set(&o, "seed", "18446744073709551615"));
	assert_true(o.seed == UINT64_MAX);
	assert_ok(setting_set(&o, "temperature", "0"));
	assert_ok(setting_set(&o, "top-k", "40"));
	assert_ok(setting_set(&o, "top-p", "1"));
	assert_ok(setting_set(&o, "tokens", "7"));
	assert_int_equal(o.top_k, 40);
	assert_int_equal(o.max_tokens, 7);
	static const char *const wrong[][2] = {
		{ "seed", "-1" }, { "seed", "1.5" }, { "seed", "" }, { "seed", "18446744073709551616" },
		{ "temperature", "nan" },
		{ "temperature", "-1" }, { "temperature", "warm" }, { "top-k", "1.5" }, { "top-p", "0" },
		{ "top-p", "2" }, { "tokens", "0" }, { "tokens", "7 8" }, { "speed", "1" },
	};
	struct sample_options before = o;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_err(setting_set(&o, wrong[i][0], wrong[i][1]), ERR_USAGE);
		assert_true(strstr(err_message(), wrong[i][0]) != NULL);
		assert_memory_equal(&o, &before, sizeof(o));
	}
}

static void
questions_round_trip(void **state)
{
	(void)state;
	char target[] = "the \"tide\"\n", method[] = "bm25";
	const struct question q = { .sample = { .temperature = 0.1, .top_k = 3, .top_p = 0.7, .seed = UINT64_MAX,
		.max_tokens = 9 }, .target = target, .method = method, .from = 2, .to = 5 };
	struct question r = {0};
	struct str json = {0};
	question_json(&q, &json);
	assert_ok(question_parse(json.s, &r));
	assert_true(r.sample.seed == UINT64_MAX && r.sample.temperature == 0.1 && r.sample.top_p == 0.7);
	assert_int_equal(r.sample.top_k, 3);
	assert_int_equal(r.sample.max_tokens, 9);
	assert_string_equal(r.target, target);
	assert_string_equal(r.method, method);
	assert_int_equal(r.from, 2);
	assert_int_equal(r.to, 5);
	question_free(&r);
	str_free(&json);
}

/* What is absent stays; what is wrong is named. */
static void
questions_from_strangers(void **state)
{
	(void)state;
	struct question q = { .sample = { .temperature = 0.8, .top_p = 0.9, .seed = 4, .max_tokens = 32 } };
	assert_ok(question_parse("{\"seed\": 7}", &q));
	assert_true(q.sample.seed == 7 && q.sample.temperature == 0.8);
	static const char *const wrong[] = { "", "[]]", "{\"tokens\": -3}", "{\"tokens\": 1e9}",
		"{\"temperature\": \"hot\"}",
		"{\"span\": [5, 2]}", "{\"span\": 3}", "{\"seed\": \"x\"}", "{\"target\": 7}" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_not_equal(question_parse(wrong[i], &q), OK);
		assert_null(q.target);
	}
	question_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_checked), cmocka_unit_test(questions_round_trip),
		cmocka_unit_test(questions_from_strangers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
