"""What quell promises of a peering LAN, shown on one: a route server, two quell PEs, one FRR PE, members with
kernel stacks, and 1.5 Mbit/s of noise.

Every LAN is asked at its end whether FRR ever sent a NOTIFICATION; it must not have.
"""
import statistics
import time

import pytest
import wire
from conftest import wait_until
from lab import ledger, measure
from lab.frr import FrrPE
from lab.quell import QuellPE, QuellRouteServer
from lab.topology import BRIDGE, VNI, VXLAN, Lab

pytestmark = pytest.mark.needs("frr", "quelld", "quell-agent", "quell", "lab/count", "lab/flood")
RATE, SECONDS = 1.5e6, 20
REQUESTS = 1000  # a second


class Lan:
    """The LAN of one test or module, converged, with names for its parts."""

    def __init__(self, build, members=3, idle=1, pe=QuellPE):
        self.lab = Lab([pe, pe, FrrPE], QuellRouteServer, members, idle, build=build)

    def __enter__(self):
        try:
            self.lab.raise_()
            self.pe1, self.pe2, self.pe3 = self.lab.pes
            self.frr = self.pe3.frr
            self.rs = self.lab.route_server
            start = time.monotonic()
            wait_until(self.lab.converged, 30, "every binding everywhere")
            self.converged_in = time.monotonic() - start
        except BaseException:
            self.logs()
            self.lab.close()
            raise
        return self

    def __exit__(self, kind, *exc):
        try:
            if kind:
                self.logs()
            assert sum(self.frr.notifications().values()) == 0, "FRR sent a NOTIFICATION"
        finally:
            self.lab.close()

    def logs(self):
        for path in sorted(self.lab.scope.dir.glob("*-quell*.log")) + sorted(self.lab.scope.dir.glob("*bgpd.log")):
            print(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}")

    def status(self, program):
        programs = self.pe1.box.show("status")["programs"]
        return next(p for p in programs if p["program"] == program)

    def at(self, pe, address):
        """Where a quell PE's agent has an address: "port", a VTEP, or None."""
        row = pe.bindings().get(address)
        return row["where"] if row else None


@pytest.fixture
def lan(build):
    with Lan(build) as made:
        yield made


@pytest.fixture(scope="module")
def quiet_lan(build):
    """For tests that leave the LAN as it was."""
    with Lan(build) as made:
        yield made


# --- the flood -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flooded(build):
    """Twenty seconds of noise from the members of every PE, all pairs pinging, and both sides of the books."""
    with Lan(build) as made:
        lab = made.lab
        counters = {m.name: measure.Counter(lab, m) for m in lab.everyone}
        books = ledger.Books(lab, counters)
        before = {name: c.read() for name, c in counters.items()}
        books.open()
        flood = measure.Flood(lab, lab.members, RATE, SECONDS)
        pings = measure.ping_all(lab, link_local=True)
        again = measure.ping_all(lab)
        pings_in_time = flood.running()
        sent = flood.wait()
        balance = books.close()
        arrived = {m.name: measure.minus(measure.arrived(counters[m.name].read()), measure.arrived(before[m.name]))
                   for m in lab.idle}
        yield {"lan": made, "sent": sent, "pings": [pings, again], "in_time": pings_in_time, "balance": balance,
               "arrived": arrived, "fabric": {pe.name: fabric(pe) for pe in (made.pe1, made.pe2)}}


def fabric(pe):
    """What came in from the other PEs, by outcome."""
    port = next(p for p in pe.box.show("ledger")["ports"] if p["name"] == VXLAN)
    out = {}
    for outcomes in port["in"].values():
        for outcome, (frames, _) in outcomes.items():
            out[outcome] = out.get(outcome, 0) + frames
    return out


def test_the_noise_was_offered(flooded, figures):
    assert flooded["sent"]["octets"] * 8 / SECONDS == pytest.approx(RATE, rel=0.02)
    assert all(flooded["sent"]["sent"].values())
    figures(f"offered for {SECONDS} s: {flooded['sent']['octets'] * 8 / SECONDS / 1e6:.2f} Mbit/s, "
            f"{flooded['sent']['frames'] / SECONDS:.0f} frames/s")


@pytest.mark.parametrize("idle", ["m14", "m24"])
def test_an_idle_port_of_a_quell_pe_receives_nothing(flooded, idle, figures):
    assert flooded["arrived"][idle] == {}
    figures(f"idle port of {idle}: 0 frames")


def test_the_frr_pe_did_send_its_noise_to_the_quell_pes(flooded):
    """Else the zero above would prove nothing about the fabric side."""
    for outcomes in flooded["fabric"].values():
        assert outcomes.get("unknown-target", 0) > 1000
        assert outcomes.get("hygiene", 0) > 100


def test_all_pairs_ping_during_the_flood(flooded, figures):
    for pings in flooded["pings"]:
        assert not pings.failed
    assert flooded["in_time"]
    figures(f"pings during the flood, caches flushed: {sum(p.ok for p in flooded['pings'])} of "
            f"{sum(p.tried for p in flooded['pings'])}")


def test_the_ledger_balances_with_the_members_side(flooded, figures):
    assert not flooded["balance"]["wrong"]
    ports = flooded["balance"]["ports"]
    assert all(p["in"] == p["answered"] + p["dropped"] + p["policed"] + p["went_on"] for p in ports)
    figures(f"ledger of {len(ports)} ports: {sum(p['in'] for p in ports)} frames in, "
            f"{sum(p['out'] for p in ports)} out, to the frame what the members counted")


# --- other ways to run it --------------------------------------------------------------------------------------


class Learning(QuellPE):
    agent_options = {"unregistered-ports": "learn"}


class Accelerated(QuellPE):
    agent_options = {"accelerate": "xdp"}


class Packet(QuellPE):
    options = {"plane": "packet"}


class PolicedIn(QuellPE):
    agent_options = {"unknown-target": "police", "police": "{in: 20 kbit, out: 0}"}


class PolicedOut(QuellPE):
    agent_options = {"unknown-target": "flood", "police": "{in: 0, out: 50 kbit}"}


WAYS = {
    # what an idle port may receive in bit/s, and what the plane does not see
    "xdp": (Accelerated, 0, ()),
    "packet plane": (Packet, 0, ("ipv4", "ipv6")),
    "unknown targets policed in": (PolicedIn, None, ()),
    "unknown targets flood, policed out": (PolicedOut, 50e3, ()),
}


@pytest.mark.parametrize("way", WAYS)
def test_other_ways_to_run_it(build, way, figures):
    pe, limit, unseen = WAYS[way]
    seconds = 5
    with Lan(build, pe=pe) as made:
        lab = made.lab
        counters = {m.name: measure.Counter(lab, m) for m in lab.everyone}
        books = ledger.Books(lab, counters, unseen)
        before = {c: c.read() for c in counters.values()}
        books.open()
        flood = measure.Flood(lab, lab.members, RATE, seconds)
        pings = measure.ping_all(lab)
        flood.wait()
        balance = books.close()
        idle = measure.arrivals([counters[m.name] for m in lab.idle if m.pe is not made.pe3], before, seconds)
        said = measure.AskRate(lab, lab.member("m11"), REQUESTS, 1).wait()
    bits = sum(b for _, b in idle.rates.values())
    figures(f"{way}: idle port {bits / 1e3:.1f} kbit/s, {pings.ok} of {pings.tried} pings, "
            f"{said['unanswered']} of {said['asked']} requests unanswered")
    assert not pings.failed
    assert not balance["wrong"]
    assert said["unanswered"] == 0 and said["surplus"] == 0
    if limit == 0:
        assert idle.classes == {}
    elif limit:
        # The bucket begins full; its burst is spread over a short flood.
        assert 0 < bits < 1.5 * limit
    else:
        assert sum(p["policed"] for p in balance["ports"]) > 1000


# --- quell and FRR -----------------------------------------------------------------------------------------------


def test_frr_has_the_bindings_of_quells_members(quiet_lan):
    lan = quiet_lan
    routes = lan.frr.vtysh("show bgp l2vpn evpn route type macip")
    macs = lan.frr.json(f"show evpn mac vni {VNI}")["macs"]
    cache = lan.frr.json(f"show evpn arp-cache vni {VNI}")
    fdb = {e["mac"]: e for e in lan.pe3.ns.bridge_json("fdb", "show", "dev", VXLAN) if "dst" in e}
    neighbors = {n["dst"]: n for n in lan.pe3.ns.ip_json("neigh", "show", "dev", BRIDGE)}
    for m in lan.pe1.members + lan.pe2.members:
        assert macs[m.mac]["type"] == "remote" and macs[m.mac]["remoteVtep"] == m.pe.vtep
        assert fdb[m.mac]["dst"] == m.pe.vtep
        for a in m.addresses:
            assert f"[{m.mac}]:[{128 if ':' in a else 32}]:[{a}]" in routes
            assert cache[a]["mac"] == m.mac and cache[a]["remoteVtep"] == m.pe.vtep
            assert neighbors[a]["lladdr"] == m.mac
    flood = [e["dst"] for e in lan.pe3.ns.bridge_json("fdb", "show", "dev", VXLAN)
             if e["mac"] == "00:00:00:00:00:00"]
    assert sorted(flood) == [lan.pe1.vtep, lan.pe2.vtep]


def asked(lab, member, targets, n=200):
    """Asks for targets; returns what it said and whether a request reached any of them."""
    counters = [measure.Counter(lab, t) for t in targets]
    said = measure.AskRate(lab, member, REQUESTS, n / REQUESTS, targets).wait()
    reached = sum(c.stop()["group"].get(cls, [0])[0] for c in counters for cls in ("arp-request", "ns"))
    return said, reached


@pytest.mark.parametrize("asker, owner", [("pe1", "pe1"), ("pe1", "pe2"), ("pe1", "pe3"), ("pe3", "pe1")])
def test_requests_are_answered_and_go_nowhere(quiet_lan, asker, owner):
    """Of the own PE, another quell PE, the FRR PE; and FRR for quell's members."""
    lab = quiet_lan.lab
    a, o = (next(pe for pe in lab.pes if pe.name == n) for n in (asker, owner))
    targets = [m for m in o.members if m.name != f"m{a.number}1"]
    said, reached = asked(lab, a.members[0], targets)
    assert said["unanswered"] == 0 and said["answered"] == said["asked"] == 200
    assert said["surplus"] == 0
    assert reached == 0


@pytest.mark.parametrize("dark", [True, False], ids=["port down", "port stays up"])
def test_a_member_moves_to_the_frr_pe_and_back(lan, dark, figures):
    m, others = lan.lab.member("m11"), [lan.lab.member(n) for n in ("m12", "m21", "m31")]

    def everybody_reaches_it():
        return not any(o.ns.run("sh", "-c", f"ip neigh flush dev eth0; ping -nqc1 -W1 {a} >/dev/null || echo no")
                       for o in others for a in (m.ip4, m.ip6))

    assert everybody_reaches_it()
    start = time.monotonic()
    lan.lab.move(m, lan.pe3, "swp9", dark)
    lan.pe3.binding(m, True)
    wait_until(lambda: all(lan.at(pe, a) == lan.pe3.vtep for pe in (lan.pe1, lan.pe2) for a in (m.ip4, m.ip6)),
               20, "the quell PEs have it at the FRR PE")
    away = time.monotonic() - start
    wait_until(everybody_reaches_it, 20, "all reach it at the FRR PE")
    there = lan.frr.json(f"show evpn mac vni {VNI}")["macs"][m.mac]
    assert there["type"] == "local"

    start = time.monotonic()
    lan.lab.move(m, lan.pe1, "swp1", dark)

    def is_back():
        m.ns.run("ping", "-nqc1", "-W1", others[1].ip4, check=False)
        return all(lan.at(pe, a) == where for pe, where in ((lan.pe1, "port"), (lan.pe2, lan.pe1.vtep))
                   for a in (m.ip4, m.ip6))

    wait_until(is_back, 20, "the quell PEs have it back")
    wait_until(lambda: lan.frr.json(f"show evpn mac vni {VNI}")["macs"].get(m.mac, {}).get("remoteVtep") ==
               lan.pe1.vtep, 20, "FRR has it at PE1")
    back = time.monotonic() - start
    wait_until(everybody_reaches_it, 20, "all reach it at home")
    fdb = [e for e in lan.pe3.ns.bridge_json("fdb", "show", "dev", VXLAN) if e["mac"] == m.mac and "dst" in e]
    assert [e["dst"] for e in fdb] == [lan.pe1.vtep]
    figures(f"member moves to the FRR PE ({'port down' if dark else 'old port up'}): {away * 1e3:.0f} ms, back: "
            f"{back * 1e3:.0f} ms, observed through `quell show` and vtysh")


# --- speed ---------------------------------------------------------------------------------------------------------


def test_a_new_binding_is_answered_on_the_other_pe_within_10_ms(build, figures):
    """From the gratuitous ARP at PE1 to the answer at PE2, through the route server. The new addresses come from a
    router that the registry does not know, at a port without an entry, in a LAN that learns there."""
    with Lan(build, pe=Learning) as lan:
        median = round_trips(lan, figures)
    assert median < 10


def round_trips(lan, figures):
    lab = lan.lab
    stranger = lab.scope.netns("stranger")
    lab.scope.veth(lan.pe1.ns, "swp8", stranger, "eth0")
    lan.pe1.plug_port("swp8")
    mac = "02:00:5e:00:77:01"
    stranger.ip(f"link set eth0 address {mac}", "link set eth0 up")
    asker = lab.member("m21")
    took = []
    with wire.Port(stranger) as there, wire.Port(asker.ns) as here:
        def round_trip(ip, limit):
            start = time.monotonic()
            there.send(wire.garp(mac, ip))
            question, answer = wire.who_has(asker.mac, asker.ip4, ip), wire.is_arp_reply(ip, mac)
            while time.monotonic() - start < limit:
                here.send(question)
                if here.await_frame(answer, 0.0003):
                    return time.monotonic() - start
            return None

        wait_until(lambda: round_trip("198.18.6.1", 1), 20, "the agent has taken the new port")
        for i in range(15):
            took.append(round_trip(f"198.18.6.{10 + i}", 5))
            assert took[-1], "not answered within 5 s"
    median = statistics.median(took) * 1e3
    figures(f"new binding at PE1 answered at PE2: median {median:.2f} ms, worst {max(took) * 1e3:.2f} ms of 15")
    return median


# --- faults --------------------------------------------------------------------------------------------------------


VICTIMS = {
    # whom to kill, and how each is started again
    "agent": lambda lan: [(lan.pe1.box.agent, lan.pe1.box.start_agent)],
    "quelld of the PE": lambda lan: [(lan.pe1.box.quelld, lan.pe1.box.start_quelld)],
    "agent and quelld of the PE": lambda lan: [(lan.pe1.box.agent, lan.pe1.box.start_agent),
                                               (lan.pe1.box.quelld, lan.pe1.box.start_quelld)],
    "quelld of the route server": lambda lan: [(lan.rs.box.quelld, lan.rs.box.start_quelld)],
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_during_the_flood_no_request_goes_unanswered(lan, victim, figures):
    lab = lan.lab
    idle = [measure.Counter(lab, m) for m in lab.idle if m.pe is not lan.pe3]
    flood = measure.Flood(lab, lab.members, RATE, 9)
    ask = measure.AskRate(lab, lab.member("m12"), REQUESTS, 8)
    time.sleep(1.5)
    victims = VICTIMS[victim](lan)
    for process, _ in victims:
        process.kill()
        lab.scope.forget(process)
    time.sleep(2)
    for _, restart in victims:
        restart()
    said = ask.wait()
    flood.wait()
    figures(f"SIGKILL of {victim}: {said['asked']} requests at {REQUESTS}/s, {said['unanswered']} unanswered, "
            f"worst gap {said['worst_gap_ms']:.1f} ms")
    assert said["asked"] == 8 * REQUESTS
    assert said["unanswered"] == 0
    for c in idle:
        assert measure.arrived(c.stop()) == {}
    wait_until(lab.converged, 30, "all bindings after the restart")
    if victim.startswith("agent"):
        assert lan.status("quell-agent")["adopted"], "the pinned maps were not taken over"
    assert not measure.ping_all(lab).failed


def test_what_changed_while_the_agent_was_dead_is_reconciled(lan):
    """The pinned maps go on answering for one that left in the meantime; the next start takes it out, and one that came
    is in."""
    lab, gone, stays = lan.lab, lan.lab.member("m32"), lan.lab.member("m31")
    lan.pe3.binding(gone, False)
    wait_until(lambda: gone.ip4 not in lan.pe1.bindings(), 10, "it is not there yet")
    lan.pe3.binding(gone, True)
    wait_until(lambda: gone.ip4 in lan.pe1.bindings(), 10, "it is there")
    agent = lan.pe1.box.agent
    agent.kill()
    lab.scope.forget(agent)
    lan.pe3.binding(gone, False)
    wait_until(lambda: gone.ip4 not in lan.pe2.bindings(), 10, "the other PE knows that it left")
    asker = lab.member("m11")
    said = measure.AskRate(lab, asker, 200, 0.5, [gone, stays]).wait()
    assert said["unanswered"] == 0, "dead, it answers as before"
    lan.pe1.box.start_agent()
    wait_until(lambda: stays.ip4 in lan.pe1.bindings() and gone.ip4 not in lan.pe1.bindings(), 10, "reconciled")
    assert measure.AskRate(lab, asker, 200, 0.5, [gone]).wait()["answered"] == 0
    assert measure.AskRate(lab, asker, 200, 0.5, [stays]).wait()["unanswered"] == 0
    lan.pe3.binding(gone, True)
    wait_until(lambda: gone.ip4 in lan.pe1.bindings(), 10, "it comes again")


def test_two_labs_with_quell_at_once(build):
    with Lan(build, members=1) as one, Lan(build, members=1) as two:
        for lan in (one, two):
            assert not measure.ping_all(lan.lab).failed


def test_a_clean_stop_says_cease_and_the_ports_go_on_answering(lan):
    """An upgrade: the route server hears why the session ends, and members of the stopped PE notice nothing."""
    lab = lan.lab
    assert lan.pe2.box.quelld.stop() == 0
    assert lan.pe2.box.agent.stop() == 0
    wait_until(lambda: {n["address"]: n["state"].lower() for n in lan.rs.box.show("neighbors")["neighbors"]}
               [lan.pe2.vtep] != "established", 5, "the session has ended")
    assert "Cease" in lan.rs.box.quelld.said()
    said = measure.AskRate(lab, lab.member("m21"), REQUESTS, 1).wait()
    assert said["unanswered"] == 0
    lan.pe2.box.start_quelld()
    lan.pe2.box.start_agent()
    wait_until(lab.converged, 30, "all is back")
    assert not measure.ping_all(lab).failed
