/* A command line that is wrong: one line on stderr, and the exit status that says so. */
#pragma once

#define EXIT_USAGE 2

/* "quell: show: what; see quell help": `about` before, the words of `help` behind. EXIT_USAGE. */
int usage_wrong(const char *about, const char *help, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
