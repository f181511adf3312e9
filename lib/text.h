/* Text from outside made safe to print: the one escaper of the house. */
#pragma once
#include <stddef.h>

/* Copies `len` octets of `from` as printable ASCII: control and non-ASCII octets and the backslash become \xNN.
 * Always ends `buf` with a NUL; what does not fit ends in "...". Returns buf. cap >= 4. */
char *text_escape(char *buf, size_t cap, const void *from, size_t len);

/* The octets of the UTF-8 character that stands there (RFC 3629: no overlong form, no surrogate); 0: it is none, or a NUL. */
size_t text_utf8(const char *p);
