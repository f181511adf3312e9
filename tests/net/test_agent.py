"""quell-agent on a real kernel, with a quelld of straw: what it says, what it believes, what it does to the box."""
import statistics
import time

import pytest
import wire
from agent_box import MACS, OTHER, Agent, entry, ip4, ip6
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent")
PLANES = "bpf", "packet"
FAR = "02:00:5e:00:0f:01"


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build)
    yield a
    a.close()


@pytest.fixture
def up(box):
    """Started, with a feed that has had its say: box.straw."""
    return box.begin()


def far_mac(mac=FAR, seq=0, vtep=OTHER, **more):
    return {"op": "mac", "lan": "ixp", "mac": mac, "vtep": vtep, "seq": seq, "sticky": False, "stale": False, **more}


def far_bind(ip, mac=FAR, **more):
    return {"op": "bind", "lan": "ixp", "ip": ip, "mac": mac, "vtep": OTHER, "router": True, "override": True,
            "immutable": True, "stale": False, **more}


# --- the feed ------------------------------------------------------------------------------------------------------


def test_its_snapshot_says_what_is_registered(box):
    straw = box.feed()
    box.start()
    said = straw.accept().snapshot()
    assert set(said) == {(MACS[n], ip) for n in (1, 2) for ip in (None, ip4(n), ip6(n))}
    for (_, ip), line in said.items():
        assert line["lan"] == "ixp" and not line["claim"] and not line["sticky"]
        assert not ip or (line["immutable"] and line["router"] and line["override"])


def test_ports_are_taken_when_quelld_has_had_its_say(box):
    """Until then the bridge is the bridge that it was; the bindings are in place before it is not."""
    straw = box.feed()
    before = box.traces()[:2]
    box.start()
    straw.accept().snapshot()
    straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: box.where(ip4(9)) == OTHER, 5, "the binding is in")
    assert box.traces()[:2] == before and not box.lan()["open"]
    straw.say({"op": "end"})
    wait_until(box.open, 5, "the ports are taken")
    assert box.answered(1, ip4(9)) == FAR


def test_without_quelld_ports_are_taken_after_five_seconds(box):
    start = time.monotonic()
    box.start()
    wait_until(box.open, 10, "the ports are taken")
    assert time.monotonic() - start > 4.5
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(1, ip6(2)) == MACS[2]


def test_what_is_behind_other_pes_is_answered_and_forwarded(up):
    up.straw.say({"op": "flood", "lan": "ixp", "vtep": OTHER}, far_mac(), far_bind(ip4(9)), far_bind(ip6(9)))
    wait_until(lambda: up.where(ip6(9)) == OTHER, 5, "the binding is in")
    assert up.answered(1, ip4(9)) == FAR and up.answered(2, ip6(9)) == FAR
    wait_until(lambda: any(e.get("dst") == OTHER for e in up.fdb(FAR)), 5, "the FDB has it")
    assert [e["dst"] for e in up.fdb("00:00:00:00:00:00")] == [OTHER]
    up.straw.say({"op": "bind-del", "lan": "ixp", "ip": ip4(9)}, {"op": "bind-del", "lan": "ixp", "ip": ip6(9)},
                 {"op": "mac-del", "lan": "ixp", "mac": FAR}, {"op": "flood-del", "lan": "ixp", "vtep": OTHER})
    wait_until(lambda: not up.fdb(FAR) and not up.fdb("00:00:00:00:00:00"), 5, "the FDB has not")
    assert up.answered(1, ip4(9), 0.3) is None and up.answered(1, ip6(9), 0.3) is None


def test_quelld_goes_and_comes_again(up):
    """Away: all goes on. Back: what it does not name again is gone, what it does never was."""
    up.straw.say(far_mac(), far_bind(ip4(9)), far_bind(ip4(8)))
    wait_until(lambda: up.where(ip4(8)) == OTHER, 5, "the binding is in")
    up.straw.hang_up()
    wait_until(lambda: up.show("status")["feed"]["state"] == "down", 5, "the loss is seen")
    assert up.answered(1, ip4(9)) == FAR
    up.straw.accept().snapshot()
    up.straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: not up.rows("bindings", "ip")[ip4(9)]["state"] == "stale", 5, "it is named")
    assert up.answered(1, ip4(8)) == FAR
    up.straw.say({"op": "end"})
    wait_until(lambda: up.where(ip4(8)) is None, 5, "the other is swept")
    assert up.answered(1, ip4(9)) == FAR and up.answered(1, ip4(8), 0.3) is None


@pytest.mark.parametrize("line", [
    b"{", b"[]", b"\xff\xfe", b"x" * 70000, b'{"op":"mac"}', b'{"op":"mac","lan":"ixp","mac":"x","vtep":"10.0.0.1","seq":0}',
    b'{"op":"mac","lan":"ixp","mac":"02:00:00:00:00:01","vtep":"10.0.0.1","seq":-1}', b'{"op":"bind","lan":"ixp","ip":7}',
    b'{"op":"what","lan":"ixp"}', b'{"op":7}', b'{}', b'{"op":"hello","version":1}', b'{"op":"flood","lan":"ixp","vtep":null}',
], ids=lambda line: line[:60].decode("latin-1"))
def test_nonsense_on_the_feed_ends_the_connection_and_nothing_else(up, line):
    try:
        up.straw.conn.sendall(line + b"\n")
        while up.straw.line() is not None:
            pass
    except ConnectionError:
        pass  # closed while there was more to read
    up.straw.accept().snapshot()
    assert up.process.alive() and up.answered(1, ip4(2)) == MACS[2]


@pytest.mark.only_bpf("the packet plane adopts nothing that could be swept")
def test_an_end_before_the_hello_sweeps_nothing(up):
    """A quelld that ends a snapshot which it has not begun: what was adopted stays."""
    up.straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "the binding is in")
    up.kill()
    up.start()
    up.straw.accept(hello=False)
    up.straw.say({"op": "end"})
    while up.straw.line() is not None:
        pass
    assert up.answered(1, ip4(9)) == FAR


def test_nothing_is_sponged_with_a_members_mac(box):
    box.write(entry(1), entry(2, macs=["02:71:75:00:00:64"]), **{"unknown-target": "sponge"})
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    wait_until(box.open, 10, "the ports are taken")
    assert "no room" in box.ask(b'{"do":"sponge-add","ip":"198.18.0.200"}')["error"]
    assert box.answered(1, ip4(200), 0.5) is None and "somebody has it" in box.process.said()


def test_lines_that_are_not_for_this_agent_are_passed_over(up):
    up.straw.say({"op": "mac", "lan": "other", "mac": FAR, "vtep": OTHER, "seq": 0}, far_mac("01:00:5e:00:00:01"),
                 far_bind("192.0.2.1"), far_bind("224.0.0.1"), far_bind(ip4(9)), far_mac())
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "the good one is in")
    assert set(up.rows("bindings", "ip")) == {ip4(1), ip4(2), ip6(1), ip6(2), ip4(9)}


def test_another_version_of_the_feed(box):
    straw = box.feed()
    box.start()
    straw.accept(hello=False)
    straw.say({"op": "hello", "version": 2, "program": "quelld"})
    assert straw.line()["op"] == "hello"
    assert straw.line()["op"] == "error"
    assert straw.line() is None
    assert "version 2" in box.process.said()


# --- members come, go and move --------------------------------------------------------------------------------------


def test_a_member_moves_to_another_pe_and_back(up):
    up.ns.ip("link set swp1 down")
    for ip in (None, ip4(1), ip6(1)):
        line = up.straw.line()
        assert line["op"] == "del" and line["mac"] == MACS[1]
    wait_until(lambda: up.rows("bindings", "ip")[ip4(1)]["state"] == "dead", 5, "its port is down")
    assert up.answered(2, ip4(1), 0.3) is None
    up.straw.say(far_mac(MACS[1], 1))
    wait_until(lambda: up.where(ip4(1)) == OTHER, 5, "it is at the other PE")
    assert up.answered(2, ip4(1)) == MACS[1]
    wait_until(lambda: [e.get("dst") for e in up.fdb(MACS[1]) if "dst" in e] == [OTHER], 5, "so has the FDB")

    up.ns.ip("link set swp1 up")
    line = up.straw.until(op="add", mac=MACS[1], ip=ip4(1))
    assert not line["claim"]
    assert up.where(ip4(1)) == OTHER
    with up.port(1) as p:
        def claimed():
            p.send(wire.garp(MACS[1], ip4(1)))
            return up.where(ip4(1)) == "port"
        wait_until(claimed, 5, "it is back")
    assert up.straw.until(op="add", mac=MACS[1], ip=ip4(1))["claim"]
    up.straw.say({"op": "mac-del", "lan": "ixp", "mac": MACS[1]})
    wait_until(lambda: [e["ifname"] for e in up.fdb(MACS[1])] == ["swp1"], 5, "the FDB has it at the port")
    assert "sticky" in up.fdb(MACS[1])[0]["flags"]


def test_a_port_leaves_the_bridge_and_joins_it(up):
    up.ns.ip("link set swp1 nomaster")
    assert up.straw.until(op="del", mac=MACS[1])
    wait_until(lambda: "swp1" not in up.rows("ports", "name"), 5, "the port is gone")
    assert up.answered(2, ip4(1), 0.3) is None
    assert "bpf" not in up.ns.run("tc", "filter", "show", "dev", "swp1", "ingress")
    up.plug("swp1")
    assert up.straw.until(op="add", mac=MACS[1], ip=ip6(1))
    wait_until(up.open, 5, "the port is taken")
    assert up.answered(2, ip4(1)) == MACS[1] and up.answered(1, ip4(2)) == MACS[2]


def test_a_port_is_made_anew(up):
    up.ns.ip("link del swp1")
    wait_until(lambda: "swp1" not in up.rows("ports", "name"), 5, "the port is gone")
    up.scope.veth(up.ns, "swp1", up.members[1], "eth0")
    up.members[1].ip(f"link set eth0 address {MACS[1]}", "link set eth0 up")
    up.plug("swp1")
    wait_until(lambda: "swp1" in up.rows("ports", "name") and up.open(), 5, "the port is taken")
    wait_until(lambda: up.answered(2, ip4(1)) and up.answered(1, ip4(2)), 5, "it is answered")
    row = up.rows("ports", "name")["swp1"]
    assert row["flags"] == ["closed"] and row["member"] == "AS64501 Member 1"


def test_the_bridge_is_made_anew(up):
    up.straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "the binding is in")
    up.ns.ip("link del br100")
    wait_until(lambda: not up.show("ports")["ports"], 5, "all ports are gone")
    up.make_bridge()
    for n in (1, 2, 3):
        up.plug(f"swp{n}")
    wait_until(lambda: len(up.show("ports")["ports"]) == 4 and up.open(), 5, "all ports are taken")
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip4(9)) == FAR
    wait_until(lambda: up.fdb(MACS[1]) and any(e.get("dst") == OTHER for e in up.fdb(FAR)), 10, "the FDB is as it was")


def test_learning_on_a_port_that_the_registry_does_not_name(up):
    with up.port(3) as p:
        p.send(wire.garp(MACS[3], ip4(3)))
        assert up.straw.until(op="add", mac=MACS[3], ip=ip4(3))["immutable"] is False
        p.send(wire.garp(MACS[3], ip4(1)))      # registered: not for others
        p.send(wire.garp(MACS[3], "192.0.2.1"))  # not of this LAN
        p.send(wire.neighbor_advertisement(MACS[3], ip6(3)))
        assert up.straw.until(op="add", mac=MACS[3], ip=ip6(3))["router"]
    assert up.answered(1, ip4(3)) == MACS[3] and up.answered(1, ip6(3)) == MACS[3]
    assert up.answered(2, ip4(1)) == MACS[1]
    assert "192.0.2.1" not in up.rows("bindings", "ip")
    up.members[3].ip("link set eth0 down")
    assert up.straw.until(op="del", mac=MACS[3], ip=ip4(3))
    assert up.answered(1, ip4(3), 0.3) is None


def test_a_port_that_the_registry_does_not_name_is_closed_by_default(box):
    box.write(entry(1), entry(2), **{"unregistered-ports": "closed"})
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    wait_until(box.open, 5, "the ports are taken")
    assert box.rows("ports", "name")["swp3"]["flags"] == ["closed"]
    with box.port(3) as p:
        p.send(wire.garp(MACS[3], ip4(3)))
    wait_until(lambda: "spoof-mac" in box.show("ledger", port="swp3")["ports"][0]["in"].get("arp-gratuitous", {}), 5,
               "the frame is counted")
    assert box.answered(1, ip4(3), 0.3) is None and box.answered(1, ip4(2)) == MACS[2]


def test_a_quarantined_member(box):
    box.write(entry(1, status="quarantine"), entry(2))
    straw = box.feed()
    box.start()
    assert {mac for mac, _ in straw.accept().snapshot()} == {MACS[2]}
    straw.say({"op": "end"})
    wait_until(box.open, 5, "the ports are taken")
    assert box.answered(1, ip4(2), 0.3) is None and box.answered(2, ip4(1), 0.3) is None
    assert "quarantine" in box.rows("ports", "name")["swp1"]["flags"]
    row = box.show("ledger", port="swp1")["ports"][0]
    assert set(row["in"]["arp-request"]) == {"quarantine"}


# --- life ----------------------------------------------------------------------------------------------------------


@pytest.mark.only_bpf("the packet plane ends with its process")
def test_killed_and_started_on_another_registry(up):
    """What is still right never stops being answered, what is not goes, and the ledger goes on counting."""
    up.straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "the binding is in")
    up.kill()
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip4(9)) == FAR
    up.write(entry(1))
    up.start()
    status = up.show("status")
    assert status["adopted"] and status["lans"][0]["open"]
    assert up.where(ip4(9)) and up.answered(1, ip4(9)) == FAR
    assert up.answered(1, ip4(2), 0.3) is None
    assert up.show("ledger", port="swp1")["ports"][0]["in"]["arp-request"]["answered"][0] == 3
    assert up.rows("ports", "name")["swp2"]["flags"] == ["learning"]
    up.straw.accept().snapshot()
    up.straw.say({"op": "end"})
    wait_until(lambda: up.where(ip4(9)) is None, 5, "what quelld does not name is swept")


@pytest.mark.only_bpf("the packet plane ends with its process")
def test_stopped_it_goes_on_answering(up):
    assert up.process.stop() == 0
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip6(2)) == MACS[2]


@pytest.mark.parametrize("killed_before", [False, True])
def test_withdrawn_nothing_is_left(box, killed_before):
    before = box.traces()
    straw = box.feed()
    for i in range(2 if killed_before else 1):
        if i:
            box.kill()
        box.start("--withdraw")
        straw.accept().snapshot()
        straw.say(far_mac(), far_bind(ip4(9)), {"op": "flood", "lan": "ixp", "vtep": OTHER}, {"op": "end"})
        wait_until(lambda: box.open() and box.fdb(FAR), 5, "the ports are taken")
    wait_until(lambda: box.traces()[0] != before[0], 5, "the ports are closed")
    assert box.process.stop() == 0
    assert box.traces() == before


def test_two_agents_at_once(up):
    second = up.start(up=False)
    assert second.wait(10) == 1
    assert "another quell-agent is running" in second.said()
    assert up.show("status")


def test_it_keeps_four_capabilities(up):
    status = dict(line.split(":\t") for line in open(f"/proc/{up.process.pid}/status").read().splitlines() if ":\t" in line)
    kept = 1 << 12 | 1 << 13 | 1 << 38 | 1 << 39  # NET_ADMIN, NET_RAW, PERFMON, BPF
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == kept
    assert int(status["CapBnd"], 16) == int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"show":7}', b'{"show":"nothing"}', b'{"show":"ledger","port":"swp77"}', b"{}"])
def test_nonsense_on_the_control_socket(up, line):
    assert set(up.ask(line)) == {"error"}
    assert up.show("status")["program"] == "quell-agent"


def test_the_packet_plane_answers_too(box):
    box.write(entry(1), entry(2), plane="packet")
    before = box.traces()
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say(far_mac(), far_bind(ip4(9)), {"op": "end"})
    wait_until(box.open, 5, "the ports are taken")
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(1, ip6(2)) == MACS[2] and box.answered(1, ip4(9)) == FAR
    assert box.answered(1, ip4(77), 0.3) is None
    assert box.process.stop() == 0
    assert box.traces() == before, "a plane that cannot go on alone is always withdrawn"


@pytest.mark.only_bpf("XDP is an accelerator of that plane")
@pytest.mark.parametrize("accelerate", ["off", "xdp"])
def test_accelerated_or_not(box, accelerate):
    box.write(entry(1), entry(2), accelerate=accelerate)
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    wait_until(box.open, 5, "the ports are taken")
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(2, ip6(1)) == MACS[1]
    row = box.show("ledger", port="swp1")["ports"][0]
    assert row["in"]["arp-request"]["answered"][0] == 1 and row["out"]["arp-reply"]["answer"][0] == 1
    assert all(b["balanced"] for b in box.show("ledger")["balance"])


# --- how fast, how much ----------------------------------------------------------------------------------------------


def test_a_binding_from_the_feed_is_answered_at_once(up, figures):
    took = []
    with up.port(1) as p:
        for i in range(15):
            ip = ip4(100 + i)
            start = time.monotonic()
            up.straw.say(far_mac(), far_bind(ip))
            while True:
                p.send(wire.who_has(MACS[1], ip4(1), ip))
                if p.await_frame(wire.is_arp_reply(ip, FAR), 0.0003):
                    break
                assert time.monotonic() - start < 5
            took.append(time.monotonic() - start)
    figures(f"from the feed to the answer: median {statistics.median(took) * 1e3:.2f} ms, worst {max(took) * 1e3:.2f} ms of 15")
    assert statistics.median(took) < 0.005


def test_ten_thousand_bindings(up, figures):
    lines, n = [], 10000
    for i in range(n):
        mac = f"02:01:00:00:{i >> 8:02x}:{i & 255:02x}"
        lines += [far_mac(mac), far_bind(f"2001:db8:100::1:{i:x}", mac)]
    start = time.monotonic()
    up.straw.say(*lines)
    wait_until(lambda: up.lan()["evpn"] == n, 30, "all are in")
    plane = time.monotonic() - start
    wait_until(lambda: up.show("status")["netlink"]["fdb_pending"] == 0, 30, "the kernel has them")
    figures(f"{n} bindings from the feed: in the plane after {plane:.2f} s, in the FDB after {time.monotonic() - start:.2f} s")
    assert up.answered(1, "2001:db8:100::1:270f") == "02:01:00:00:27:0f"
    assert len(up.show("bindings")["bindings"]) == n + 4
    up.straw.hang_up()
    up.straw.accept().snapshot()
    up.straw.say({"op": "end"})
    wait_until(lambda: up.lan()["evpn"] == 0, 30, "all are out")
    assert up.answered(1, ip4(2)) == MACS[2]


def test_more_bindings_than_fit(box):
    box.write(entry(1), entry(2), **{"max-bindings": 100})
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say(*(x for i in range(300) for x in (far_mac(f"02:01:00:00:{i >> 8:02x}:{i & 255:02x}"),
                                                far_bind(f"2001:db8:100::1:{i:x}", f"02:01:00:00:{i >> 8:02x}:{i & 255:02x}"))),
              {"op": "end"})
    wait_until(box.open, 10, "the ports are taken")
    lan = box.lan()
    assert 0 < lan["evpn"] <= 96 and lan["full"] > 0
    assert box.answered(1, ip4(2)) == MACS[2]
