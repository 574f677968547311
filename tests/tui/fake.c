/* fake: its scores come from a hash, so they mean nothing and never change. */
#include "fake.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "byline/mem.h"
#include "fake_parts.h"

static const char *const people[N_PEOPLE] = {
	"Ada Marsh", "Bror Aasen", "Cato Fenn", "Dorit Quill", "unknown", "\xd0\x9b\xd1\x8e\xd0\xb1\xd0\xb0",
	"Evil \x1b[31mName\x07",
};

static const struct { int author, second; const char *title, *licence, *date, *text; } works_of_fake[N_WORKS] = {
	{ 0, -1, "Tide tables, a preface", "CC-BY-4.0", "1931-04",
		"Nobody lights a lamp for the boats that are in. We waited for the tide to turn, and wrote down when it "
		"did; that is all a table is, a great many people waiting." },
	{ 1, -1, "The lamp-room at night", "CC-BY-4.0", "1932",
		"The keeper lit the lamp and sat down under it with his bread." },
	{ 2, 0, "Letter from the quay", "CC0-1.0", "1947-02-11",
		"My dear friend,\n\nthe boats came round the point at four, and by morning the bread was cold." },
	{ 1, -1, "The price of ice", "ODbL-1.0", "1927",
		"Two pence, then five. A block is a block, said the carter, and the block said nothing." },
	{ 3, -1, "Harbour dues, a complaint", "unknown", NULL,
		"Sir, I have paid for the stone, the rope and the gull that sat on the rope." },
	{ 3, -1, "On knots", "MIT", "1951",
		"A knot is a promise made in rope. Most promises want two turns and a half hitch." },
	{ 4, -1, "Notes found in a drawer", "unknown", NULL, "wool, lamp oil, the blue cup" },
	{ 5, -1, "\xd0\x9e \xd1\x81\xd0\xbe\xd0\xbb\xd0\xb8", "CC-BY-4.0", "1960",
		"\xd0\xa1\xd0\xbe\xd0\xbb\xd1\x8c \xd0\xbf\xd0\xbe\xd0\xbc\xd0\xbd\xd0\xb8\xd1\x82 "
		"\xd0\xbc\xd0\xbe\xd1\x80\xd0\xb5." },
	{ 6, -1, "Text \x1b]0;owned\x07 with bytes\xe2\x80\xae", "All\x1b[2Jrights", "19\x9b""60",
		"Before \x1b[2J\x1b[1;1H after, \xff\xfe and \xe2\x80\xaeright to left, end." },
	{ 0, -1, "Bell-week instructions", "CC-BY-SA-4.0", "1938", "Ring at the turn. If in doubt, it has turned." },
	{ 2, -1, "The wool in June", "CC-BY-4.0", "1933-06",
		"Fog came down like washing. We counted boats by their coughs." },
	{ 3, -1, "A long ledger", "CC0-1.0", "1909",
		"Noon, the glass at 29.80. Noon, the glass at 29.75. Noon, the glass at 29.60, wind north. Noon, the "
		"glass at 29.10, and the boats in. Noon, the glass at 29.40. Noon, the same. Noon, a little more. Noon, "
		"30.00, fair." },
};

static const char *const vocabulary[] = {
	" waited", " for", " the", " tide", " to", " turn", ",", " counting", " boats", " as", " they", " came",
	" round", " point",
	".", " By", " morning", " bread", " was", " cold", " and", "\n", " still", " warm", " lamp", " turned",
	" looked", " sea", "\x1b[2J", "\xe2\x80\xae", " wind",
};
enum { N_VOCABULARY = ARRAY_LEN(vocabulary), OUTPUT_MAX = 40 };

static const int outputs[][OUTPUT_MAX] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 2, 8, 9, 10, 11, 12, 2, 13, 14, 15, 16, 2, 17, 18, 19, 20, 2, 24, 18, 22, 23, 14,
		-1 },
	{ 26, 4, 2, 27, 6, 20, 2, 30, 25, 14, 21, 15, 16, 2, 8, 11, 14, -1 },
	{ 0, 28, 2, 29, 27, 14, -1 },
	{ -1 },
};

const char *
fake_text(int work)
{
	return works_of_fake[work].text;
}

struct fake *
fake_world(struct source *s)
{
	return (struct fake *)s;
}

static struct fake *
self(struct source *s)
{
	return fake_world(s);
}

static const struct method fake_methods[] = {
	{ .name = "influence", .title = "influence", .unit = "nats (predicted)", .evidence = "influence",
		.needs_index = true, .rescore = RESCORE_BEST },
	{ .name = "bm25", .title = "shared words (BM25)", .unit = "BM25", .evidence = "lexical",
		.rescore = RESCORE_NONE },
};

/* ---- the world ---- */

static void
world_make(struct fake *f)
{
	for (int i = 0; i < N_WORKS; i++) {
		struct work *w = &f->work[i];
		int n = works_of_fake[i].second >= 0 ? 2 : 1;
		*w = (struct work){
			.id = i + 1, .title = xstrdup(works_of_fake[i].title),
			.licence = xstrdup(works_of_fake[i].licence),
			.licence_from = xstrdup("stated in file"), .source = xstrdup("box 3"),
			.date = works_of_fake[i].date ? xstrdup(works_of_fake[i].date) : NULL,
			.bytes = (int64_t)strlen(works_of_fake[i].text), .n_authors = (size_t)n,
		};
		w->authors = xcalloc((size_t)n, sizeof(*w->authors));
		for (int a = 0; a < n; a++) {
			int who = a == 0 ? works_of_fake[i].author : works_of_fake[i].second;
			w->authors[a].contributor = who + 1;
			w->authors[a].name = xstrdup(people[who]);
			w->authors[a].share = n == 1 ? 1 : 0.5;
		}
	}
	/* The ledger is long enough for two examples. */
	for (int i = 0; i < N_EXAMPLES; i++) {
		int w = i < N_WORKS ? i : N_WORKS - 1;
		uint32_t n = (uint32_t)strlen(works_of_fake[w].text), half = n / 2;
		f->example[i] = (struct example){ .work = w + 1, .from = i == N_WORKS ? half : 0,
			.to = w == N_WORKS - 1 && i < N_WORKS ? half : n };
	}
}

/* Uniform in [-1, 1), from a mixing function of our own choice. */
double
fake_noise(uint32_t a, uint32_t b)
{
	uint32_t x = a * 2654435761u ^ (b + 1) * 2246822519u;
	x ^= x >> 15;
	x *= 2654435761u;
	x ^= x >> 13;
	return (double)(x % 20001) / 10000 - 1;
}

double
fake_score(uint32_t example, int token)
{
	double strong = example == 0 && token < 7 ? 0.06 : example == 1 && token >= 14 ? 0.02 : 0;
	return strong + 0.004 * fake_noise(example, (uint32_t)token);
}

/* ---- asking ---- */

static bool
begins(const char *s, const char *word)
{
	return strncmp(s, word, strlen(word)) == 0;
}

/* Until somebody cancels, or for so long that a test has failed by then. */
enum err
fake_wait(struct job *job, bool steps)
{
	for (int i = 0; i < 60000; i++) {
		TRY(job_check(job));
		if (steps)
			job_step(job, (uint64_t)(i / 100));
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return err_set(ERR_INTERNAL, "nobody cancelled");
}

static void
fact_make(struct token_fact *f, int token, int i)
{
	double p = 0.2 + 0.35 * (1 + fake_noise(77, (uint32_t)i));
	f->token = token;
	f->logprob = (float)log(p);
	f->rank = p > 0.4 ? 1 : 2;
	for (int k = 0; k < ALTERNATIVES; k++) {
		f->alt[k] = k == f->rank - 1 ? token : (token + 3 * k + 1) % N_VOCABULARY;
		f->alt_logprob[k] = (float)log(k == f->rank - 1 ? p : (k < f->rank ? 0.45 : 0.3 * (1 - p)) / (1 + k));
	}
}

static void
query_add(struct query *q, int i, int token)
{
	fact_make(&q->facts[i], token, i);
	q->byte_of[i] = (uint32_t)q->output.len;
	str_adds(&q->output, vocabulary[token]);
	q->byte_of[i + 1] = (uint32_t)q->output.len;
	q->n_out = i + 1;
}

static void
fake_free_query(struct query *q)
{
	if (!q)
		return;
	free(q->prompt);
	str_free(&q->output);
	free(q->facts);
	free(q->byte_of);
	free(q->matrix);
	free(q);
}

static enum err
fake_write(struct query *q, struct job *job, bool (*on_token)(void *arg, const struct token_fact *f), void *arg)
{
	int which = begins(q->prompt, "hostile") ? 2 : begins(q->prompt, "empty") ? 3
		: (int)(q->sample.seed % 2 == 1 ? 0 : 1);
	for (int i = 0; outputs[which][i] >= 0 && i < q->sample.max_tokens; i++) {
		TRY(job_check(job));
		query_add(q, i, outputs[which][i]);
		on_token(arg, &q->facts[i]);
		if (begins(q->prompt, "slow"))
			return fake_wait(job, true);
	}
	return OK;
}

static enum err
fake_ask(struct source *s, const char *prompt, const char *target, const struct sample_options *o, struct job *job,
	bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct query **out)
{
	(void)s;
	*out = NULL;
	if (begins(prompt, "fail"))
		return err_set(ERR_FORMAT, "the weights \x1b[31m of %s are broken: train again", prompt);
	if (begins(prompt, "crash"))
		raise(SIGSEGV);
	struct query *q = xcalloc(1, sizeof(*q));
	q->prompt = xstrdup(prompt);
	q->sample = *o;
	q->target_given = target != NULL;
	q->prompt_tokens = begins(prompt, "cut") ? 120 : 6;
	q->prompt_seen = q->prompt_tokens < 32 ? q->prompt_tokens : 32;
	q->facts = xcalloc(OUTPUT_MAX, sizeof(*q->facts));
	q->byte_of = xcalloc(OUTPUT_MAX + 1, sizeof(*q->byte_of));
	str_clear(&q->output);
	enum err err = fake_write(q, job, on_token, arg);
	if (err == OK)
		*out = q;
	else
		fake_free_query(q);
	return err;
}

static enum err
fake_scores(struct source *s, struct query *q, struct job *job)
{
	(void)s;
	(void)job;
	q->matrix = xcalloc((size_t)N_EXAMPLES * (size_t)q->n_out + 1, sizeof(*q->matrix));
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		for (int t = 0; t < q->n_out; t++) {
			double v = fake_score(i, t);
			q->matrix[i * (uint32_t)q->n_out + (uint32_t)t] = (float)v;
		}
	return OK;
}

static enum err
fake_strength(struct source *s, struct query *q, float *strength, struct job *job)
{
	(void)s;
	(void)job;
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		for (int t = 0; t < q->n_out; t++)
			strength[t] += (float)fmax(0, fake_score(i, t) - 0.004);
	return OK;
}

/* ---- ranking ---- */

struct order { uint32_t example; float score; };

static int
order_cmp(const void *a, const void *b)
{
	float x = ((const struct order *)a)->score, y = ((const struct order *)b)->score;
	return (x < y) - (x > y);
}

/* Of several runs, some examples are surer than others; of one, all are as unsure as chance is large. */
static void
ranking_errors(struct ranking *r)
{
	if (!(r->floor > 0))
		return;
	r->error = xcalloc(N_EXAMPLES, sizeof(*r->error));
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		r->error[i] = (float)(r->n_runs > 1 ? 0.004 + 0.002 * fake_noise(i, 7) : r->floor);
	for (size_t i = 0; i < r->n_top; i++)
		r->top[i].error = r->error[r->top[i].example];
	for (size_t i = 0; i < r->n_bottom; i++)
		r->bottom[i].error = r->error[r->bottom[i].example];
}

static void
ranked_brackets(struct ranked *row, size_t n)
{
	for (size_t i = 1, first = 0; i < n; i++) {
		bool same = fabs((double)(row[first].score - row[i].score)) < 2 * (double)row[i].error;
		row[i].bracket = row[i - 1].bracket + !same;
		first = same ? first : i;
	}
}

static void
ranking_fill(struct ranking *r, bool exact)
{
	struct order order[N_EXAMPLES];
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		order[i] = (struct order){ i, r->scores[i] };
	qsort(order, N_EXAMPLES, sizeof(*order), order_cmp);
	for (int i = 0; i < N_EXAMPLES; i++)
		r->n_above += !(r->floor > 0) || fabs((double)r->scores[i]) > NOISE_FLOORS * r->floor;
	r->top = xcalloc(N_EXAMPLES, sizeof(*r->top));
	r->bottom = xcalloc(N_EXAMPLES, sizeof(*r->bottom));
	for (int i = 0; i < N_EXAMPLES; i++)
		if (order[i].score > 0)
			r->top[r->n_top++] = (struct ranked){ .example = order[i].example,
				.score = order[i].score, .exact = exact };
	for (int i = N_EXAMPLES - 1; i >= 0; i--)
		if (order[i].score < 0)
			r->bottom[r->n_bottom++] = (struct ranked){ .example = order[i].example,
				.score = order[i].score, .exact = exact };
	ranking_errors(r);
	ranked_brackets(r->top, r->n_top);
	ranked_brackets(r->bottom, r->n_bottom);
}

static void
fake_everyone(struct source *s, struct shares *out)
{
	struct fake *f = self(s);
	*out = (struct shares){ .c = xcalloc(N_PEOPLE, sizeof(*out->c)), .n = N_PEOPLE, .residual = 1 };
	for (int p = 0; p < N_PEOPLE; p++) {
		out->c[p] = (struct contribution){ .contributor = p + 1, .name = people[p], .opted_out = p == 3 };
		for (int w = 0; w < N_WORKS; w++)
			for (size_t a = 0; a < f->work[w].n_authors; a++)
				out->c[p].works += f->work[w].authors[a].contributor == p + 1;
		out->c[p].examples = out->c[p].works;
	}
}

static int
share_cmp(const void *a, const void *b)
{
	const struct contribution *x = a, *y = b;
	return x->share != y->share ? (x->share < y->share) - (x->share > y->share) : strcmp(x->name, y->name);
}

/* What lies beyond the floor, to the authors by their parts; a policy of the fake's own, so that no other can change a
 * screen. */
static void
shares_fill(struct fake *f, const struct ranking *r, struct shares *sh)
{
	double floor = r->floor > 0 ? r->floor : 0, whole = 0;
	fake_everyone(&f->s, sh);
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		whole += fmax(0, (double)r->scores[i]);
	for (uint32_t i = 0; i < N_EXAMPLES; i++) {
		const struct work *w = &f->work[f->example[i].work - 1];
		for (size_t a = 0; a < w->n_authors; a++) {
			struct contribution *c = &sh->c[w->authors[a].contributor - 1];
			double part = w->authors[a].share * fmax(0, (double)r->scores[i] - floor) / whole;
			c->score += w->authors[a].share * (double)r->scores[i];
			c->share += part;
			sh->residual -= part;
		}
	}
	qsort(sh->c, N_PEOPLE, sizeof(*sh->c), share_cmp);
	sh->n_runs = r->n_runs;
	sh->residual_error = r->n_runs > 1 ? 0.113 : (double)NAN;
	for (size_t p = 0; p < N_PEOPLE; p++) {
		struct contribution *c = &sh->c[p];
		c->error = r->n_runs > 1 ? 0.02 * c->share * (2 + fake_noise(3, (uint32_t)p)) : (double)NAN;
		c->rank = c->rank_lo = c->rank_hi = p + 1;
		c->rank_hi += r->n_runs > 1 && p == 0;
	}
}

static enum err
fake_rank(struct source *s, struct query *q, const struct rank_options *o, struct job *job, struct ranking **out,
	struct shares *sh)
{
	bool exact = o->method->rescore == RESCORE_BEST && o->exact > 0;
	if (exact && begins(q->prompt, "stuck")) {
		job_phase(job, "exact scores", 600);
		TRY(fake_wait(job, true));
	}
	struct ranking *r = xcalloc(1, sizeof(*r));
	*r = (struct ranking){ .method = o->method, .from = o->from, .to = o->to, .exact_slope = NAN,
		.exact_spearman = NAN };
	r->floor = o->method->rescore == RESCORE_BEST ? 0.012 : (double)NAN;
	r->n_exact = exact ? N_EXAMPLES : 0;
	r->n_runs = begins(q->prompt, "runs") ? 3 : 1;
	r->scores = xcalloc(N_EXAMPLES, sizeof(*r->scores));
	for (uint32_t i = 0; i < N_EXAMPLES; i++)
		for (int t = o->from; t < o->to; t++)
			r->scores[i] += (float)(o->method->rescore == RESCORE_NONE ? fabs(fake_noise(i, (uint32_t)t + 99))
				: begins(q->prompt, "noise") ? 0.001 * fake_noise(i, (uint32_t)t) : fake_score(i, t));
	ranking_fill(r, exact);
	shares_fill(self(s), r, sh);
	/* As when one work of theirs helps, and others oppose more. */
	if (begins(q->prompt, "torn"))
		sh->c[0].score = -0.2;
	*out = r;
	return OK;
}

static void
fake_free_ranking(struct ranking *r)
{
	if (!r)
		return;
	free(r->scores);
	free(r->top);
	free(r->bottom);
	free(r->error);
	free(r);
}

static void
fake_free_shares(struct shares *sh)
{
	free(sh->c);
	*sh = (struct shares){0};
}

/* ---- texts: a token is a space and the word after it ---- */

static enum err
fake_example_text(struct source *s, uint32_t i, struct str *text, uint32_t **byte_of, int *n_tokens)
{
	const struct example *e = &self(s)->example[i];
	const char *whole = works_of_fake[e->work - 1].text;
	str_add(text, whole + e->from, e->to - e->from);
	*byte_of = xcalloc(text->len + 2, sizeof(**byte_of));
	*n_tokens = 0;
	for (uint32_t b = 0; b < text->len; b++)
		if (b == 0 || (text->s[b] == ' ' && text->s[b - 1] != ' ') || text->s[b] == '\n')
			(*byte_of)[(*n_tokens)++] = b;
	(*byte_of)[*n_tokens] = (uint32_t)text->len;
	return OK;
}

static enum err
fake_marks(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job, float *score,
	float *mark)
{
	struct str text = {0};
	uint32_t *byte_of;
	int n;
	(void)q;
	(void)job;
	TRY(fake_example_text(s, example, &text, &byte_of, &n));
	*score = 0;
	for (int i = 0; i < n; i++) {
		mark[i] = (float)(0.02 * fake_noise(example + 500,
			(uint32_t)i) + (i >= n / 3 && i < n / 2 ? 0.03 : 0)) * (float)(to - from) / 30;
		*score += mark[i];
	}
	str_free(&text);
	free(byte_of);
	return OK;
}

static const struct work *
fake_work(struct source *s, int64_t id)
{
	return id >= 1 && id <= N_WORKS ? &self(s)->work[id - 1] : NULL;
}

static const struct example *
fake_example(struct source *s, uint32_t i)
{
	return i < N_EXAMPLES ? &self(s)->example[i] : NULL;
}

static const char *
fake_token(struct source *s, int32_t id, size_t *n)
{
	(void)s;
	if (id < 0 || id >= N_VOCABULARY)
		return NULL;
	*n = strlen(vocabulary[id]);
	return vocabulary[id];
}

static bool
fake_row(struct source *s, const struct query *q, uint32_t example, float *out)
{
	(void)s;
	for (int t = 0; q->matrix && t < q->n_out; t++)
		out[t] = q->matrix[example * (uint32_t)q->n_out + (uint32_t)t];
	return q->matrix != NULL;
}

/* ---- people, runs, saved queries ---- */

static enum err
fake_works_of(struct source *s, const struct ranking *r, int64_t contributor, struct work_score **out, size_t *n)
{
	struct fake *f = self(s);
	*out = xcalloc(N_WORKS, sizeof(**out));
	*n = 0;
	for (int w = 0; w < N_WORKS; w++)
		for (size_t a = 0; a < f->work[w].n_authors; a++) {
			if (f->work[w].authors[a].contributor != contributor)
				continue;
			struct work_score *ws = &(*out)[(*n)++];
			*ws = (struct work_score){ .work = &f->work[w], .part = f->work[w].authors[a].share };
			for (int i = 0; r && i < N_EXAMPLES; i++)
				ws->score += f->example[i].work == w + 1 ? ws->part * (double)r->scores[i] : 0;
		}
	return OK;
}

static enum err
fake_each_run(struct source *s, enum err (*fn)(void *arg, const struct run *r), void *arg)
{
	char base[] = "base", other[] = "other";
	struct run r = { .id = 1, .name = base, .n_ctx = 128, .n_examples = N_EXAMPLES, .n_train = 12,
		.tokens_train = 3412, .tokens_heldout = 120, .seed = 7, .trained = true, .indexed = true };
	(void)s;
	TRY(fn(arg, &r));
	r.name = other;
	r.indexed = false;
	return fn(arg, &r);
}

static enum err
fake_facts(struct source *s, void (*fn)(void *arg, const char *label, const char *value), void *arg)
{
	(void)s;
	fn(arg, "Model", NULL);
	fn(arg, "family", "llama, 4 layers of 128, 1,605,248 parameters");
	fn(arg, "checkpoint", "sha256 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
	fn(arg, "Corpus", NULL);
	fn(arg, "works", "12 by 7 contributors, 1 unknown author, 2 unknown licences");
	fn(arg, "Measured", NULL);
	fn(arg, "noise floor", "0.012 nats for 30 tokens, from 32 unrelated queries");
	fn(arg, "LDS", "not measured in this store");
	return OK;
}

static const struct trust *
fake_trust(struct source *s, bool again, bool *stale)
{
	(void)again;
	*stale = false;
	return self(s)->measured ? &self(s)->trust : NULL;
}

static enum err
fake_each_query(struct source *s, enum err (*fn)(void *arg, const struct saved_query *q), void *arg)
{
	struct fake *f = self(s);
	for (int i = f->n_saved - 1; i >= 0; i--)
		TRY(fn(arg, &f->saved[i]));
	return OK;
}

static enum err
fake_save(struct source *s, const char *prompt, const char *settings, const char *output, const char *result,
	int64_t *id)
{
	struct fake *f = self(s);
	for (int i = 0; i < f->n_saved; i++)
		if (strcmp(f->saved[i].prompt, prompt) == 0 && strcmp(f->saved[i].settings, settings) == 0) {
			free(f->saved[i].result);
			f->saved[i].result = xstrdup(result);
			*id = f->saved[i].id;
			return OK;
		}
	if (f->n_saved == N_SAVED_MAX)
		return err_set(ERR_LIMIT, "the fake store is full");
	/* As one that somebody else saved. */
	bool bare = strncmp(prompt, "bare", 4) == 0 && !strstr(settings, "42");
	*id = f->n_saved > 0 ? f->saved[f->n_saved - 1].id + 1 : 1;
	f->saved[f->n_saved++] = (struct saved_query){ .id = *id, .run = 1, .created = 1767225600,
		.prompt = xstrdup(prompt),
		.settings = xstrdup(settings), .output = xstrdup(output), .result = xstrdup(bare ? "" : result) };
	return OK;
}

static void
saved_clear(struct saved_query *q)
{
	free(q->prompt);
	free(q->settings);
	free(q->output);
	free(q->result);
}

static enum err
fake_forget(struct source *s, int64_t query)
{
	struct fake *f = self(s);
	for (int i = 0; i < f->n_saved; i++)
		if (f->saved[i].id == query) {
			saved_clear(&f->saved[i]);
			f->n_saved--;
			memmove(&f->saved[i], &f->saved[i + 1], (size_t)(f->n_saved - i) * sizeof(f->saved[0]));
			return OK;
		}
	return err_set(ERR_MISSING, "there is no saved query %lld", (long long)query);
}

static void
fake_close(struct source *s)
{
	struct fake *f = self(s);
	for (int i = 0; i < N_WORKS; i++) {
		struct work *w = &f->work[i];
		for (size_t a = 0; a < w->n_authors; a++)
			free(w->authors[a].name);
		free(w->authors);
		free(w->title);
		free(w->licence);
		free(w->licence_from);
		free(w->source);
		free(w->date);
	}
	for (int i = 0; i < f->n_saved; i++)
		saved_clear(&f->saved[i]);
	fake_trust_clear(&f->trust);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct source_ops fake_ops = {
	.close = fake_close, .ask = fake_ask, .scores = fake_scores, .strength = fake_strength, .rank = fake_rank,
	.marks = fake_marks,
	.work = fake_work,
	.example = fake_example, .example_text = fake_example_text, .token = fake_token, .row = fake_row,
	.everyone = fake_everyone, .trust = fake_trust, .estimate = fake_estimate, .whatif = fake_whatif,
	.whatif_find = fake_whatif_find, .free_whatif = fake_free_whatif,
	.tokens = fake_tokens, .linear = fake_linear, .verbatim = fake_verbatim,
	.free_spans = fake_free_spans, .verbatim_in = fake_verbatim_in, .evidence = fake_evidence,
	.works_of = fake_works_of, .each_run = fake_each_run, .facts = fake_facts, .each_query = fake_each_query,
	.save = fake_save,
	.forget = fake_forget, .free_query = fake_free_query, .free_ranking = fake_free_ranking,
	.free_shares = fake_free_shares,
};

enum err
fake_open(const struct tui_options *o, struct source **out)
{
	if (o->store && strstr(o->store, "absent"))
		return err_set(ERR_MISSING, "cannot open %s: no such folder; 'byline import' makes one", o->store);
	struct fake *f = xcalloc(1, sizeof(*f));
	f->s.ops = &fake_ops;
	f->s.info = (struct source_info){
		.store = "commons", .folder = "commons.byline", .run = "base", .model = "llama 1.6M",
		.checkpoint_sha256 = "c4ec", .corpus_sha256 = "c07b",
		.n_examples = N_EXAMPLES,
		.n_works = N_WORKS, .n_contributors = N_PEOPLE, .indexed = true, .epochs = 8, .methods = fake_methods,
		.n_methods = ARRAY_LEN(fake_methods),
	};
	world_make(f);
	for (int i = 0; i < N_EXAMPLES; i++)
		if (f->example[i].n_tokens == 0)
			f->example[i].n_tokens = f->example[i].to - f->example[i].from;
	/* What imported scores begin with. */
	if (o->store && strstr(o->store, "imported"))
		(void)fake_save(&f->s, "The keeper lit the lamp and", "{}", " waited for the tide to turn, counting the "
			"boats as they came round the point. By morning the bread was cold and the lamp was still warm.",
			"", &f->s.info.first_query);
	fake_trust_make(&f->trust);
	pthread_mutex_init(&f->lock, NULL);
	f->s.info.foreign = o->store && strstr(o->store, "foreign");
	if (f->s.info.foreign)
		f->work[0].title[0] = '\0';
	f->measured = !f->s.info.foreign && !(o->store && strstr(o->store, "fresh"));
	f->s.info.indexed = !(o->store && strstr(o->store, "bare"));
	if (o->store && strstr(o->store, "scored")) {
		f->s.info.indexed = false;
		TRY(fake_save(&f->s, "The keeper", "{\"target\":\" waits\",\"method\":\"bm25\",\"imported\":0}", " waits",
			"", &f->s.info.first_query));
	}
	*out = &f->s;
	return OK;
}
