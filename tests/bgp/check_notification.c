/* NOTIFICATION: both ways and as text. RFC 4271 section 4.5, RFC 9003, RFC 8538. */
#include <check.h>
#include <errno.h>

#include "bgp/msg.h"
#include "tests/bgp/wire.h"

static const struct {
	const char *hex, *text;
} rows[] = {
	{"0101", "1/1 Message Header Error/Connection Not Synchronized"},
	{"0204", "2/4 OPEN Message Error/Unsupported Optional Parameter"},
	{"0200", "2/0 OPEN Message Error"},
	{"0301 c008", "3/1 UPDATE Message Error/Malformed Attribute List"},
	{"0400", "4/0 Hold Timer Expired"},
	{"0502", "5/2 Finite State Machine Error/Unexpected Message in OpenConfirm"},
	{"0602", "6/2 Cease/Administrative Shutdown"},
	{"0602 00", "6/2 Cease/Administrative Shutdown"},
	{"0602 05 68656c6c6f", "6/2 Cease/Administrative Shutdown: \"hello\""},
	{"0604 03 c3a90a", "6/4 Cease/Administrative Reset: \"\\xc3\\xa9\\x0a\""},
	{"0602 05 6869", "6/2 Cease/Administrative Shutdown: \"hi\""},
	{"0602 02 68696869", "6/2 Cease/Administrative Shutdown: \"hi\""},
	{"0603 05 68656c6c6f", "6/3 Cease/Peer De-configured"},
	{"0609", "6/9 Cease/Hard Reset"},
	{"0609 06", "6/9 Cease/Hard Reset"},
	{"0609 0604", "6/9 Cease/Hard Reset of 6/4 Cease/Administrative Reset"},
	{"0609 0602 02 6869", "6/9 Cease/Hard Reset of 6/2 Cease/Administrative Shutdown: \"hi\""},
	{"0609 0609 0602", "6/9 Cease/Hard Reset of 6/9 Cease/Hard Reset"},
	{"0701", "7/1 ROUTE-REFRESH Message Error/Invalid Message Length"},
	{"0000", "0/0 unknown error"},
	{"0903", "9/3 unknown error"},
	{"ffff 00", "255/255 unknown error"},
	{"03ff", "3/255 UPDATE Message Error"},
	{"0305", "3/5 UPDATE Message Error/Attribute Length Error"},
};

START_TEST(messages)
{
	struct octets o = octets_of(rows[_i].hex);
	struct bgp_error e;
	uint8_t out[BGP_MSG_MAX];
	struct writer w = writer_of(out, sizeof(out));
	char text[2048];

	ck_assert_int_eq(notification_decode(o.p, o.len, &e), 0);
	ck_assert_ptr_nonnull(e.what);
	ck_assert_str_eq(notification_format(&e, text, sizeof(text)), rows[_i].text);
	notification_encode(&w, &e);
	ck_assert_uint_eq(writer_len(&w), BGP_HEADER_LEN + o.len);
	ck_assert_mem_eq(out + BGP_HEADER_LEN, o.p, o.len);
	/* Any room will do, and is never overrun. */
	for (size_t cap = 1; cap < 130; cap++) {
		char *room = malloc(cap);
		notification_format(&e, room, cap);
		ck_assert_uint_lt(strlen(room), cap);
		ck_assert(strncmp(room, rows[_i].text, strlen(room)) == 0);
		free(room);
	}
	free(o.p);
}
END_TEST

START_TEST(too_short_or_long)
{
	uint8_t body[600] = {6, 2, 255};
	struct bgp_error e = {.code = 77};
	char text[2048];

	ck_assert_int_eq(notification_decode(body, 0, &e), -EBADMSG);
	ck_assert_int_eq(notification_decode(body, 1, &e), -EBADMSG);
	ck_assert_uint_eq(e.code, 77);
	memset(body + 3, 0x80, sizeof(body) - 3);
	ck_assert_int_eq(notification_decode(body, sizeof(body), &e), 0);
	ck_assert_uint_eq(e.data_len, BGP_ERROR_DATA_MAX);
	notification_format(&e, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), strlen("6/2 Cease/Administrative Shutdown: \"\"") + 4 * 254);
}
END_TEST

START_TEST(cease)
{
	char text[2048], longer[300];
	struct bgp_error e = notification_cease(BGP_CEASE_SHUTDOWN, "maintenance");

	ck_assert_str_eq(notification_format(&e, text, sizeof(text)),
		"6/2 Cease/Administrative Shutdown: \"maintenance\"");
	ck_assert_str_eq(e.what, "Administrative Shutdown");
	e = notification_cease(BGP_CEASE_SHUTDOWN, NULL);
	ck_assert_uint_eq(e.data_len, 0);
	e = notification_cease(BGP_CEASE_RESET, "");
	ck_assert_uint_eq(e.data_len, 0);
	/* RFC 9003: for two subcodes only. */
	e = notification_cease(BGP_CEASE_COLLISION, "maintenance");
	ck_assert_uint_eq(e.data_len, 0);
	/* Cut to 128 octets, but not through a character. */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	e = notification_cease(BGP_CEASE_SHUTDOWN, longer);
	ck_assert_uint_eq(e.data_len, 129);
	memcpy(longer + 126, "\xe2\x82\xac", 3);
	e = notification_cease(BGP_CEASE_SHUTDOWN, longer);
	ck_assert_uint_eq(e.data_len, 127);
	memset(longer + 126, 'x', 3);
	memcpy(longer + 125, "\xe2\x82\xac", 3);
	e = notification_cease(BGP_CEASE_SHUTDOWN, longer);
	ck_assert_uint_eq(e.data_len, 129);
}
END_TEST

CHECK_MAIN("notification", {
	tcase_add_loop_test(t, messages, 0, ROWS_OF(rows));
	tcase_add_test(t, too_short_or_long);
	tcase_add_test(t, cease);
})
