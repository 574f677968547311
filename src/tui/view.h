/*
 * view: one screenful. A view draws its state and acts on actions; it never blocks, and it draws nowhere but in draw().
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "canvas.h"
#include "inquiry.h"
#include "keys.h"
#include "listing.h"

struct app;
struct view;

enum { VIEW_HINTS = 8 };

struct view_ops {
	const char *name;				/* in the breadcrumb */
	unsigned place;					/* one bit of enum place */
	enum action hints[VIEW_HINTS];			/* most useful first; for the last line */
	void (*free)(struct view *v);
	void (*update)(struct view *v);			/* before a draw: take in what is new; may be NULL */
	void (*draw)(struct view *v, struct canvas *c, struct rect r);
	bool (*act)(struct view *v, enum action a);	/* false: not for this view */
	/* The rest may be NULL. Views without a listing search by themselves. */
	void (*title)(struct view *v, struct str *out);	/* instead of the name */
	struct listing *(*listing)(struct view *v);	/* the one with the focus */
	struct edit *(*editing)(struct view *v);	/* the line being typed in the view, NULL: none */
	bool (*search)(struct view *v, const char *text);	/* false: no match */
	bool (*search_step)(struct view *v, bool forward);
};

struct view {
	const struct view_ops *ops;
	struct app *app;
	struct inquiry *q;
	bool owns_q;
};

struct view *view_output_new(struct app *app, struct inquiry *q);	/* takes q */
struct view *view_examples_new(struct app *app, struct inquiry *q);
struct view *view_example_new(struct app *app, struct inquiry *q, uint32_t example);
struct view *view_contributors_new(struct app *app, struct inquiry *q);
struct view *view_contributor_new(struct app *app, struct inquiry *q, int64_t contributor);
struct view *view_runs_new(struct app *app, struct inquiry *q);
struct view *view_verbatim_new(struct app *app, struct inquiry *q);
struct view *view_trust_new(struct app *app, struct inquiry *q);
/* Opens the verification of what o leaves out, or says why there is none. */
void verify_open(struct app *app, struct inquiry *q, const struct whatif_options *o);
void verify_top(struct app *app, struct inquiry *q);
void verify_example(struct app *app, struct inquiry *q, uint32_t example);
void verify_contributor(struct app *app, struct inquiry *q, int64_t contributor);
void verify_open_last(struct app *app);		/* the one that runs, or ran last */
struct view *view_queries_new(struct app *app, struct inquiry *q);
struct view *view_help_new(struct app *app, struct inquiry *q, unsigned place);

#endif
