/* The comparison of one frame: see diff.h. */
#define _GNU_SOURCE /* unshare, CPU_SET */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "proxyarp/linux/bpf.h"
#include "proxyarp/linux/bpf_scratch.h"
#include "proxyarp/verdict.h"
#include "tests/bpf/diff.h"

const uint32_t diff_ports[DIFF_PORTS] = {10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
	30, 31, 99};
struct plane *diff_plane;
struct tables diff_tables;

#define LOST_MAX 16 /* counts, see would_says() */

static char dir[] = "/tmp/quell-diff-XXXXXX";
/* What the counters must say: frames of [slot][dir][class][outcome]. */
static struct layout_counter ledger[32][DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT],
	would[32][DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

__attribute__((format(printf, 1, 2))) static _Noreturn void diff_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	diff_close();
	abort();
}

static void must(bool holds)
{
	if (!holds)
		diff_fail("%s", strerror(errno));
}

static int program(uint32_t kind, enum frame_dir way)
{
	struct bpf_program *p = kind == PORT_UNDERLAY ? diff_plane->skel->progs.quell_underlay_in
				: kind == PORT_FABRIC ? way == DIR_IN
								? diff_plane->skel->progs.quell_fabric_in
								: diff_plane->skel->progs.quell_fabric_out
				: way == DIR_IN	      ? diff_plane->skel->progs.quell_member_in
						      : diff_plane->skel->progs.quell_member_out;

	return bpf_program__fd(p);
}

static void hex(const char *what, const uint8_t *b, size_t len)
{
	fprintf(stderr, "  %-8s", what);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x%s", b[i], i == 13 || i == 53 ? " " : "");
	fprintf(stderr, "\n");
}

struct said {
	int action;
	uint32_t mark, cls, outcome, would;
	uint8_t out[2048];
	size_t len;
	struct bpf_frame seen;
};

static void add(struct layout_counter *c, uint64_t octets)
{
	c->frames++;
	c->octets += octets;
}

static bool row_says(const struct layout_counter *per_cpu, size_t stride, const struct layout_counter *want)
{
	struct layout_counter sum = {0, 0};

	for (size_t c = 0; c < (size_t)libbpf_num_possible_cpus(); c++) {
		sum.frames += per_cpu[c * stride].frames;
		sum.octets += per_cpu[c * stride].octets;
	}
	return sum.frames == want->frames && sum.octets == want->octets;
}

/* Whether `would` has it, too. The kernel makes rows as they are wanted, and may for a moment have no memory for one that is
 * new: then that one count is lost. */
static bool would_says(const struct layout_port *port, enum frame_dir way, const struct verdict *v, size_t octets)
{
	static struct layout_counter row[64];
	static int lost;
	struct layout_would_key k = {port->slot, (uint8_t)way, (uint8_t)v->cls, (uint8_t)v->would, 0};
	struct layout_counter *l = &would[port->slot][way][v->cls][v->would];

	add(l, octets);
	if (bpf_map_lookup_elem(bpf_map__fd(diff_plane->skel->maps.would), &k, row) == 0)
		return row_says(row, 1, l);
	if (l->frames != 1 || ++lost > LOST_MAX)
		return false;
	fprintf(stderr, "no memory for a row of `would`: one count lost\n");
	*l = (struct layout_counter){0, 0};
	return true;
}

/* The class from scratch, the outcome from the counter that rose. Of what is not counted, nothing. */
static void see(const struct verdict_input *in, enum frame_dir way, const struct layout_port *port,
	const struct verdict *want, struct said *s)
{
	static struct bpf_frame per_cpu[64];
	static struct layout_counter rows[64][OUTCOME_COUNT];
	uint32_t zero = 0;

	must(!bpf_map_lookup_elem(bpf_map__fd(diff_plane->skel->maps.scratch), &zero, per_cpu));
	s->seen = per_cpu[0];
	s->cls = s->seen.cls;
	s->outcome = s->would = OUTCOME_COUNT;
	if (!port)
		return;
	uint32_t row = COUNTER_INDEX(port->slot, (uint32_t)way, want->cls, 0) / OUTCOME_COUNT;
	struct layout_counter *l = &ledger[port->slot][way][want->cls][want->outcome];

	must(!bpf_map_lookup_elem(bpf_map__fd(diff_plane->skel->maps.counters), &row, rows));
	add(l, in->len);
	if (row_says(&rows[0][want->outcome], OUTCOME_COUNT, l))
		s->outcome = want->outcome;
	if (!want->has_would)
		return;
	if (would_says(port, way, want, in->len))
		s->would = want->would;
}

static const char *tells(const struct bpf_tell *t, bool has, const struct layout_event *e)
{
	if (t->type != (has ? e->type : 0))
		return "event";
	if (!has)
		return NULL;
	if (t->family != e->family || memcmp(t->ip, e->ip, 16))
		return "event's address";
	return t->flags != e->flags ? "event's flags" : t->rule != e->rule ? "event's rule" : NULL;
}

/* What leaves: the frame as it was, its answer, or the frame for one owner. */
static bool left_as_said(const struct verdict_input *in, const struct verdict *v, const struct said *s)
{
	if (v->answer_len)
		return s->len == v->answer_len && !memcmp(s->out, v->answer, s->len);
	return s->len == in->len &&
	       !memcmp(s->out, v->outcome == OUTCOME_UNICAST_FORWARDED ? v->dst : in->frame, 6) &&
	       !memcmp(s->out + 6, in->frame + 6, s->len - 6);
}

static uint32_t mark_after(const struct verdict_input *in, const struct layout_port *port, const struct verdict *v)
{
	uint32_t ours = in->mark & MARK_MASK;

	if (v->answer_len)
		return MARK_ANSWER;
	if (v->set_mark)
		return v->set_mark;
	return port->kind != PORT_UNDERLAY &&
			       (ours == MARK_ANSWER || ours == MARK_FLOOD || ours == MARK_PROBE)
		       ? 0
		       : in->mark;
}

static const char *differs(const struct verdict_input *in, enum frame_dir way,
	const struct layout_port *port, const struct verdict *v, const struct said *s)
{
	int action = v->answer_len ? TC_ACT_REDIRECT : v->pass ? TC_ACT_UNSPEC : TC_ACT_SHOT;
	const char *what;

	if (s->action != action)
		return "action";
	if (!port)
		return NULL;
	if (s->cls != v->cls)
		return "class";
	if (s->outcome != v->outcome)
		return "outcome";
	if (s->would != (v->has_would ? v->would : OUTCOME_COUNT))
		return "what it would have been";
	if (!left_as_said(in, v, s))
		return "what leaves";
	if (way == DIR_IN && (v->pass || v->answer_len) && s->mark != mark_after(in, port, v))
		return "mark";
	if (way == DIR_OUT || port->kind == PORT_UNDERLAY)
		return NULL;
	what = tells(&s->seen.tell, v->has_event, &v->event);
	return what ? what : tells(&s->seen.ask, v->has_ask, &v->ask);
}

/* What the programs do at the first frame of a MAC whose port was down, and do with no other. */
static void seen_up(const struct frame_made *m, const struct layout_port *port, uint32_t ifindex)
{
	struct layout_mac_key k = {.lan = port ? port->lan : 0};
	const struct layout_mac *was = port ? tables_mac(&diff_tables, port->lan, m->b + 6) : NULL;
	struct layout_mac now;

	if (!was || !(was->flags & MAC_DOWN))
		return;
	memcpy(k.mac, m->b + 6, 6);
	must(!bpf_map_lookup_elem(bpf_map__fd(diff_plane->skel->maps.macs), &k, &now));
	if (now.flags & MAC_DOWN)
		return;
	must(was->ifindex == ifindex && port->kind == PORT_MEMBER && !(port->flags & PORT_QUARANTINE));
	tables_mac_set(&diff_tables, &k, &now);
}

void diff_compare(const struct frame_made *m, uint32_t ifindex, enum frame_dir way, uint32_t mark)
{
	struct __sk_buff ctx = {.ifindex = ifindex, .mark = mark}, ctx_out = {0};
	const struct layout_port *port = tables_port(&diff_tables, ifindex), *counted;
	struct verdict_input in = {.frame = m->b, .len = m->len, .mark = mark, .ifindex = ifindex};
	struct verdict v;
	struct said s = {0};
	const char *what;

	if (way == DIR_OUT && port && port->kind == PORT_UNDERLAY)
		return; /* there is no program */
	(way == DIR_IN ? verdict_in : verdict_out)(&diff_tables, &in, &v);
	counted = v.outcome == OUTCOME_ERROR ? NULL : port;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = m->b, .data_size_in = (uint32_t)m->len,
		.data_out = s.out, .data_size_out = sizeof s.out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .ctx_out = &ctx_out, .ctx_size_out = sizeof ctx_out,
		.repeat = 1);
	int err = bpf_prog_test_run_opts(program(port ? port->kind : PORT_MEMBER, way), &run);
	if (err)
		diff_fail("test run of %zu octets on %u: %s", m->len, ifindex, strerror(-err));
	s.action = (int)run.retval;
	s.len = run.data_size_out;
	s.mark = ctx_out.mark;
	see(&in, way, counted, &v, &s);
	what = differs(&in, way, counted, &v, &s);
	seen_up(m, port, ifindex);
	if (!what)
		return;
	fprintf(stderr, "%s differs: port %u, %s, mark %x\n", what, ifindex, way ? "out" : "in",
		mark);
	hex("frame", m->b, m->len);
	fprintf(stderr, "  C:   %s %s, would %s, pass %d, mark %x, event %d rule %d flags %x, ask %d flags %x\n",
		class_name(v.cls), outcome_name(v.outcome), v.has_would ? outcome_name(v.would) : "-", v.pass,
		v.set_mark, v.has_event ? v.event.type : 0, v.event.rule, v.event.flags,
		v.has_ask ? v.ask.type : 0, v.ask.flags);
	hex("answer", v.answer, v.answer_len);
	fprintf(stderr, "  BPF: %s %s, would %s, action %d, mark %x, event %u rule %u flags %x, ask %u flags %x\n",
		class_name(s.cls), s.outcome == OUTCOME_COUNT ? "(another)" : outcome_name(s.outcome),
		s.would == OUTCOME_COUNT ? "-" : outcome_name(s.would), s.action, s.mark, s.seen.tell.type,
		s.seen.tell.rule, s.seen.tell.flags, s.seen.ask.type, s.seen.ask.flags);
	if (port)
		fprintf(stderr, "  port: kind %u, flags %x, rules %llx, unknown %u, options %u, flood %llx\n", port->kind,
			port->flags, (unsigned long long)port->rules, port->unknown_target, port->ns_option,
			(unsigned long long)port->flood_classes);
	hex("answer", s.out, s.len);
	diff_fail("the verdicts differ: %s", what);
}

/* The XDP program: what it answers, it answers as the verdict says; all else it passes untouched. */
void diff_compare_xdp(const struct frame_made *m, uint32_t ifindex)
{
	struct xdp_md ctx = {.ingress_ifindex = ifindex, .data_end = (uint32_t)m->len};
	const struct layout_port *port = tables_port(&diff_tables, ifindex);
	struct verdict_input in = {.frame = m->b, .len = m->len, .ifindex = ifindex};
	uint8_t out[2048];
	struct verdict v;
	bool answered;

	verdict_in(&diff_tables, &in, &v);
	answered = v.answer_len;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = m->b, .data_size_in = (uint32_t)m->len,
		.data_out = out, .data_size_out = sizeof out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	must(!bpf_prog_test_run_opts(bpf_program__fd(diff_plane->skel->progs.quell_member_xdp), &run));
	seen_up(m, port, ifindex);
	bool same =
		answered ? run.data_size_out == v.answer_len && !memcmp(out, v.answer, v.answer_len)
			 : run.data_size_out == m->len && !memcmp(out, m->b, m->len);
	if (run.retval != (answered ? XDP_TX : XDP_PASS) || !same) {
		hex("frame", m->b, m->len);
		hex("XDP", out, run.data_size_out);
		diff_fail("XDP on port %u says %u of %s %s", ifindex, run.retval,
			class_name(v.cls), outcome_name(v.outcome));
	}
	if (answered) {
		enum frame_class c = frame_classify(out, run.data_size_out, false);
		add(&ledger[port->slot][DIR_IN][v.cls][v.outcome], m->len);
		add(&ledger[port->slot][DIR_OUT][c][OUTCOME_ANSWER], v.answer_len);
		must(!v.has_would || would_says(port, DIR_IN, &v, m->len));
	}
}

bool diff_is_member(uint32_t ifindex)
{
	const struct layout_port *port = tables_port(&diff_tables, ifindex);

	return port && port->kind == PORT_MEMBER;
}

/* No test run is given less than a whole header. */
bool diff_can_run(const struct frame_made *m)
{
	uint32_t type = m->len < 15 ? 0 : (uint32_t)m->b[12] << 8 | m->b[13];

	return m->len >= (type == 0x0800 ? 34 : type == 0x86dd ? 54 : 15);
}

/* --- all that was counted --- */

static void take_would(void *arg, enum frame_dir way, enum frame_class cls, enum frame_outcome o,
	const struct layout_counter *c)
{
	struct layout_counter(*got)[CLASS_COUNT][OUTCOME_COUNT] = arg;

	got[way][cls][o] = *c;
}

/* Nothing was counted but what compare() expected. */
void diff_ledger(void)
{
	static struct layout_counter got[DIR_COUNT][CLASS_COUNT][OUTCOME_COUNT];

	for (size_t i = 0; i < DIFF_PORTS; i++) {
		const struct layout_port *port = tables_port(&diff_tables, diff_ports[i]);

		if (!port)
			continue;
		must(!plane_bpf.counters(diff_plane, port->slot, got));
		must(!memcmp(got, ledger[port->slot], sizeof got));
		memset(got, 0, sizeof got);
		must(!plane_bpf.would_each(diff_plane, port->slot, take_would, got));
		must(!memcmp(got, would[port->slot], sizeof got));
	}
}

/* --- set-up --- */

static void fill(void)
{
	const struct table_bind4 *b4;
	const struct table_bind6 *b6;
	const struct table_mac *m;
	const struct table_port *p;
	const struct table_vtep *t;

	hmap_foreach (&diff_tables.vteps, t)
		plane_bpf.vtep_set(diff_plane, &t->k);
	hmap_foreach (&diff_tables.bind4, b4)
		plane_bpf.bind4_set(diff_plane, &b4->k, &b4->v);
	hmap_foreach (&diff_tables.bind6, b6)
		plane_bpf.bind6_set(diff_plane, &b6->k, &b6->v);
	hmap_foreach (&diff_tables.macs, m)
		plane_bpf.mac_set(diff_plane, &m->k, &m->v);
	hmap_foreach (&diff_tables.ports, p)
		plane_bpf.port_set(diff_plane, p->ifindex, &p->v);
}

/* Ports are veth ends with the indices of world.h, since a test run wants an interface for its frame. */
static int interfaces(void)
{
	FILE *ip = popen("ip -batch - 2>&1", "w");

	if (!ip)
		return -1;
	for (size_t i = 0; i < DIFF_PORTS; i++) {
		uint32_t n = diff_ports[i];
		fprintf(ip, "link add name m%u index %u type veth peer name p%u index %u\n", n, n,
			n, n + 100);
		fprintf(ip, "link set m%u addrgenmode none up\nlink set p%u addrgenmode none up\n",
			n, n);
	}
	return pclose(ip);
}

int diff_open(void)
{
	static const struct plane_limits limits = {64, 64, 64, 512, 16}; /* ports: for the rows of `would` */
	cpu_set_t one;
	bool adopted;
	int err;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof one, &one) || !mkdtemp(dir) || interfaces())
		return -EIO;
	err = plane_bpf.open(dir, &limits, &diff_plane, &adopted);
	if (err)
		return err;
	world_init(&diff_tables);
	fill();
	/* A veth has the receive queue that an XDP test run wants only while a program is there. */
	for (size_t i = 0; i < DIFF_PORTS && !err; i++)
		err = bpf_xdp_attach((int)diff_ports[i],
			bpf_program__fd(diff_plane->skel->progs.quell_member_xdp), XDP_FLAGS_DRV_MODE,
			NULL);
	return err;
}

void diff_close(void)
{
	if (diff_plane)
		plane_bpf.close(diff_plane, false);
	diff_plane = NULL;
	tables_free(&diff_tables);
	rmdir(dir);
}
