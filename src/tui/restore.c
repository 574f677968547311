/* restore: signal handlers. They call only async-signal-safe functions. */
#include "config.h"	/* pipe2 */

#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "byline/mem.h"

static const int fatal[] = { SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM, SIGXCPU,
	SIGSYS };
static const int heard[] = { SIGINT, SIGTSTP, SIGWINCH, SIGCONT };

enum { BYTES_MAX = 256, ALT_STACK = 64 * 1024 };

static struct {
	volatile sig_atomic_t armed;
	int out, fd, null;		/* where the screen is written, the same again for us, and nowhere */
	struct termios modes;
	char bytes[BYTES_MAX];
	size_t n;
	struct sigaction before[ARRAY_LEN(fatal)], before_heard[ARRAY_LEN(heard)];
	volatile sig_atomic_t seen[ARRAY_LEN(heard)];
	int pipe[2];
	sigset_t mask;
	char stack[ALT_STACK];		/* a stack overflow has no other */
} saved;

static void
restore_now(void)
{
	if (!saved.armed)
		return;
	saved.armed = 0;
	/* Another thread may be drawing: what it writes from here on goes nowhere. */
	dup2(saved.null, saved.out);
	for (size_t at = 0; at < saved.n;) {
		ssize_t n = write(saved.fd, saved.bytes + at, saved.n - at);
		if (n <= 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	tcsetattr(saved.fd, TCSANOW, &saved.modes);
}

static bool
is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL;
}

static void
on_fatal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	int keep = errno;
	restore_now();
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		if (fatal[i] == sig)
			sigaction(sig, &saved.before[i], NULL);
	/* A faulting instruction runs again when we return, and this time meets whoever was there before us. */
	if (!is_fault(sig) || info->si_code <= 0)
		raise(sig);
	errno = keep;
}

void
restore_arm(int fd, const char *bytes, size_t n)
{
	saved.n = n < BYTES_MAX ? n : BYTES_MAX;
	memcpy(saved.bytes, bytes, saved.n);
	if (tcgetattr(fd, &saved.modes) != 0)
		return;
	saved.out = fd;
	saved.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	saved.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	stack_t stack = { .ss_sp = saved.stack, .ss_size = sizeof(saved.stack) };
	sigaltstack(&stack, NULL);
	struct sigaction act = { .sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigfillset(&act.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
		sigaction(fatal[i], &act, &saved.before[i]);
		/* nohup, or a shell's background: what does not end the program is none of ours. */
		if (saved.before[i].sa_handler == SIG_IGN)
			sigaction(fatal[i], &saved.before[i], NULL);
	}
	saved.armed = 1;
}

void
restore_disarm(void)
{
	if (!saved.armed)
		return;
	saved.armed = 0;
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &saved.before[i], NULL);
	stack_t none = { .ss_flags = SS_DISABLE };
	sigaltstack(&none, NULL);
	close(saved.fd);
	close(saved.null);
}

static void
on_heard(int sig)
{
	int keep = errno;
	for (size_t i = 0; i < ARRAY_LEN(heard); i++)
		if (heard[i] == sig)
			saved.seen[i] = 1;
	/* A full pipe wakes as well as one byte more. */
	ssize_t n = write(saved.pipe[1], "!", 1);
	(void)n;
	errno = keep;
}

enum err
restore_watch(sigset_t *while_waiting, int *readable)
{
	if (pipe2(saved.pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_set(ERR_IO, "cannot make a pipe: %s", strerror(errno));
	sigset_t set;
	sigemptyset(&set);
	struct sigaction act = { .sa_handler = on_heard };
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(heard); i++) {
		sigaddset(&set, heard[i]);
		saved.seen[i] = 0;
		sigaction(heard[i], &act, &saved.before_heard[i]);
	}
	pthread_sigmask(SIG_BLOCK, &set, &saved.mask);
	*while_waiting = saved.mask;
	for (size_t i = 0; i < ARRAY_LEN(heard); i++)
		sigdelset(while_waiting, heard[i]);
	*readable = saved.pipe[0];
	return OK;
}

static bool
noticed_take(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(heard); i++)
		if (heard[i] == sig && saved.seen[i]) {
			saved.seen[i] = 0;
			return true;
		}
	return false;
}

struct noticed
restore_noticed(void)
{
	char buf[16];
	/* Emptied first: a signal from here on is seen below, or wakes us again. */
	while (read(saved.pipe[0], buf, sizeof(buf)) > 0)
		;
	return (struct noticed){
		.interrupt = noticed_take(SIGINT), .suspend = noticed_take(SIGTSTP),
		.resize = noticed_take(SIGWINCH), .resume = noticed_take(SIGCONT),
	};
}

void
restore_stop(void)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, ours;
	sigset_t tstp;
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	sigaction(SIGTSTP, &stop, &ours);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &tstp, NULL);	/* here it stops */
	pthread_sigmask(SIG_BLOCK, &tstp, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

void
restore_unwatch(void)
{
	for (size_t i = 0; i < ARRAY_LEN(heard); i++)
		sigaction(heard[i], &saved.before_heard[i], NULL);
	pthread_sigmask(SIG_SETMASK, &saved.mask, NULL);
	close(saved.pipe[0]);
	close(saved.pipe[1]);
}
