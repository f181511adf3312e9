/* Figures and texts as people read them: groups of three, units, UTC, and text of members that is UTF-8 whatever it was.
 *
 * Groups are parted by a narrow no-break space (U+202F), a unit by a no-break space (U+00A0); format_plain() makes blanks of them
 * for a terminal. All of them return buf. FORMAT(count, n) is format_count() into a buffer that lives until the end of the block.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 48
#define FORMAT(what, ...) format_##what((char[FORMAT_MAX]){0}, __VA_ARGS__)

char *format_count(char buf[FORMAT_MAX], uint64_t n);	   /* 2 802 */
char *format_fps(char buf[FORMAT_MAX], double fps);	   /* 2 802, 3.4, 0.02, <0.01, 0 */
char *format_bps(char buf[FORMAT_MAX], double bps);	   /* 1.46 Mbit/s */
char *format_octets(char buf[FORMAT_MAX], uint64_t octets); /* 12.4 MB */
/* 99.9 %; what is not all of it never reads 100 %, what is not nothing never 0 %. */
char *format_share(char buf[FORMAT_MAX], double share);
char *format_duration(char buf[FORMAT_MAX], int64_t ns); /* 6 min 40 s */
/* Nanoseconds since 1970 in UTC. 0: "-", of the machine's form "". */
char *format_time(char buf[FORMAT_MAX], int64_t ns);  /* 2026-01-31 12:00:04 */
char *format_clock(char buf[FORMAT_MAX], int64_t ns); /* 12:00:04 */
char *format_stamp(char buf[FORMAT_MAX], int64_t ns); /* 2026-01-31T12:00:04.000000000Z */

/* `text` as valid UTF-8 in at most `cap` octets: what is not UTF-8, or no character that a document may hold (controls, U+FFFE),
 * becomes U+FFFD; line ends and tabs become blanks. At most `characters` of them (0: no limit), then an ellipsis. cap >= 4. */
char *format_utf8(char *buf, size_t cap, const char *text, size_t characters);
/* U+202F and U+00A0 as blanks, in place. */
char *format_plain(char *text);
