/*
 * restore: gives the terminal back whatever happens.
 *
 * A signal handler sees nothing but file-scope variables: these, of one file, are the only ones of this floor.
 */
#ifndef TUI_RESTORE_H
#define TUI_RESTORE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Remembers the terminal on fd as it is now. `bytes` undo what the screen library will do. Then catches every signal
 * that would end the program: the handler writes the bytes, sets the modes back, and lets the signal do what it did
 * before. */
void restore_arm(int fd, const char *bytes, size_t n);
void restore_disarm(void);

/* Signals the loop wants to hear of. They are blocked but for the time it waits, so none is missed or comes amiss. */
struct noticed { bool interrupt, suspend, resize, resume; };
void restore_watch(sigset_t *while_waiting);	/* blocks them in this thread and in those it starts */
struct noticed restore_noticed(void);		/* and forgets */
void restore_stop(void);			/* stops the process as the shell expects; returns when continued */
void restore_unwatch(void);

#endif
