/*
 * verbatim_private: what an open text.safetensors is, and how one is made.
 *
 *	text	U8 (n)		the works' texts in order of ids, each with the byte 0xff after it
 *	words	U32 (m)		every place where a word begins, in order of the bytes from there on
 *	works	I64 (w)		the works' ids, ascending
 *	starts	U32 (w + 1)	where each text begins; the last is n
 *	longest	I64 (256)	of seeded places, how many go on for so many words as another work does; last: or more
 */
#ifndef BYLINE_ATTRIB_VERBATIM_PRIVATE_H
#define BYLINE_ATTRIB_VERBATIM_PRIVATE_H

#include <stdatomic.h>

#include "byline/hash.h"
#include "byline/safetensors.h"
#include "byline/verbatim.h"

#include "verbatim_search.h"

#define VERBATIM_FORMAT "byline text 1"
enum { VERBATIM_LENGTHS = 256 };

/* What the store knows of a work, for counting. */
struct verbatim_work {
	int64_t id, bytes;
	char sha256[HASH_HEX], date[16];
	uint64_t licence;		/* works of the same licence have the same number */
	int64_t *author;
	size_t n_authors;
};

struct verbatim {
	char *path;
	struct st_file file;
	struct corpus corpus;
	uint32_t *start;		/* owned, the corpus's */
	int64_t *id;			/* n_works */
	int64_t longest[VERBATIM_LENGTHS], n_compared;
	struct verbatim_work *work;	/* n_works */
	atomic_uchar *checked;		/* n_works: the text was compared with its SHA-256. All that ever changes */
};

/* The file alone, checked against itself; what the store knows is not there yet. verbatim_close either way. */
enum err verbatim_map(struct verbatim *v, const char *path);
void verbatim_unmap(struct verbatim *v);

/* Everything the file holds, made from the store. */
struct verbatim_made {
	char *text;
	int32_t *word;
	uint32_t *start;
	int64_t *id;
	size_t n, n_words, n_works;
	int64_t longest[VERBATIM_LENGTHS];
	char corpus[HASH_HEX];
};
enum err verbatim_make(struct store *s, struct job *job, struct verbatim_made *m);
void verbatim_made_free(struct verbatim_made *m);

/* How far the texts repeat one another. */
enum err verbatim_compare(const struct corpus *c, struct job *job, int64_t longest[VERBATIM_LENGTHS]);
double verbatim_chance(const struct verbatim *v, size_t n_words);

/* Notes what the works and places are of which a span's n places (bytes of the corpus, any order) are. */
enum err verbatim_count(const struct verbatim *v, uint32_t *at, size_t n, struct verbatim_span *span);

#endif
