/* Byte-pair merges with a heap of candidates: n log n, whatever the length of the piece. */
#include "tok.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

enum err
bpe_reserve(struct bpe_work *w, size_t n)
{
	if (n <= w->cap)
		return OK;
	size_t want = n < 64 ? 64 : n + n / 2;
	bpe_work_free(w);
	TRY(mem_array(&w->nodes, want, sizeof(*w->nodes), "text"));
	/* n - 1 candidates at first; each merge takes one out and brings at most two, and there are at most n - 1
	 * merges. */
	TRY(mem_array(&w->heap, 2 * want, sizeof(*w->heap), "text"));
	w->cap = want;
	return OK;
}

void
bpe_work_free(struct bpe_work *w)
{
	free(w->nodes);
	free(w->heap);
	*w = (struct bpe_work){0};
}

/* Lower rank first; among equals the leftmost. */
static bool
merge_before(const struct bpe_merge *x, const struct bpe_merge *y)
{
	return x->rank != y->rank ? x->rank < y->rank : x->at < y->at;
}

static void
heap_push(struct bpe_work *w, struct bpe_merge merge)
{
	size_t i = w->heap_n++;
	while (i > 0 && merge_before(&merge, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = merge;
}

static struct bpe_merge
heap_pop(struct bpe_work *w)
{
	struct bpe_merge top = w->heap[0], last = w->heap[--w->heap_n];
	size_t i = 0, child;
	while ((child = 2 * i + 1) < w->heap_n) {
		if (child + 1 < w->heap_n && merge_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!merge_before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

static void
bpe_offer(struct bpe_work *w, int32_t at, const struct pair_map *merges)
{
	int32_t next = at < 0 ? -1 : w->nodes[at].next;
	if (next < 0)
		return;
	const struct pair_slot *hit = pair_map_get(merges, w->nodes[at].id, w->nodes[next].id);
	if (hit)
		heap_push(w, (struct bpe_merge){ .rank = (uint32_t)hit->x, .at = at, .left = hit->a, .right = hit->b,
			.made = hit->y });
}

void
bpe_run(struct bpe_work *w, const struct pair_map *merges)
{
	struct bpe_node *v = w->nodes;
	w->heap_n = 0;
	for (int32_t i = 0; i >= 0; i = v[i].next)
		bpe_offer(w, i, merges);
	while (w->heap_n > 0) {
		struct bpe_merge m = heap_pop(w);
		int32_t next = v[m.at].next;
		/* Candidates are not taken back when a neighbour is merged away; they are recognised here. */
		if (v[m.at].id != m.left || next < 0 || v[next].id != m.right)
			continue;
		v[m.at].id = m.made;
		v[m.at].next = v[next].next;
		v[m.at].to = v[next].to;
		if (v[next].next >= 0)
			v[v[next].next].prev = m.at;
		v[next].id = -1;
		bpe_offer(w, v[m.at].prev, merges);
		bpe_offer(w, m.at, merges);
	}
}
