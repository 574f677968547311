/* whatif: what is left out, what it is held against, that the truth is found again, and that damage is refused. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/whatif.h"
#include "toy.h"
#include "whatif_private.h"

static struct toy toy;
static struct session *session;
static struct query *query;
static struct ranking *ranking;

static int
setup(void **state)
{
	struct rank_options o = { .top = 5, .exact = 8, .method = &methods[0] };
	(void)state;
	toy_new(&toy, &toy_small);
	session = toy_session(&toy, 2);
	query = toy_query(session, "the ", "bread and a salt");
	o.to = query->n_out;
	assert_ok(query_rank(query, &o, NULL, &ranking));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ranking_free(ranking);
	query_free(query);
	session_close(session);
	toy_free(&toy);
	return 0;
}

static int
nothing_known(void **state)
{
	char *dir = toy_path(&toy, "whatif");
	(void)state;
	if (file_is_dir(dir))
		assert_ok(file_remove_tree(dir));
	free(dir);
	return 0;
}

/* Without what a span rests on it loses more than without others; the run comes out again; asking twice is once. */
static void
test_top(void **state)
{
	struct whatif_options o;
	struct whatif *w, *again;
	double sum = 0, predicted = 0;
	(void)state;
	whatif_defaults(&o);
	o.top = 3;
	o.controls = 2;
	assert_err(whatif_find(query, ranking, &o, &w), ERR_MISSING);
	assert_ok(whatif_measure(query, ranking, NULL, &o, NULL, &w));
	assert_int_equal(w->n_removed, 3);
	assert_true(w->bit_exact);
	assert_true(isnan(w->calibrated));
	for (int i = 0; i < 3; i++)
		predicted += (double)ranking->top[i].score;
	assert_true(fabs(w->predicted - predicted) < 1e-4 * (1 + fabs(predicted)));
	for (int i = 0; i < w->to - w->from; i++)
		sum += w->token[i];
	assert_true(fabs(sum - w->observed) < 1e-9 * (1 + fabs(sum)));
	assert_int_equal(w->options.controls, 2);
	assert_true(w->observed > w->control[0] && w->observed > w->control[1]);
	assert_ok(whatif_find(query, ranking, &o, &again));
	assert_true(w->observed == again->observed && w->control[1] == again->control[1] && w->token[0] == again->token[0]);
	assert_true(again->bit_exact);
	whatif_free(w);
	whatif_free(again);
}

/* Each control is of as many others, the same ones for the same seed. */
static void
test_controls(void **state)
{
	struct whatif w = { .from = ranking->from, .to = ranking->to };
	uint8_t *drop = xcalloc(session->data.n, 1), *one = xcalloc(session->data.n, 1), *two = xcalloc(session->data.n, 1);
	(void)state;
	whatif_defaults(&w.options);
	w.options.top = 4;
	assert_ok(whatif_choose(session, ranking, &w, drop));
	assert_true(whatif_control(session, &w, 0, one));
	size_t n = 0;
	for (size_t i = 0; i < session->data.n; i++) {
		n += one[i];
		assert_false(one[i] && (drop[i] || !session_trained_on(session, i)));
	}
	assert_int_equal(n, 4);
	assert_true(whatif_control(session, &w, 0, two));
	assert_memory_equal(one, two, session->data.n);
	assert_true(whatif_control(session, &w, 1, two));
	assert_memory_not_equal(one, two, session->data.n);
	free(w.removed);
	free(drop);
	free(one);
	free(two);
}

static void
test_choices(void **state)
{
	struct whatif w = { .from = ranking->from, .to = ranking->to };
	uint8_t *drop = xcalloc(session->data.n, 1);
	int64_t person = session_work(session, session->examples[0].work)->authors[0].contributor;
	(void)state;
	w.options.contributor = person;
	assert_ok(whatif_choose(session, ranking, &w, drop));
	for (size_t i = 0; i < session->data.n; i++) {
		const struct work *work = session_work(session, session->examples[i].work);
		bool theirs = false;
		for (size_t a = 0; a < work->n_authors; a++)
			theirs |= work->authors[a].contributor == person;
		assert_int_equal(drop[i], theirs && session_trained_on(session, i));
	}
	free(w.removed);
	memset(drop, 0, session->data.n);
	w = (struct whatif){ .from = ranking->from, .to = ranking->to, .options = { .example = (uint32_t)session->data.n } };
	assert_err(whatif_choose(session, ranking, &w, drop), ERR_MISSING);
	w = (struct whatif){ .from = ranking->from, .to = ranking->to, .options = { .contributor = 9999 } };
	assert_err(whatif_choose(session, ranking, &w, drop), ERR_MISSING);
	free(w.removed);
	free(drop);
}

/* Stopped, it leaves nothing that would be believed; and a damaged answer is not. */
static void
test_harm(void **state)
{
	struct whatif_options o;
	struct whatif *w;
	struct job job;
	struct str text = {0};
	(void)state;
	whatif_defaults(&o);
	o.top = 0;
	o.example = ranking->top[0].example;
	o.controls = 1;
	job_init(&job);
	job_cancel(&job);
	assert_err(whatif_measure(query, ranking, NULL, &o, &job, &w), ERR_CANCELLED);
	assert_null(w);
	job_done(&job);
	assert_err(whatif_find(query, ranking, &o, &w), ERR_MISSING);
	assert_ok(whatif_measure(query, ranking, NULL, &o, NULL, &w));
	char *path = whatif_path(query, w);
	whatif_free(w);
	assert_ok(file_read(path, 1 << 20, &text));
	char *at = strstr(text.s, "\"observed\":");
	assert_non_null(at);
	at[12] = at[12] == '1' ? '2' : '1';
	assert_ok(file_replace(path, text.s, text.len));
	assert_err(whatif_find(query, ranking, &o, &w), ERR_FORMAT);
	assert_ok(file_replace(path, "{}", 2));
	assert_err(whatif_find(query, ranking, &o, &w), ERR_FORMAT);
	str_free(&text);
	free(path);
}

static void
test_estimate(void **state)
{
	struct whatif_options o;
	double few, many;
	(void)state;
	whatif_defaults(&o);
	o.controls = 0;
	assert_ok(whatif_estimate(session, &o, &few));
	o.controls = 100;
	assert_ok(whatif_estimate(session, &o, &many));
	assert_true(few > 0 && many > few);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_top, nothing_known),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_choices),
		cmocka_unit_test_setup(test_harm, nothing_known),
		cmocka_unit_test(test_estimate),
	};
	return cmocka_run_group_tests_name("trust/whatif", tests, setup, teardown);
}
