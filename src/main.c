/* main: locale, signals, dispatch. */
#include "byline/err.h"

int
main(void)
{
	return 0;
}
