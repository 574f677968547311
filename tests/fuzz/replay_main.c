/* Runs a fuzz target once on each file named on the command line, where libFuzzer is not to be had. */
#include "fuzz.h"

#include <stdio.h>

#include "byline/file.h"

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct str s = {0};
		str_add(&s, "", 0);
		if (file_read(argv[i], FUZZ_MAX, &s) != OK) {
			fprintf(stderr, "%s\n", err_message());
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)s.s, s.len);
		str_free(&s);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
