/* asking: see asking.h. */
#include "asking.h"

#include <inttypes.h>
#include <string.h>

#include "byline/file.h"

enum { PROMPT_MAX = 1 << 20 };

enum err
asking_method(const char *name, const struct method **method)
{
	*method = name ? method_find(name) : &methods[0];
	if (*method)
		return OK;
	struct str known = {0};
	for (int i = 0; i < n_methods; i++)
		str_addf(&known, " %s", methods[i].name);
	err_set(ERR_USAGE, "--method %s: one of:%s", name, known.s);
	str_free(&known);
	return ERR_USAGE;
}

static enum err
read_prompt(const struct asking *a, struct str *prompt)
{
	if (!a->prompt)
		return err_set(ERR_USAGE, "--prompt is needed; --prompt - reads it from standard input");
	if (strcmp(a->prompt, "-") == 0)
		return file_read("-", PROMPT_MAX, prompt);
	str_adds(prompt, a->prompt);
	return OK;
}

enum err
asking_session(const struct asking *a, struct store *s, struct session **session)
{
	TRY(session_open(s, a->run, a->threads, session));
	(*session)->alone = a->alone;
	return OK;
}

enum err
asking_query(const struct asking *a, struct session *session, struct job *job, struct query **q)
{
	struct str prompt = {0};
	const struct sample_options sample = {
		.temperature = a->temperature, .top_k = a->top_k, .top_p = a->top_p, .seed = a->seed,
		.max_tokens = a->tokens,
	};
	enum err err = read_prompt(a, &prompt);
	if (err == OK)
		err = query_new(session, prompt.s ? prompt.s : "", a->target, &sample, job, NULL, NULL, q);
	str_free(&prompt);
	return err;
}

enum err
asking_example(const struct session *s, const char *option, int64_t example)
{
	if ((uint64_t)example >= s->data.n)
		return err_set(ERR_MISSING, "--%s %" PRId64 ": run %s has examples 0 to %" PRId64, option, example,
			s->run.name, (int64_t)s->data.n - 1);
	if (!session_trained_on(s, (size_t)example))
		return err_set(ERR_MISSING, "--%s %" PRId64 ": run %s did not learn from it: it was held out, or is "
			"opted out", option, example, s->run.name);
	return OK;
}

enum err
asking_span(const struct asking *a, int n_out, int *from, int *to)
{
	if (n_out == 0)
		return err_set(ERR_MISSING, "the model ended its output at once; try another --seed or --prompt");
	*from = a->span.given ? a->span.from : 0;
	*to = a->span.given ? a->span.to : n_out;
	if (*to > n_out)
		return err_set(ERR_USAGE, "--span %d:%d: the output has %d tokens", *from, *to, n_out);
	return OK;
}
