/*
 * fake: a session with nothing behind it but examples, works and contributors, for what only looks at those.
 */
#ifndef BYLINE_TEST_FAKE_H
#define BYLINE_TEST_FAKE_H

#include "byline/attrib.h"

struct fake_author { int64_t contributor; double share; };

void fake_session(struct session *s);
int64_t fake_contributor(struct session *s, const char *name, bool opted_out);		/* ids 1, 2, ... */
int64_t fake_work(struct session *s, const struct fake_author *author, size_t n);	/* ids 10, 20, ... */
size_t fake_example(struct session *s, int64_t work, bool heldout, bool opted_out);
void fake_free(struct session *s);

#endif
