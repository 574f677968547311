/* train_likeness: what a run trained as another takes over from it. */
#include "train_parts.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"

static enum err
likeness_heldout(struct likeness *l)
{
	json_t *recipe;
	TRY(json_parse(l->run.recipe, strlen(l->run.recipe), "the run's recipe", &recipe));
	enum err err = json_opt_real(recipe, "the run's recipe", "heldout", 0, 1, 0, &l->heldout);
	json_decref(recipe);
	return err;
}

enum err
likeness_open(struct store *s, const char *run, struct likeness *l)
{
	*l = (struct likeness){0};
	TRY(store_find_run(s, run, &l->run));
	enum err err = train_journal_read(l->run.dir, &l->journal);
	if (err == ERR_MISSING)
		err = err_set(ERR_MISSING, "--as %s: this run was not trained here, so there is nothing to repeat",
			run);
	if (err == OK)
		err = likeness_heldout(l);
	l->tokenizer = path_join(l->run.dir, "tokenizer.json");
	return err;
}

void
likeness_close(struct likeness *l)
{
	run_free(&l->run);
	train_journal_free(&l->journal);
	free(l->tokenizer);
	*l = (struct likeness){0};
}
