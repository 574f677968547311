/* source_verbatim: what of an output stands word for word in a store. */
#include "source_store.h"

/* Opened by the first who asks; spans are only there once it was, so the screen's thread comes after. */
enum err
source_store_verbatim(struct source *s, const struct query *q, struct job *job, struct verbatim_span **out, size_t *n)
{
	struct store_source *f = (struct store_source *)s;
	(void)job;
	*out = NULL;
	*n = 0;
	if (!f->verbatim)
		TRY(verbatim_open(f->worker_store, &f->verbatim));
	return verbatim_spans(f->verbatim, q->output.s, q->output.len, VERBATIM_WORDS, out, n);
}

int64_t
source_store_verbatim_in(struct source *s, const struct query *q, const struct verbatim_span *span, uint32_t example,
	uint32_t from)
{
	const struct store_source *f = (struct store_source *)s;
	const struct example *e = s->ops->example(s, example);
	return e ? verbatim_in_example(f->verbatim, q->output.s, span, e, from) : -1;
}

enum verbatim_mark
source_store_evidence(struct source *s, const struct query *q, const struct verbatim_span *spans, size_t n,
	uint32_t example, double score, double floor)
{
	const struct store_source *f = (struct store_source *)s;
	const struct example *e = s->ops->example(s, example);
	return e ? verbatim_mark(n > 0 ? f->verbatim : NULL, q->output.s, spans, n, e, score, floor) : MARK_NONE;
}
