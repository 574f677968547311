/* The cache against the forward pass; sampling against the probabilities it promises; facts about tokens. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/generate.h"
#include "byline/mem.h"
#include "tiny_model.h"
#include "unit.h"

static const int32_t text[] = {3, 17, 17, 42, 0, 49, 8, 9, 30, 31, 5, 5};
enum { TEXT = ARRAY_LEN(text), VOCAB = 50 };

static void
assert_near(const float *a, const float *b, size_t n, double tolerance)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
			fail_msg("element %zu: %g and %g", i, (double)a[i], (double)b[i]);
}

/* Logits (TEXT, VOCAB) of the forward pass; the caller frees. */
static float *
forward_logits(const struct model *m)
{
	int32_t start[] = {0, TEXT};
	struct batch b = {1, TEXT, start, text, NULL};
	struct acts *a = acts_new(m);
	float *out = xcalloc(TEXT * VOCAB, sizeof(*out));
	assert_ok(model_forward(m, m->params, a, &b));
	memcpy(out, acts_logits(a), TEXT * VOCAB * sizeof(*out));
	acts_free(a);
	return out;
}

static void
test_cache_is_forward(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct model m;
		float logits[VOCAB];
		assert_ok(tiny_model(&m, (enum tiny)kind, 4));
		float *want = forward_logits(&m);
		struct kv *kv = kv_new(&m);
		for (int i = 0; i < TEXT; i++) {
			assert_ok(model_step(&m, kv, text + i, 1, logits));
			assert_near(logits, want + i * VOCAB, VOCAB, 1e-5);
		}
		/* In other pieces, after going back. */
		kv_rewind(kv, 4);
		assert_ok(model_step(&m, kv, text + 4, 3, logits));
		assert_near(logits, want + 6 * VOCAB, VOCAB, 1e-5);
		assert_ok(model_step(&m, kv, text + 7, TEXT - 7, logits));
		assert_near(logits, want + (TEXT - 1) * VOCAB, VOCAB, 1e-5);
		assert_int_equal(kv_length(kv), TEXT);
		kv_free(kv);
		free(want);
		model_free(&m);
	}
}

/* Longer than one piece of the cache, and than its first allocation. */
static void
test_cache_long(void **state)
{
	(void)state;
	enum { LONG = 300 };
	struct model m;
	struct model_config c = tiny_config(TINY_LLAMA);
	c.n_ctx = 131072;
	assert_ok(model_new(&m, &c, true));
	tiny_fill(&m, 1);
	int32_t token[LONG], start[] = {0, LONG};
	float logits[VOCAB];
	for (int i = 0; i < LONG; i++)
		token[i] = (i * i + 3) % VOCAB;
	struct batch b = {1, LONG, start, token, NULL};
	struct acts *a = acts_new(&m);
	struct kv *kv = kv_new(&m);
	assert_ok(model_forward(&m, m.params, a, &b));
	assert_ok(model_step(&m, kv, token, 290, logits));
	for (int i = 290; i < LONG; i++)
		assert_ok(model_step(&m, kv, token + i, 1, logits));
	assert_near(logits, acts_logits(a) + (LONG - 1) * VOCAB, VOCAB, 1e-5);
	kv_free(kv);
	acts_free(a);
	model_free(&m);
}

static void
test_cache_refusals(void **state)
{
	(void)state;
	struct model m;
	float logits[VOCAB];
	int32_t many[41] = {0}, bad = VOCAB;
	assert_ok(tiny_model(&m, TINY_GPT2, 4));
	struct kv *kv = kv_new(&m);
	assert_err(model_step(&m, kv, many, 41, logits), ERR_LIMIT);
	assert_err(model_step(&m, kv, &bad, 1, logits), ERR_FORMAT);
	assert_ok(model_step(&m, kv, many, 40, logits));
	assert_err(model_step(&m, kv, many, 1, logits), ERR_LIMIT);
	assert_int_equal(kv_length(kv), 40);
	kv_free(kv);
	model_free(&m);
}

/* ---- sampling --------------------------------------------------------------------------------------------------- */

enum { CHOICES = 6, DRAWS = 40000 };
static const float choice_logits[CHOICES] = {1.0f, 3.0f, 2.5f, -1.0f, 2.0f, 0.5f};

/* Draws many times; want[i] is the probability of i, and no i of probability 0 may come. */
static void
check_frequencies(const struct sample_options *options, const double *want)
{
	struct sample_options o = *options;
	double chi = 0;
	int count[CHOICES] = {0};
	for (int i = 0; i < DRAWS; i++) {
		o.seed = (uint64_t)(i / 10);
		count[sample_token(choice_logits, CHOICES, &o, i % 10)]++;
	}
	for (int i = 0; i < CHOICES; i++) {
		if (want[i] <= 0)
			assert_int_equal(count[i], 0);
		else
			chi += pow(count[i] - DRAWS * want[i], 2) / (DRAWS * want[i]);
	}
	assert_true(chi < 30);		/* at most 5 degrees of freedom: about one in 10^5 */
}

/* softmax(logits / temperature) over the choices whose bit is set. */
static void
probabilities(double *p, double temperature, unsigned kept)
{
	double sum = 0;
	for (int i = 0; i < CHOICES; i++)
		sum += p[i] = kept >> i & 1 ? exp((double)choice_logits[i] / temperature) : 0;
	for (int i = 0; i < CHOICES; i++)
		p[i] /= sum;
}

static void
test_sample_frequencies(void **state)
{
	(void)state;
	/* In order of probability: 1, 2, 4, 0, 5, 3; at temperature 1 the first two have 0.47 + 0.29 of it. */
	static const struct { struct sample_options o; unsigned kept; } cases[] = {
		{{.temperature = 1, .top_p = 1}, 63},
		{{.temperature = 0.5, .top_p = 1}, 63},
		{{.temperature = 3, .top_p = 1}, 63},
		{{.temperature = 1, .top_p = 1, .top_k = 3}, 1 << 1 | 1 << 2 | 1 << 4},
		{{.temperature = 1, .top_p = 1, .top_k = 99}, 63},
		{{.temperature = 1, .top_p = 0.6}, 1 << 1 | 1 << 2},
		{{.temperature = 1, .top_p = 0.4}, 1 << 1},
		{{.temperature = 1, .top_p = 0.0}, 1 << 1},
		{{.temperature = 1, .top_p = 0.7, .top_k = 2}, 1 << 1 | 1 << 2},
		{{.temperature = 1, .top_p = 0.5, .top_k = 2}, 1 << 1},
		{{.temperature = 5, .top_p = 1, .top_k = 1}, 1 << 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double want[CHOICES];
		probabilities(want, cases[i].o.temperature, cases[i].kept);
		check_frequencies(&cases[i].o, want);
	}
}

static void
test_sample_edges(void **state)
{
	(void)state;
	struct sample_options greedy = {.temperature = 0, .top_p = 1}, cold = {.temperature = 1e-300, .top_p = 1};
	struct sample_options warm = {.temperature = 1, .top_p = 0.9};
	float equal[] = {2, 2, 2}, strange[] = {NAN, -INFINITY, 1, NAN}, huge[] = {3e38f, -3e38f};
	assert_int_equal(sample_token(choice_logits, CHOICES, &greedy, 0), 1);
	assert_int_equal(sample_token(choice_logits, CHOICES, &cold, 0), 1);
	assert_int_equal(sample_token(equal, 3, &greedy, 0), 0);
	assert_int_equal(sample_token(equal, 1, &warm, 0), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(sample_token(strange, 4, &warm, i), 2);
		assert_int_equal(sample_token(huge, 2, &warm, i), 0);
	}
}

/* A vocabulary that is larger than the first guess of how many candidates top-p needs. */
static void
test_sample_wide(void **state)
{
	(void)state;
	enum { WIDE = 3000 };
	float *flat = xcalloc(WIDE, sizeof(*flat));
	struct sample_options o = {.temperature = 1, .top_p = 0.5};
	int most = 0;
	for (int i = 0; i < 2000; i++) {
		int t = sample_token(flat, WIDE, &o, i);
		most = t > most ? t : most;
	}
	assert_true(most > 1450 && most < 1500);
	free(flat);
}

static void
test_facts(void **state)
{
	(void)state;
	struct token_fact f;
	double p[CHOICES];
	probabilities(p, 1, 63);
	token_fact_fill(&f, choice_logits, CHOICES, 4);
	assert_int_equal(f.token, 4);
	assert_int_equal(f.rank, 3);
	assert_true(fabs((double)f.logprob - log(p[4])) < 1e-6);
	static const int32_t order[ALTERNATIVES] = {1, 2, 4, 0, 5, 3, -1, -1};
	for (int i = 0; i < ALTERNATIVES; i++) {
		assert_int_equal(f.alt[i], order[i]);
		assert_true(order[i] < 0 ? isinf(f.alt_logprob[i]) : fabs((double)f.alt_logprob[i] - log(p[order[i]])) < 1e-6);
	}
	float equal[] = {1, 1, 1};
	token_fact_fill(&f, equal, 3, 2);
	assert_int_equal(f.rank, 3);
}

/* ---- generate --------------------------------------------------------------------------------------------------- */

static bool
stop_at_four(void *arg, const struct token_fact *f)
{
	int *n = arg;
	(void)f;
	return ++*n < 4;
}

static void
test_generate(void **state)
{
	(void)state;
	struct model m;
	struct sample_options o = {.temperature = 1, .top_p = 0.95, .seed = 11, .max_tokens = 12};
	struct token_fact facts[40], again[40], scored[40];
	int32_t cont[40];
	int n, seen = 0;
	assert_ok(tiny_model(&m, TINY_LLAMA, 4));
	assert_ok(generate(&m, text, TEXT, &o, NULL, NULL, NULL, facts, &n));
	assert_int_equal(n, 12);
	assert_ok(generate(&m, text, TEXT, &o, NULL, NULL, NULL, again, &n));
	assert_memory_equal(facts, again, 12 * sizeof(*facts));
	for (int i = 0; i < n; i++)
		cont[i] = facts[i].token;
	assert_ok(score_continuation(&m, text, TEXT, cont, n, scored));
	for (int i = 0; i < n; i++) {
		assert_int_equal(scored[i].token, facts[i].token);
		assert_int_equal(scored[i].rank, facts[i].rank);
		assert_true(fabsf(scored[i].logprob - facts[i].logprob) < 1e-5f);
	}
	assert_ok(generate(&m, text, TEXT, &o, NULL, stop_at_four, &seen, facts, &n));
	assert_int_equal(n, 4);
	o.stop = &cont[2];
	o.n_stop = 1;
	assert_ok(generate(&m, text, TEXT, &o, NULL, NULL, NULL, facts, &n));
	assert_true(n <= 2);
	model_free(&m);
}

static void
test_generate_ends(void **state)
{
	(void)state;
	struct model m;
	struct sample_options o = {.temperature = 1, .top_p = 1, .max_tokens = 100};
	struct token_fact facts[100];
	int32_t prompt[60] = {0};
	int n;
	assert_ok(tiny_model(&m, TINY_GPT2, 4));
	/* The context holds 40: 38 and two more are fed, and the token after them is still told. */
	assert_ok(generate(&m, prompt, 38, &o, NULL, NULL, NULL, facts, &n));
	assert_int_equal(n, 3);
	assert_ok(generate(&m, prompt, 60, &o, NULL, NULL, NULL, facts, &n));
	assert_int_equal(n, 21);
	assert_ok(generate(&m, NULL, 0, &o, NULL, NULL, NULL, facts, &n));
	assert_int_equal(n, 40);
	o.max_tokens = 0;
	assert_ok(generate(&m, prompt, 5, &o, NULL, NULL, NULL, facts, &n));
	assert_int_equal(n, 0);
	m.config.bos = -1;
	assert_err(generate(&m, NULL, 0, &o, NULL, NULL, NULL, facts, &n), ERR_USAGE);
	assert_err(score_continuation(&m, prompt, 5, prompt, 60, facts), ERR_LIMIT);
	prompt[3] = 77;
	assert_err(score_continuation(&m, prompt, 2, prompt, 5, facts), ERR_FORMAT);
	assert_err(generate(&m, prompt, 5, &o, NULL, NULL, NULL, facts, &n), ERR_FORMAT);
	model_free(&m);
}

static void
test_generate_cancelled(void **state)
{
	(void)state;
	struct model m;
	struct job job;
	struct sample_options o = {.temperature = 1, .top_p = 1, .max_tokens = 10};
	struct token_fact facts[10];
	int n;
	assert_ok(tiny_model(&m, TINY_GPT2, 4));
	job_init(&job);
	job_cancel(&job);
	assert_err(generate(&m, text, 3, &o, &job, NULL, NULL, facts, &n), ERR_CANCELLED);
	assert_int_equal(n, 0);
	job_done(&job);
	model_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache_is_forward),
		cmocka_unit_test(test_cache_long),
		cmocka_unit_test(test_cache_refusals),
		cmocka_unit_test(test_sample_frequencies),
		cmocka_unit_test(test_sample_edges),
		cmocka_unit_test(test_sample_wide),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_generate_ends),
		cmocka_unit_test(test_generate_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
