/* Any bytes as a NumPy array: what is read must be as large as its shape says, and lie within the bytes. */
#include "fuzz.h"

#include <string.h>

#include "byline/scores.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npy a;
	uint64_t count = 1;
	unsigned sum = 0;
	if (npy_parse(data, size, "fuzz", &a) != OK) {
		FUZZ_CHECK(*err_message());
		return 0;
	}
	FUZZ_CHECK(a.n_dims >= 0 && a.n_dims <= ST_MAX_DIMS);
	for (int i = 0; i < a.n_dims; i++)
		count *= a.shape[i];
	FUZZ_CHECK(count == a.count && a.data >= data && a.data <= data + size);
	FUZZ_CHECK(a.count * st_dtype_size(a.dtype) == (uint64_t)(data + size - a.data));
	for (const uint8_t *p = a.data; p < data + size; p++)
		sum += *p;
	FUZZ_CHECK(sum < UINT32_MAX);
	return 0;
}
