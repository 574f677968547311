/* watch: progress on a terminal's standard error, and Ctrl-C that asks a job to stop where it can be resumed. */
#include "command.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/clock.h"
#include "byline/str.h"
#include "byline/utf8.h"

enum { BAR = 20 };

static struct job watched;
static bool visible;
static double last_drawn;

static void
watch_signal(int sig)
{
	(void)sig;
	job_cancel(&watched);
}

static void
watch_bar(struct str *line, const struct job_view *v)
{
	int filled = v->total ? (int)(BAR * v->done / v->total) : 0;
	str_addf(line, "%-18s [", v->phase);
	str_fill(line, '#', (size_t)(filled > BAR ? BAR : filled));
	str_fill(line, '.', (size_t)(filled > BAR ? 0 : BAR - filled));
	str_addf(line, "] %3d%%", v->total ? (int)(100 * v->done / v->total) : 0);
}

static void
watch_draw(void)
{
	struct job_view v;
	struct str line = {0}, safe = {0};
	job_look(&watched, &v);
	if (v.total)
		watch_bar(&line, &v);
	else
		str_addf(&line, "%-18s", v.phase);
	str_addf(&line, "  %s", v.note);
	text_fit(&safe, line.s, line.len, 110, "");
	fprintf(stderr, "\r%s\033[K", safe.s);
	fflush(stderr);
	str_free(&line);
	str_free(&safe);
}

static void
watch_notify(void *arg)
{
	(void)arg;
	double now = clock_monotonic();
	if (!visible || now - last_drawn < 0.1)
		return;
	last_drawn = now;
	watch_draw();
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* What is ignored stays ignored: nohup means it. */
static void
watch_catch(void (*from)(int), void (*to)(int))
{
	const struct sigaction act = {.sa_handler = to};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction now;
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == from)
			sigaction(signals[i], &act, NULL);
	}
}

struct job *
watch_begin(bool quiet)
{
	job_init(&watched);
	const char *term = getenv("TERM");
	visible = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	last_drawn = clock_monotonic();
	watched.notify = watch_notify;
	watch_catch(SIG_DFL, watch_signal);
	return &watched;
}

void
watch_end(struct job *job)
{
	watch_catch(watch_signal, SIG_DFL);
	if (visible)
		fprintf(stderr, "\r\033[K");
	job_done(job);
}
