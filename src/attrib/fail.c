/* fail: errors across threads. */
#include "fail.h"

#include <stdio.h>

enum err
fail_keep(struct fail *f, enum err err)
{
	if (err != OK && f->code == OK) {
		f->code = err;
		snprintf(f->message, sizeof(f->message), "%.*s", (int)sizeof(f->message) - 1, err_message());
	}
	return err;
}

enum err
fail_raise(const struct fail *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].code != OK)
			return err_set(f[i].code, "%s", f[i].message);
	return OK;
}
