/* OPEN and its capabilities: RFC 4271 section 4.2 and 6.2, 5492, 9072, and the RFC of each capability. */
#include <check.h>
#include <errno.h>

#include "bgp/msg.h"
#include "tests/bgp/wire.h"

#define FIXED "04 fde8 00b4 0a000001 "

static const struct {
	const char *what, *hex;
	int subcode; /* -1: accepted */
} rows[] = {
	{"no parameters", FIXED "00", -1},
	{"capabilities in one parameter", FIXED "0c 020a 010400190046 0200 4600", -1},
	{"in one parameter each", FIXED "0e 0206 010400190046 0202 0200 0200", -1},
	{"version 3", "03 fde8 00b4 0a000001 00", BGP_OPEN_VERSION},
	{"version 5", "05 fde8 00b4 0a000001 00", BGP_OPEN_VERSION},
	{"AS 0", "04 0000 00b4 0a000001 00", BGP_OPEN_PEER_AS},
	{"AS 0 in the capability", FIXED "08 0206 410400000000", BGP_OPEN_PEER_AS},
	{"hold time 0", "04 fde8 0000 0a000001 00", -1},
	{"hold time 1", "04 fde8 0001 0a000001 00", BGP_OPEN_HOLD_TIME},
	{"hold time 2", "04 fde8 0002 0a000001 00", BGP_OPEN_HOLD_TIME},
	{"hold time 3", "04 fde8 0003 0a000001 00", -1},
	{"identifier 0", "04 fde8 00b4 00000000 00", BGP_OPEN_BGP_ID},
	{"identifier that is no address (RFC 6286)", "04 fde8 00b4 ffffffff 00", -1},
	{"authentication", FIXED "03 0101 00", BGP_OPEN_OPT_PARAM},
	{"unknown parameter", FIXED "02 0300", BGP_OPEN_OPT_PARAM},
	{"unknown parameter behind a known one", FIXED "06 0202 0200 0900", BGP_OPEN_OPT_PARAM},
	{"parameters longer than the message", FIXED "05 0202 0200", 0},
	{"parameters shorter than the message", FIXED "03 0202 0200", 0},
	{"octets behind no parameters", FIXED "00 00", 0},
	{"one octet of a parameter", FIXED "01 02", 0},
	{"parameter overruns", FIXED "04 0203 0200", 0},
	{"empty parameter", FIXED "02 0200", -1},
	{"capability overruns", FIXED "04 0202 0201", 0},
	{"one octet of a capability", FIXED "03 0201 02", 0},
	{"unknown capability", FIXED "07 0205 c803 010203", -1},
	{"multiprotocol of 3", FIXED "07 0205 0103 001900", 0},
	{"multiprotocol of 5", FIXED "09 0207 0105 0019004600", 0},
	{"4-octet AS of 2", FIXED "06 0204 4102 fde8", 0},
	{"route refresh with a value", FIXED "05 0203 0201 00", -1},
	{"graceful restart of 1", FIXED "05 0203 4001 00", 0},
	{"graceful restart of 5", FIXED "09 0207 4005 0078 001946", 0},
	{"long-lived graceful restart", FIXED "0b 0209 4707 001946 80 000e10", -1},
	{"long-lived graceful restart of no family", FIXED "04 0202 4700", -1},
	{"long-lived graceful restart of 6", FIXED "0a 0208 4706 001946 80 000e", 0},
	{"long-lived graceful restart of 8", FIXED "0c 020a 4708 001946 80 000e10 00", 0},
	{"ADD-PATH of 3", FIXED "07 0205 4503 001946", 0},
	{"ADD-PATH, mode 0 and 4", FIXED "0c 020a 4508 00194600 00014604", -1},
	{"role", FIXED "05 0203 0901 01", -1},
	{"role twice the same", FIXED "08 0206 0901 01 0901 01", -1},
	{"two roles", FIXED "08 0206 0901 01 0901 02", BGP_OPEN_ROLE},
	{"role of 2", FIXED "06 0204 0902 0101", 0},
	/* RFC 9072 */
	{"extended form", FIXED "ff ff 0007 02 0004 0200 4600", -1},
	{"extended form, length octet not 255", FIXED "01 ff 0007 02 0004 0200 4600", -1},
	{"extended form, nothing in it", FIXED "ff ff 0000", -1},
	{"length octet 0 is not the extended form", FIXED "00 ff 0000", 0},
	{"extended form, overrun", FIXED "ff ff 0008 02 0004 0200 4600", 0},
	{"extended form, underrun", FIXED "ff ff 0006 02 0004 0200 4600", 0},
	{"extended form, cut in its length", FIXED "ff ff 00", 0},
	{"extended form, parameter 255 in it", FIXED "ff ff 0003 ff 0000", BGP_OPEN_OPT_PARAM},
	{"parameter 255 later", FIXED "06 0202 0200 ff00", BGP_OPEN_OPT_PARAM},
};

START_TEST(opens)
{
	struct octets o = octets_of(rows[_i].hex);
	struct bgp_open m = {.hold_sec = 77};
	struct bgp_error err;
	int r = open_decode(o.p, o.len, &m, &err);

	if (rows[_i].subcode < 0) {
		ck_assert_msg(r == 0, "%s: %d/%d %s", rows[_i].what, r, err.subcode, err.what);
		ck_assert_uint_eq(m.as, 65000);
		ck_assert_uint_eq(m.as4, false);
	} else {
		ck_assert_msg(r == -EBADMSG && err.code == BGP_ERR_OPEN && err.subcode == rows[_i].subcode,
			"%s: %d/%d", rows[_i].what, r, err.subcode);
		ck_assert_ptr_nonnull(err.what);
		ck_assert_uint_eq(m.hold_sec, 77);
		if (err.subcode == BGP_OPEN_VERSION) {
			ck_assert_uint_eq(err.data_len, 2);
			ck_assert_mem_eq(err.data, "\0\x04", 2);
		}
	}
	for (size_t cut = 0; rows[_i].subcode < 0 && cut < o.len; cut++) {
		struct octets part = octets_cut(o.p, cut);
		ck_assert_int_eq(open_decode(part.p, cut, &m, &err), -EBADMSG);
		free(part.p);
	}
	free(o.p);
}
END_TEST

static void same(const struct bgp_open *a, const struct bgp_open *b)
{
	ck_assert_uint_eq(a->as, b->as);
	ck_assert_uint_eq(a->hold_sec, b->hold_sec);
	ck_assert_uint_eq(a->bgp_id, b->bgp_id);
	ck_assert_uint_eq(a->family_count, b->family_count);
	for (int i = 0; i < a->family_count; i++) {
		ck_assert_uint_eq(a->families[i].afi, b->families[i].afi);
		ck_assert_uint_eq(a->families[i].safi, b->families[i].safi);
	}
	ck_assert(a->as4 == b->as4 && a->route_refresh == b->route_refresh &&
		  a->enhanced_refresh == b->enhanced_refresh && a->extended_message == b->extended_message &&
		  a->gr == b->gr && a->gr_restarting == b->gr_restarting &&
		  a->gr_notification == b->gr_notification);
	ck_assert_uint_eq(a->gr_restart_sec, b->gr_restart_sec);
	ck_assert_uint_eq(a->gr_family_count, b->gr_family_count);
	for (int i = 0; i < a->gr_family_count; i++) {
		ck_assert_uint_eq(a->gr_families[i].family.afi, b->gr_families[i].family.afi);
		ck_assert_uint_eq(a->gr_families[i].family.safi, b->gr_families[i].family.safi);
		ck_assert(a->gr_families[i].forwarding == b->gr_families[i].forwarding);
	}
	ck_assert(a->llgr == b->llgr);
	ck_assert_uint_eq(a->llgr_family_count, b->llgr_family_count);
	for (int i = 0; i < a->llgr_family_count; i++) {
		ck_assert_uint_eq(a->llgr_families[i].family.afi, b->llgr_families[i].family.afi);
		ck_assert_uint_eq(a->llgr_families[i].family.safi, b->llgr_families[i].family.safi);
		ck_assert(a->llgr_families[i].forwarding == b->llgr_families[i].forwarding);
		ck_assert_uint_eq(a->llgr_families[i].stale_sec, b->llgr_families[i].stale_sec);
	}
	ck_assert_uint_eq(a->add_path_count, b->add_path_count);
	for (int i = 0; i < a->add_path_count; i++) {
		ck_assert_uint_eq(a->add_path[i].family.afi, b->add_path[i].family.afi);
		ck_assert_uint_eq(a->add_path[i].family.safi, b->add_path[i].family.safi);
		ck_assert_uint_eq(a->add_path[i].mode, b->add_path[i].mode);
	}
	ck_assert_int_eq(a->role, b->role);
}

static size_t there_and_back(const struct bgp_open *m)
{
	uint8_t buf[BGP_MSG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_header h;
	struct bgp_error err;
	struct bgp_open back;

	open_encode(&w, m);
	ck_assert(writer_ok(&w));
	ck_assert_int_eq(bgp_header_decode(buf, writer_len(&w), BGP_MSG_MAX, &h, &err), 0);
	ck_assert_uint_eq(h.len, writer_len(&w));
	ck_assert_int_eq(open_decode(buf + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN, &back, &err), 0);
	same(m, &back);
	/* A buffer of any other size is not overrun. */
	for (size_t cap = 0; cap < writer_len(&w); cap++) {
		struct octets o = {malloc(cap ? cap : 1), cap};
		struct writer small = writer_of(o.p, cap);
		open_encode(&small, m);
		ck_assert(!writer_ok(&small));
		free(o.p);
	}
	return writer_len(&w);
}

START_TEST(our_own)
{
	struct bgp_open m = {.as = 65000, .hold_sec = 90, .bgp_id = 0x0a000001, .role = -1};

	ck_assert_uint_eq(there_and_back(&m), 29);
	m.families[m.family_count++] = (struct bgp_afi_safi){25, 70};
	m.as4 = m.route_refresh = m.enhanced_refresh = m.extended_message = true;
	m.as = 4200000000;
	there_and_back(&m);
	m.gr = m.gr_restarting = m.gr_notification = true;
	m.gr_restart_sec = 4095;
	m.gr_families[m.gr_family_count++] = (struct open_gr_family){{25, 70}, true};
	m.gr_families[m.gr_family_count++] = (struct open_gr_family){{1, 1}, false};
	m.llgr = true;
	m.llgr_families[m.llgr_family_count++] = (struct open_llgr_family){{25, 70}, true, 0xabcdef};
	m.llgr_families[m.llgr_family_count++] = (struct open_llgr_family){{1, 1}, false, 1};
	m.role = 1;
	m.add_path[m.add_path_count++] = (struct open_add_path){{25, 70}, 3};
	ck_assert_uint_le(there_and_back(&m), 29 + 255);
}
END_TEST

/* 255 octets in the old form, one capability more and it is the new one (RFC 9072). */
START_TEST(long_parameters)
{
	struct bgp_open m = {.as = 65000, .hold_sec = 90, .bgp_id = 1, .role = -1};
	size_t last = 29, jumps = 0;

	m.gr = true;
	for (m.gr_family_count = 0; m.gr_family_count < OPEN_MAX_FAMILIES; m.gr_family_count++)
		m.gr_families[m.gr_family_count] = (struct open_gr_family){{25, m.gr_family_count}, true};
	for (m.add_path_count = 0; m.add_path_count < OPEN_MAX_FAMILIES; m.add_path_count++)
		m.add_path[m.add_path_count] = (struct open_add_path){{25, m.add_path_count}, 1};
	for (int i = 0; i < OPEN_MAX_FAMILIES; i++) {
		m.families[m.family_count++] = (struct bgp_afi_safi){25, (uint8_t)i};
		size_t len = there_and_back(&m);
		ck_assert_uint_gt(len, last);
		if (i > 0 && len - last > 6) {
			ck_assert_uint_eq(len - last, 6 + 4);
			ck_assert_uint_le(last, 29 + 255);
			ck_assert_uint_gt(last, 29 + 255 - 6);
			jumps++;
		}
		last = len;
	}
	ck_assert_uint_eq(jumps, 1);
}
END_TEST

START_TEST(repetitions)
{
	/* Families are merged; the last graceful restart counts (of its flags those that mean something), the first AS,
	 * the first ADD-PATH mode. */
	struct octets o = octets_of(FIXED "54 0252 4707 001946 80 000e10 4707 001946 7f 000e11 010400190046 010400190046 010400010001 4002 8078"
					  " 4006 4064 00194680 4104 00011170 4104 00011171"
					  " 4504 00194601 4508 00194603 00010102 0200 0200 c800");
	struct bgp_open m;
	struct bgp_error err;

	ck_assert_int_eq(open_decode(o.p, o.len, &m, &err), 0);
	ck_assert_uint_eq(m.family_count, 2);
	ck_assert(m.gr && !m.gr_restarting && m.gr_notification);
	ck_assert_uint_eq(m.gr_restart_sec, 100);
	ck_assert_uint_eq(m.gr_family_count, 1);
	ck_assert(m.gr_families[0].forwarding);
	ck_assert_uint_eq(m.llgr_family_count, 1);
	ck_assert(!m.llgr_families[0].forwarding);
	ck_assert_uint_eq(m.llgr_families[0].stale_sec, 0xe11);
	ck_assert(m.as4);
	ck_assert_uint_eq(m.as, 70000);
	ck_assert_uint_eq(m.add_path_count, 2);
	ck_assert_uint_eq(m.add_path[0].mode, 1);
	ck_assert_int_eq(m.role, -1);
	free(o.p);
}
END_TEST

START_TEST(more_than_we_keep)
{
	uint8_t body[4000] = {4, 0xfd, 0xe8, 0, 90, 10, 0, 0, 1, 255, 255};
	struct writer w = writer_of(body + 11, sizeof(body) - 11);
	struct bgp_open m;
	struct bgp_error err;

	writer_u16(&w, 3 + 600 + 4 + 400);
	writer_u8(&w, 2);
	writer_u16(&w, 600 + 4 + 400);
	for (int i = 0; i < 100; i++) {
		writer_u16(&w, 0x0104);
		writer_u16(&w, (uint16_t)i);
		writer_u16(&w, 70);
	}
	for (int k = 0; k < 2; k++) {
		/* 50 of graceful restart and of ADD-PATH. */
		writer_u8(&w, k ? 69 : 64);
		writer_u8(&w, k ? 200 : 202);
		if (!k)
			writer_u16(&w, 0x0001);
		for (int i = 0; i < 50; i++) {
			writer_u16(&w, (uint16_t)i);
			writer_u16(&w, 0x4601);
		}
	}
	writer_u16(&w, 0x0200);
	writer_patch_u16(&w, 0, (uint16_t)(writer_len(&w) - 2));
	writer_patch_u16(&w, 3, (uint16_t)(writer_len(&w) - 5));
	ck_assert_int_eq(open_decode(body, 11 + writer_len(&w), &m, &err), 0);
	ck_assert_uint_eq(m.family_count, OPEN_MAX_FAMILIES);
	ck_assert_uint_eq(m.gr_family_count, OPEN_MAX_FAMILIES);
	ck_assert_uint_eq(m.add_path_count, OPEN_MAX_FAMILIES);
	ck_assert(m.route_refresh);
}
END_TEST

START_TEST(recorded)
{
	FILE *f = golden_open("frr844.txt");
	struct octets body;
	struct bgp_error err;
	struct bgp_open m;
	char type[16];
	int count = 0;

	ck_assert_ptr_nonnull(f);
	while (golden_next(f, type, &body)) {
		for (size_t cut = 0; strcmp(type, "OPEN") == 0 && cut <= body.len; cut++) {
			struct octets o = octets_cut(body.p, cut);
			int r = open_decode(o.p, cut, &m, &err);
			ck_assert_int_eq(r, cut == body.len ? 0 : -EBADMSG);
			free(o.p);
		}
		if (strcmp(type, "OPEN") == 0) {
			ck_assert_uint_eq(m.as, 65000);
			ck_assert_uint_eq(m.hold_sec, 30);
			ck_assert_uint_eq(m.bgp_id & 0xffffff00, 0x0a630000);
			ck_assert_uint_eq(m.family_count, 1);
			ck_assert_uint_eq(m.families[0].afi, 25);
			ck_assert_uint_eq(m.families[0].safi, 70);
			ck_assert(m.as4 && m.route_refresh && m.enhanced_refresh && m.extended_message);
			ck_assert(m.gr && m.gr_notification);
			ck_assert_uint_eq(m.gr_restart_sec, 120);
			ck_assert_uint_eq(m.add_path_count, 1);
			ck_assert_uint_eq(m.add_path[0].mode, 1);
			ck_assert_int_eq(m.role, -1);
			there_and_back(&m);
			count++;
		}
		free(body.p);
	}
	fclose(f);
	ck_assert_int_eq(count, 2);
}
END_TEST

CHECK_MAIN("open", {
	tcase_add_loop_test(t, opens, 0, ROWS_OF(rows));
	tcase_add_test(t, our_own);
	tcase_add_test(t, long_parameters);
	tcase_add_test(t, repetitions);
	tcase_add_test(t, more_than_we_keep);
	tcase_add_test(t, recorded);
})
