/* job: reports, cancelling from another thread, and errors that cross over. */
#include "byline/job.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "unit.h"

static void
nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	nanosleep(&ms, NULL);
}

static void
count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static enum err
work_forever(struct job *job, void *arg)
{
	(void)arg;
	job_phase(job, "waiting", 0);
	for (uint64_t i = 1;; i++) {
		TRY(job_check(job));
		job_step(job, i);
		nap();
	}
}

static enum err
work_fail(struct job *job, void *arg)
{
	(void)job;
	return err_set(ERR_FORMAT, "%s is broken", (const char *)arg);
}

static enum err
work_well(struct job *job, void *arg)
{
	job_phase(job, "counting", 10);
	for (uint64_t i = 0; i < 10; i++)
		job_step(job, i + 1);
	job_note(job, "found %d", *(int *)arg);
	*(int *)arg = 42;
	return OK;
}

static void
test_cancel(void **state)
{
	(void)state;
	struct job job;
	struct job_view view = {0};
	job_init(&job);
	assert_ok(job_start(&job, work_forever, NULL));
	while (view.done < 3) {
		job_look(&job, &view);
		nap();
	}
	assert_string_equal(view.phase, "waiting");
	assert_false(atomic_load(&job.finished));
	job_cancel(&job);
	assert_err(job_wait(&job), ERR_CANCELLED);
	assert_string_equal(err_message(), "cancelled");
	assert_true(atomic_load(&job.finished));
	job_done(&job);
}

static void
test_cancel_before_start(void **state)
{
	(void)state;
	struct job job;
	job_init(&job);
	job_cancel(&job);
	assert_ok(job_start(&job, work_forever, NULL));
	assert_err(job_wait(&job), ERR_CANCELLED);
	job_done(&job);
}

static void
test_success(void **state)
{
	(void)state;
	struct job job;
	struct job_view view;
	int value = 7;
	atomic_int told = 0;
	job_init(&job);
	job.notify = count;
	job.notify_arg = &told;
	assert_ok(job_start(&job, work_well, &value));
	assert_ok(job_wait(&job));
	assert_int_equal(value, 42);
	/* A phase, ten steps, a note and the end. */
	assert_int_equal(atomic_load(&told), 13);
	job_look(&job, &view);
	assert_int_equal(view.done, 10);
	assert_int_equal(view.total, 10);
	assert_string_equal(view.phase, "counting");
	assert_string_equal(view.note, "found 7");
	job_done(&job);
}

static void
test_error_crosses(void **state)
{
	(void)state;
	struct job job;
	char path[] = "the file";
	job_init(&job);
	assert_ok(job_start(&job, work_fail, path));
	while (!atomic_load(&job.finished))
		nap();
	err_set(ERR_IO, "something else");
	assert_err(job_wait(&job), ERR_FORMAT);
	assert_string_equal(err_message(), "the file is broken");
	assert_err(job_wait(&job), ERR_FORMAT);
	job_done(&job);
}

static void
test_long_texts_cut(void **state)
{
	(void)state;
	struct job job;
	struct job_view view;
	char text[300];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	job_init(&job);
	job_phase(&job, text, 5);
	job_note(&job, "%s", text);
	job_step(&job, 4);
	job_look(&job, &view);
	assert_int_equal(strlen(view.phase), sizeof(view.phase) - 1);
	assert_int_equal(strlen(view.note), sizeof(view.note) - 1);
	job_phase(&job, "next", 6);
	job_look(&job, &view);
	assert_int_equal(view.done, 0);
	assert_int_equal(view.total, 6);
	job_done(&job);
}

static void
test_nobody_watches(void **state)
{
	(void)state;
	job_phase(NULL, "phase", 1);
	job_step(NULL, 1);
	job_note(NULL, "note %d", 1);
	assert_false(job_cancelled(NULL));
	assert_ok(job_check(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_before_start),
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_error_crosses),
		cmocka_unit_test(test_long_texts_cut),
		cmocka_unit_test(test_nobody_watches),
	};
	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
