/* play: the explorer over the fake world, to look at by hand. */
#include "explorer.h"

int
main(int argc, char **argv)
{
	char *args[64] = { argv[0], argv[0] };
	for (int i = 1; i < argc && i < 62; i++)
		args[i + 1] = argv[i];
	return explorer_main(argc + 1, args);
}
