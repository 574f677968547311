/* xdg: where the user's own files live. Relative values of the variables are ignored, as the XDG specification asks. */
#ifndef TUI_XDG_H
#define TUI_XDG_H

enum xdg_kind { XDG_CONFIG, XDG_STATE };

/* "~/.config/byline/NAME" or "~/.local/state/byline/NAME" in fresh memory; NULL when there is no home. */
char *xdg_path(enum xdg_kind kind, const char *name);

#endif
