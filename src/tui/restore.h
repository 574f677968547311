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

#include "byline/err.h"

/* Remembers the terminal on fd as it is now. `bytes` undo what the screen library will do. Then catches every signal
 * that would end the program: the handler writes the bytes, sets the modes back, and lets the signal do what it did
 * before. */
void restore_arm(int fd, const char *bytes, size_t n);
void restore_disarm(void);

/*
 * Signals the loop wants to hear of. In this thread, and those it starts, they are blocked but for the time it waits,
 * so that none interrupts a write to the terminal. A library may have threads of its own that do not block them:
 * wherever the handler runs, it makes the descriptor readable.
 */
struct noticed { bool interrupt, suspend, resize, resume; };
enum err restore_watch(sigset_t *while_waiting, int *readable);
struct noticed restore_noticed(void);		/* and forgets */
void restore_stop(void);			/* stops the process as the shell expects; returns when continued */
void restore_unwatch(void);

#endif
