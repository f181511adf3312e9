#include "cli/usage.h"

#include <stdarg.h>
#include <stdio.h>

int usage_wrong(const char *about, const char *help, const char *fmt, ...)
{
	va_list ap;

	fputs(about, stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see %s\n", help);
	return EXIT_USAGE;
}
