/* Any bytes as trust.json: what is accepted holds numbers that can be, and reads the same when written again. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "../../src/trust/trust_private.h"
#include "byline/json.h"

static void
check_method(const struct trust *t, int i)
{
	const struct method_trust *m = &t->method[i];
	FUZZ_CHECK(*m->name && strlen(m->name) < sizeof(m->name) && trust_method(t, m->name) == m);
	FUZZ_CHECK(isnan(m->lds.value) || fabs(m->lds.value) <= 1);
	FUZZ_CHECK(!(m->lds.lo > m->lds.hi) && !(m->slope_error < 0) && m->bytes_per_example >= 0);
}

static void
check_trust(const struct trust *t)
{
	FUZZ_CHECK(t->n_points <= TRUST_POINTS && t->n_subsets >= 0 && t->n_queries >= t->n_heldout);
	FUZZ_CHECK(!*t->index || strlen(t->index) == HASH_HEX - 1);
	for (int i = 0; i < t->n_methods; i++)
		check_method(t, i);
	for (int i = 0; i < t->n_points; i++)
		FUZZ_CHECK(isfinite(t->point[i].predicted) && isfinite(t->point[i].observed));
}

static void
check_again(const struct trust *t)
{
	struct trust *copy;
	json_t *first = trust_json(t);
	FUZZ_CHECK(trust_parse(first, "trust.json", &copy) == OK);
	json_t *second = trust_json(copy);
	FUZZ_CHECK(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	trust_free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust *t = NULL;
	json_t *root = NULL;
	if (json_parse((const char *)data, size, "trust.json", &root) != OK)
		return 0;
	if (trust_parse(root, "trust.json", &t) != OK) {
		FUZZ_CHECK(*err_message() && !t);
	} else {
		check_trust(t);
		check_again(t);
	}
	trust_free(t);
	json_decref(root);
	return 0;
}
