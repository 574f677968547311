/* eval_detach: work that goes on when its terminal is gone, and says in a file how far it is. */
#include "eval_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "byline/clock.h"

static enum err
detach_fail(const char *what)
{
	return err_set(ERR_IO, "cannot %s: %s", what, strerror(errno));
}

/* Standard input from nowhere, output to the log. */
static void
redirect(int log)
{
	int null = open("/dev/null", O_RDONLY);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	if (log > STDERR_FILENO)
		close(log);
}

enum err
eval_detach(const char *log, bool *child, long *pid)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	*child = false;
	if (fd < 0)
		return err_set(ERR_IO, "cannot write %s: %s", log, strerror(errno));
	fflush(stdout);
	fflush(stderr);
	pid_t made = fork();
	if (made < 0) {
		enum err err = detach_fail("start a process");
		close(fd);
		return err;
	}
	*child = made == 0;
	*pid = (long)made;
	if (made == 0) {
		setsid();
		redirect(fd);
		setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	} else
		close(fd);
	return OK;
}

/* What the job says of itself, whenever that changed but for what stands after a comma: how much time is left. */
static void
log_notify(void *arg)
{
	static char last[160];
	struct job_view v;
	char now[32], line[160];
	job_look(arg, &v);
	snprintf(line, sizeof(line), "%s %.*s", v.phase, (int)strcspn(v.note, ","), v.note);
	if (!*v.note || strcmp(line, last) == 0)
		return;
	snprintf(last, sizeof(last), "%s", line);
	clock_iso(clock_now(), now);
	say("%s %s: %s\n", now, v.phase, v.note);
}

void
eval_log_progress(struct job *job)
{
	job->notify = log_notify;
	job->notify_arg = job;
}
