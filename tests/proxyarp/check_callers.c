#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxyarp/callers.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	ck_assert_int_eq(ip_parse(text, &ip), 0);
	return ip;
}

static void tell(struct callers *c, enum layout_event_type type, uint32_t port, uint8_t mac, const char *target, uint8_t flags,
	uint64_t now_ms)
{
	struct ip ip = ip_of(target);
	struct layout_event e = {.type = (uint8_t)type, .ifindex = port, .family = ip.family, .flags = flags, .mac = {2, 0, 0, 0, 0, mac}};

	memcpy(e.ip, ip.b, 16);
	callers_event(c, &e, now_ms);
}

struct seen {
	struct caller rows[64];
	size_t count;
};

static void collect(void *arg, const struct caller *row)
{
	struct seen *s = arg;

	ck_assert_uint_lt(s->count, 64);
	s->rows[s->count++] = *row;
}

static struct seen all(const struct callers *c)
{
	struct seen s = {.count = 0};

	callers_each(c, collect, &s);
	return s;
}

static const struct caller *row_of(const struct seen *s, uint32_t port, uint8_t mac, const char *target)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].ifindex == port && s->rows[i].mac.b[5] == mac && ip_eq(s->rows[i].target, ip_of(target)))
			return &s->rows[i];
	return NULL;
}

START_TEST(counts)
{
	struct callers *c = callers_new(64);

	tell(c, EVENT_QUERY, 1, 1, "198.18.0.9", 0, 1000);
	tell(c, EVENT_QUERY, 1, 1, "198.18.0.9", 0, 2000);
	tell(c, EVENT_TRAP, 1, 1, "198.18.0.9", EVENT_TRAP_SYN, 3000);
	tell(c, EVENT_TRAP, 1, 1, "198.18.0.9", 0, 4000);
	tell(c, EVENT_QUERY, 1, 1, "2001:db8::9", 0, 5000);
	tell(c, EVENT_QUERY, 2, 1, "198.18.0.9", 0, 6000);
	tell(c, EVENT_QUERY, 1, 2, "198.18.0.9", 0, 7000);
	/* Not theirs: life, and frames of no address. */
	tell(c, EVENT_PROBE, 1, 3, "198.18.0.9", 0, 8000);
	tell(c, EVENT_BINDING, 1, 3, "198.18.0.9", 0, 8000);
	struct layout_event none = {.type = EVENT_TRAP, .ifindex = 1};
	callers_event(c, &none, 8000);
	struct seen s = all(c);
	ck_assert_uint_eq(s.count, 4);
	const struct caller *r = row_of(&s, 1, 1, "198.18.0.9");
	ck_assert(r && r->arp == 2 && r->ns == 0 && r->syn == 1 && r->data == 1 && r->first_ms == 1000 && r->last_ms == 4000);
	r = row_of(&s, 1, 1, "2001:db8::9");
	ck_assert(r && r->arp == 0 && r->ns == 1);
	ck_assert(row_of(&s, 2, 1, "198.18.0.9") && row_of(&s, 1, 2, "198.18.0.9"));
	callers_expire(c, 5000);
	s = all(c);
	ck_assert_uint_eq(s.count, 3);
	ck_assert_ptr_null(row_of(&s, 1, 1, "198.18.0.9"));
	callers_free(c);
}
END_TEST

/* However much one port calls, the others' rows stay; its own latest stay. When all is full, who has the most pays. */
START_TEST(shares)
{
	struct callers *c = callers_new(16);
	struct callers_stats st;
	char target[32];

	tell(c, EVENT_QUERY, 2, 1, "198.18.0.9", 0, 1);
	for (int i = 0; i < 10000; i++) {
		snprintf(target, sizeof(target), "2001:db8::%x", i);
		tell(c, EVENT_QUERY, 1, (uint8_t)i, target, 0, 2);
		if (i % 3 == 0)
			tell(c, EVENT_QUERY, 1, 0, "2001:db8::", 0, 2);
	}
	struct seen s = all(c);
	ck_assert_uint_eq(s.count, 5);
	ck_assert(row_of(&s, 2, 1, "198.18.0.9") && row_of(&s, 1, (uint8_t)9999, "2001:db8::270f"));
	ck_assert(row_of(&s, 1, 0, "2001:db8::")); /* used, and so not the oldest */
	for (uint32_t port = 3; port < 10; port++)
		for (int i = 0; i < 8; i++) {
			snprintf(target, sizeof(target), "2001:db8::%x", i);
			tell(c, EVENT_QUERY, port, 1, target, 0, 3);
			callers_stats(c, &st);
			ck_assert_uint_le(st.rows, 16);
		}
	s = all(c);
	ck_assert(row_of(&s, 2, 1, "198.18.0.9"));
	callers_expire(c, 4);
	callers_stats(c, &st);
	ck_assert_uint_eq(st.rows, 0);
	callers_free(c);
	callers_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("callers");
	TCase *c = tcase_create("callers");

	tcase_add_test(c, counts);
	tcase_add_test(c, shares);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
