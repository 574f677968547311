/* explorer: the test program run again as the explorer over the fake world, on a terminal of the test's own. */
#ifndef BYLINE_TEST_EXPLORER_H
#define BYLINE_TEST_EXPLORER_H

/*
 * argv as the tests call it: --explorer [--script F] [--prompt P] [--store S] [--ascii] [--color auto|always|never].
 * Returns the exit status.
 */
int explorer_main(int argc, char **argv);

#endif
