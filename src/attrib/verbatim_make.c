/* verbatim_make: all that text.safetensors holds, from the store's works: texts, the order of their words, the null. */
#include <divsufsort.h>
#include <inttypes.h>
#include <stdlib.h>

#include "byline/mem.h"

#include "verbatim_private.h"
#include "verbatim_word.h"

struct gather {
	struct store *s;
	struct job *job;
	struct verbatim_made *m;
	size_t cap;
	uint64_t bytes;
	struct str text;
};

static enum err
gather_size(void *arg, const struct work *w)
{
	struct gather *g = arg;
	mem_grow(&g->m->id, &g->cap, g->m->n_works + 1, sizeof(*g->m->id));
	g->m->id[g->m->n_works++] = w->id;
	g->bytes += (uint64_t)w->bytes + 1;
	return g->bytes <= INT32_MAX ? OK : err_set(ERR_LIMIT, "%s: more than 2 GiB of text cannot be looked up word "
		"for word; byline import --no-verbatim leaves that out", store_dir(g->s));
}

static enum err
gather_text(void *arg, int64_t id)
{
	struct gather *g = arg;
	struct verbatim_made *m = g->m;
	str_clear(&g->text);
	TRY(store_work_text(g->s, id, &g->text));
	if (g->text.len >= (size_t)g->bytes - m->n)
		return err_set(ERR_FORMAT, "%s: work %" PRId64 " is longer than it says", store_dir(g->s), id);
	memcpy(m->text + m->n, g->text.s, g->text.len);
	m->n += g->text.len;
	m->text[m->n++] = (char)VERBATIM_END;
	return job_check(g->job);
}

static enum err
gather(struct store *s, struct job *job, struct verbatim_made *m)
{
	struct gather g = { .s = s, .job = job, .m = m };
	enum err err;
	TRY_OUT(store_hash(s, m->corpus));
	TRY_OUT(store_each_work(s, gather_size, &g));
	TRY_OUT(mem_array(&m->text, (size_t)g.bytes, 1, "the texts of all works"));
	TRY_OUT(mem_array(&m->start, m->n_works + 1, sizeof(*m->start), "where texts begin"));
	job_phase(job, "reading texts", m->n_works);
	for (size_t i = 0; i < m->n_works && err == OK; i++) {
		m->start[i] = (uint32_t)m->n;
		err = gather_text(&g, m->id[i]);
		job_step(job, i + 1);
	}
	m->start[m->n_works] = (uint32_t)m->n;
out:
	str_free(&g.text);
	return err;
}

/* A bit for each byte where a word begins. */
static enum err
mark_words(struct verbatim_made *m, uint8_t **out)
{
	uint8_t *bit;
	TRY(mem_array(&bit, m->n / 8 + 1, 1, "the words of all works"));
	for (size_t i = 0; i < m->n_works; i++) {
		size_t at = m->start[i], n = (size_t)m->start[i + 1] - 1 - at;
		struct word w = {0};
		while (word_next(m->text + at, n, w.to, &w)) {
			bit[(at + w.from) / 8] |= (uint8_t)(1u << (at + w.from) % 8);
			m->n_words++;
		}
	}
	*out = bit;
	return OK;
}

static enum err
sort_words(struct verbatim_made *m, struct job *job)
{
	uint8_t *bit = NULL;
	enum err err;
	size_t kept = 0;
	job_phase(job, "sorting words", 0);
	TRY_OUT(mark_words(m, &bit));
	TRY_OUT(mem_array(&m->word, m->n, sizeof(*m->word), "a suffix array"));
	if (m->n > 0 && divsufsort((const sauchar_t *)m->text, m->word, (saidx_t)m->n) != 0)
		TRY_OUT(err_set(ERR_MEMORY, "no memory for sorting %zu bytes of text", m->n));
	for (size_t i = 0; i < m->n; i++) {
		size_t at = (size_t)m->word[i];
		if (bit[at / 8] >> at % 8 & 1)
			m->word[kept++] = (int32_t)at;
	}
out:
	free(bit);
	return err;
}

enum err
verbatim_make(struct store *s, struct job *job, struct verbatim_made *m)
{
	enum err err;
	*m = (struct verbatim_made){0};
	TRY_OUT(gather(s, job, m));
	TRY_OUT(sort_words(m, job));
	const struct corpus c = { .text = m->text, .n = m->n, .word = (const uint8_t *)m->word, .n_words = m->n_words,
		.start = m->start, .n_works = m->n_works };
	err = verbatim_compare(&c, job, m->longest);
out:
	if (err != OK)
		verbatim_made_free(m);
	return err;
}

void
verbatim_made_free(struct verbatim_made *m)
{
	free(m->text);
	free(m->word);
	free(m->start);
	free(m->id);
	*m = (struct verbatim_made){0};
}
