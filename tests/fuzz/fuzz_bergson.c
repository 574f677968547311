/* Any bytes as a file of a bergson index, the first saying which: what is accepted is within its bounds. */
#include "fuzz.h"

#include <string.h>

#include "../../src/attrib/bergson_info.h"
#include "../../src/attrib/bergson_yaml.h"

static void
check_info(const struct bergson_info *info)
{
	uint64_t at = 0;
	FUZZ_CHECK(info->n_blocks > 0 && info->n_rows > 0 && info->n_items > 0);
	FUZZ_CHECK(info->tokens || info->n_items == info->n_rows);
	for (int i = 0; i < info->n_blocks; i++) {
		FUZZ_CHECK(info->block[i].at == at && info->block[i].size > 0);
		at += info->block[i].size;
	}
	FUZZ_CHECK(at == info->width && at <= INT32_MAX);
	FUZZ_CHECK(bergson_row_bytes(info) == at * (info->dtype == ST_F32 ? 4 : 2));
}

static void
check_projection(const struct bergson_projection *p)
{
	FUZZ_CHECK(p->dim >= 0 && (p->dim == 0 || p->version == 2 || (p->version == 1 && !p->normal)));
}

static void
check_yaml(const char *text, size_t n)
{
	struct yaml y;
	if (yaml_parse(text, n, "fuzz.yaml", &y) != OK)
		return;
	for (size_t i = 0; i < y.n; i++)
		FUZZ_CHECK(*y.v[i].path && y.v[i].value && yaml_find(&y, y.v[i].path));
	yaml_free(&y);
}

static void
check_offsets(const char *data, size_t n)
{
	const struct bergson_info info = { .n_items = 3, .n_rows = 9, .tokens = true };
	uint64_t *v = NULL;
	if (bergson_offsets_parse(data, n, "fuzz.npy", &info, &v) == OK)
		FUZZ_CHECK(v[0] == 0 && v[3] == 9 && v[1] <= v[2] && v[2] <= v[3]);
	free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bergson_info info = {0};
	const char *text = (const char *)data + 1;
	if (size == 0)
		return 0;
	err_clear();
	if (*data == 'i' && bergson_info_parse(text, size - 1, "fuzz.json", &info) == OK)
		check_info(&info);
	else if (*data == 'p' && bergson_processor_parse(text, size - 1, "fuzz.yaml", &info) == OK)
		check_projection(&info.projection);
	else if (*data == 'c' && bergson_config_parse(text, size - 1, "fuzz.yaml", &info) != OK)
		FUZZ_CHECK(*err_message());
	else if (*data == 'o')
		check_offsets(text, size - 1);
	else if (*data == 'y')
		check_yaml(text, size - 1);
	bergson_info_free(&info);
	return 0;
}
