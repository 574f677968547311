/* Queries: what becomes of prompts, where tokens lie in the output, when generation ends. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "toy.h"
#include "unit.h"

struct world { struct toy toy; struct session *s; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct toy_options o = toy_small;
	o.no_index = true;
	toy_new(&w->toy, &o);
	w->s = toy_session(&w->toy, 1);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	session_close(w->s);
	toy_free(&w->toy);
	free(w);
	return 0;
}

/* Every token's bytes are where byte_of says, and the model thought something of each. */
static void
check_query(const struct query *q)
{
	assert_int_equal(q->byte_of[0], 0);
	assert_int_equal(q->byte_of[q->n_out], q->output.len);
	for (int i = 0; i < q->n_out; i++) {
		size_t n;
		const char *bytes = tokenizer_bytes(q->session->tokenizer, q->facts[i].token, &n);
		assert_int_equal(q->byte_of[i + 1] - q->byte_of[i], n);
		assert_memory_equal(q->output.s + q->byte_of[i], bytes, n);
		assert_int_equal(q->tokens[q->n_prompt + i], q->facts[i].token);
		assert_true(q->facts[i].logprob < 0 && q->facts[i].rank >= 1);
	}
	assert_true(q->n_prompt >= 1 && q->n_prompt + q->n_out <= q->session->model.config.n_ctx);
	assert_int_equal(q->tokens[0], 0);
}

/* A run whose examples begin with no token has prompts that do not either, unless there is no prompt. */
static void
test_begin(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "the boat", " and");
	int n = q->n_prompt;
	query_free(q);
	w->s->run.bos = -1;
	q = toy_query(w->s, "the boat", " and");
	assert_true(q->n_prompt == n - 1 && q->tokens[0] != 0);
	query_free(q);
	q = toy_query(w->s, "", "the");
	assert_true(q->n_prompt == 1 && q->tokens[0] == 0);
	query_free(q);
	w->s->run.bos = 0;
}

static void
test_target(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "the boat", " and the tide.");
	assert_true(q->target_given && q->n_out > 1);
	assert_string_equal(q->output.s, " and the tide.");
	assert_string_equal(q->prompt, "the boat");
	check_query(q);
	query_free(q);
}

/* A snowman and a lone continuation byte were never merged: each byte is a token of its own. */
static void
test_split_characters(void **state)
{
	struct world *w = *state;
	static const char target[] = "\xe2\x98\x83 \x80!";
	struct query *q = toy_query(w->s, "", target);
	assert_int_equal(q->n_prompt, 1);
	assert_true(q->n_out >= 4);
	assert_int_equal(q->output.len, strlen(target));
	assert_memory_equal(q->output.s, target, sizeof(target));
	assert_int_equal(q->byte_of[1], 1);
	check_query(q);
	query_free(q);
}

static void
test_long_prompt_keeps_its_end(void **state)
{
	struct world *w = *state;
	struct str prompt = {0};
	for (int i = 0; i < 40; i++)
		str_addf(&prompt, "the boat %d ", i);
	struct query *longer = toy_query(w->s, prompt.s, "the tide"), *shorter = toy_query(w->s, " 39 ", "the tide");
	check_query(longer);
	assert_int_equal(longer->n_prompt + longer->n_out, w->s->model.config.n_ctx);
	/* Both begin with a token that is none of the prompt's. */
	assert_int_equal(longer->prompt_seen, longer->n_prompt - 1);
	assert_true(longer->prompt_tokens > longer->prompt_seen);
	assert_int_equal(shorter->prompt_seen, shorter->prompt_tokens);
	assert_int_equal(shorter->prompt_seen, shorter->n_prompt - 1);
	int tail = shorter->n_prompt - 1;
	assert_memory_equal(longer->tokens + longer->n_prompt - tail, shorter->tokens + 1, (size_t)tail * sizeof(int32_t));
	query_free(longer);
	query_free(shorter);
	str_free(&prompt);
}

static void
test_generation_fits_the_context(void **state)
{
	struct world *w = *state;
	static const int asked[] = { 1, 5, 20, 1000 };
	struct str prompt = {0};
	str_fill(&prompt, 'x', 500);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct sample_options o = { .temperature = 1, .top_p = 1, .seed = 4, .max_tokens = asked[i] };
		struct query *q;
		assert_ok(query_new(w->s, prompt.s, NULL, &o, NULL, NULL, NULL, &q));
		assert_true(q->n_out <= asked[i]);
		check_query(q);
		query_free(q);
	}
	str_free(&prompt);
}

static bool
count_token(void *arg, const struct token_fact *f)
{
	int *n = arg;
	assert_true(f->token >= 0);
	return ++*n < 3;
}

static void
test_streaming(void **state)
{
	struct world *w = *state;
	struct sample_options o = { .temperature = 0, .top_p = 1, .max_tokens = 12 };
	struct query *q;
	int seen = 0;
	assert_ok(query_new(w->s, "the boat and", NULL, &o, NULL, count_token, &seen, &q));
	assert_true(seen <= 3 && seen == q->n_out);
	assert_false(q->target_given);
	check_query(q);
	query_free(q);
}

/* The same seed writes the same; the model's own end, and the caller's, are not part of the output. */
static void
test_seed_and_stop(void **state)
{
	struct world *w = *state;
	struct sample_options o = { .temperature = 0.9, .top_p = 1, .seed = 9, .max_tokens = 24 };
	struct query *a, *b, *c;
	assert_ok(query_new(w->s, "no bread", NULL, &o, NULL, NULL, NULL, &a));
	assert_ok(query_new(w->s, "no bread", NULL, &o, NULL, NULL, NULL, &b));
	assert_true(a->n_out > 1 && a->n_out == b->n_out);
	assert_memory_equal(a->output.s, b->output.s, a->output.len + 1);
	for (int i = 0; i < a->n_out; i++)
		assert_int_not_equal(a->facts[i].token, w->s->model.config.eos);
	int32_t stop = a->facts[1].token;
	o.stop = &stop;
	o.n_stop = 1;
	assert_ok(query_new(w->s, "no bread", NULL, &o, NULL, NULL, NULL, &c));
	assert_true(c->n_out <= 1);
	assert_null(c->sample.stop);
	query_free(a);
	query_free(b);
	query_free(c);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	struct str target = {0};
	struct sample_options o = { .max_tokens = 0 };
	struct query *q;
	str_fill(&target, 'z', 300);
	assert_err(query_new(w->s, "a", "", NULL, NULL, NULL, NULL, &q), ERR_USAGE);
	assert_err(query_new(w->s, "a", target.s, NULL, NULL, NULL, NULL, &q), ERR_LIMIT);
	assert_err(query_new(w->s, "a", NULL, &o, NULL, NULL, NULL, &q), ERR_USAGE);
	assert_null(q);
	str_free(&target);
	query_free(NULL);
}

static void
test_cancel(void **state)
{
	struct world *w = *state;
	struct job job;
	struct sample_options o = { .top_p = 1, .max_tokens = 9 };
	struct query *q;
	job_init(&job);
	job_cancel(&job);
	assert_err(query_new(w->s, "a", NULL, &o, &job, NULL, NULL, &q), ERR_CANCELLED);
	job_done(&job);
}

/* Without an index there is generation and BM25, and a clear word about the rest. */
static void
test_no_index(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "the boat", " and the tide.");
	struct ranking *r;
	assert_null(w->s->index);
	assert_true(session_checkpoints(w->s) == 0 && session_feature_bytes(w->s) == 0 && isnan(session_null_floor(w->s, 3)));
	assert_err(query_scores(q, NULL), ERR_MISSING);
	assert_err(query_exact(q, 0, 1, NULL, 0, NULL, NULL, NULL), ERR_MISSING);
	for (int i = 0; i < n_methods; i++) {
		struct rank_options o = { .method = &methods[i], .from = 0, .to = q->n_out, .top = 5 };
		enum err err = query_rank(q, &o, NULL, &r);
		assert_int_equal(err, methods[i].needs_index || methods[i].ready ? ERR_MISSING : OK);
		assert_true(err == OK || strstr(err_message(), methods[i].ready ? "byline import-index" : "byline index") != NULL);
		ranking_free(r);
	}
	query_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_split_characters),
		cmocka_unit_test(test_long_prompt_keeps_its_end),
		cmocka_unit_test(test_generation_fits_the_context),
		cmocka_unit_test(test_streaming),
		cmocka_unit_test(test_seed_and_stop),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_no_index),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
