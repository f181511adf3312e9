"""What the BPF plane alone does: its maps and programs outlive the process, are adopted or refused by it, stand at a port beside others'
programs and filters, and need capabilities of their own. The packet plane has nothing that outlives it and takes no place there."""
import os
import subprocess
import time

import pytest
from conftest import wait_until
from plane_box import CLOSED, LAN, MEMBER, UNDERLAY, answers, lan_of, who_has

pytestmark = pytest.mark.needs("tests/bpf/plane_shell")


@pytest.fixture
def lan(scope, build):
    yield from lan_of("bpf", scope, build)


def stream(lan, seconds_of, request):
    """Requests at 1 000 a second while something happens; returns asked and answered."""
    a = lan.wire("a")
    asker = subprocess.Popen(["/usr/bin/python3", "-c", f"""
import os, socket, sys, time
sys.stdout.write("go\\n"); sys.stdout.flush()
s = socket.socket(fileno={a.socket.fileno()})
n, start = 0, time.monotonic()
frame = bytes.fromhex("{bytes(request).hex()}")
while not os.path.exists("{lan.scope.dir}/enough"):
    s.send(frame); n += 1
    time.sleep(max(0, start + n / 1000 - time.monotonic()))
s.detach()
print(n)
"""], stdout=subprocess.PIPE, text=True, pass_fds=[a.socket.fileno()])
    asker.stdout.readline()
    try:
        seconds_of()
    finally:
        (lan.scope.dir / "enough").touch()
    asked = int(asker.communicate(timeout=10)[0])
    got = a.arrived(asked)
    return asked, len(got)


@pytest.mark.parametrize("xdp", [0, 1])
def test_killed_it_goes_on_and_is_adopted(lan, xdp):
    s = lan.raise_(xdp)

    def die_and_come_back():
        nonlocal s
        for _ in range(10):
            time.sleep(0.05)
            s.kill()
            time.sleep(0.05)
            s = lan.shell()
            assert s.opened["adopted"]
            assert s.do("tables") == {"result": 0, "bind4": 4, "bind6": 4, "macs": 4, "ports": 4, "vteps": 0}
            lan.attach(s, xdp=xdp)

    asked, answered = stream(lan, die_and_come_back, who_has(lan, "a", lan.ip4("b")))
    assert asked > 500 and answered == asked
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "answered"): asked, ("out", "arp-reply", "answer"): asked}
    assert len(lan.filters("a")) == 2
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)


def test_other_limits_keep_the_tables(lan):
    s = lan.raise_()
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    s.kill()
    s = lan.shell(bindings=1000)
    assert s.opened["adopted"] and s.do("tables")["bind4"] == 4
    assert s.ledger(lan.slot["a"])["in", "arp-request", "answered"] == 1
    lan.attach(s)
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    assert s.ledger(lan.slot["a"])["in", "arp-request", "answered"] == 2
    s.kill()
    s = lan.shell(open_=False)
    assert s.ask("open", "bpf", lan.dir, 2, 256, 16)["result"] == -28  # four do not fit in two
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1


def test_one_process_a_directory(lan):
    lan.raise_()
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -16
    lan.log.flush()
    assert "in use by another process" in (lan.scope.dir / "plane.log").read_text()


@pytest.mark.parametrize("xdp", [0, 1])
def test_nothing_of_ours_stays(lan, xdp):
    s = lan.raise_(xdp)
    # An operator's own filter behind ours is none of our business.
    lan.pe.run("tc", "filter", "add", "dev", "m2", "ingress", "prio", "9000", "bpf", "bytecode", "1,6 0 0 0,")
    s.do("del", lan.index["c"])
    assert not lan.filters("c")
    s.do("close", "drop")
    assert not lan.filters("a") and "clsact" not in lan.pe.run("tc", "qdisc", "show", "dev", "m1")
    assert [f["pref"] for f in lan.filters("b")] == [9000]
    assert "xdp" not in lan.pe.ip_json("link", "show", "m1")[0]
    assert not lan.dir.exists()


def test_an_xdp_program_of_others_stays(lan):
    s = lan.raise_(xdp=1)
    mine = lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"]
    # Another directory, so another plane: to it the program at m1 is somebody else's.
    t = lan.shell(open_=False)
    t.do("open", "bpf", str(lan.dir) + "-other", 256, 256, 16)
    t.do("port", lan.index["a"], LAN, 1, MEMBER, CLOSED, 0, 0, 0, 0, 0, 0, 0)
    t.do("attach", lan.index["a"], 1)
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"] == mine
    t.do("close", "drop")
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"] == mine
    s.do("attach", lan.index["b"], 0)
    assert "xdp" not in lan.pe.ip_json("link", "show", "m2")[0]


def test_privileges(lan):
    lan.dir.mkdir()
    none = lan.shell(open_=False, prefix=["setpriv", "--bounding-set=-all"])
    assert none.ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -1
    lan.log.flush()
    said = (lan.scope.dir / "plane.log").read_text().splitlines()
    assert len(said) == 1 and "needs CAP_BPF" in said[0]
    none.end()
    four = "-all,+bpf,+perfmon,+net_admin,+net_raw"
    s = lan.shell(open_=False, prefix=["setpriv", f"--bounding-set={four}"])
    s.do("open", "bpf", lan.dir, 256, 256, 16)
    lan.set_port(s, "a")
    lan.fill(s)
    lan.attach(s, "a", xdp=1)
    s.kill()
    s = lan.shell(open_=False, prefix=["setpriv", f"--bounding-set={four}"])
    assert s.do("open", "bpf", lan.dir, 256, 256, 16)["adopted"]
    lan.attach(s, "a", xdp=1)
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    s.do("close", "drop")
    assert not lan.dir.exists()


@pytest.mark.parametrize("what", ["qdisc del dev m1 clsact", "filter del dev m1 ingress", "filter del dev m1 egress",
                                  "filter del dev m1 ingress prio 5117"])
def test_what_somebody_took_off_is_put_on_again(lan, what):
    s = lan.raise_()
    assert lan.attach(s) == ""
    lan.pe.run("tc", *what.split())
    assert len(lan.filters("a")) < 2
    assert lan.attach(s) == "a"
    assert lan.attach(s) == "" and len(lan.filters("a")) == 2 and answers(lan)


def test_xdp_that_somebody_took_off_is_put_on_again(lan):
    s = lan.raise_(xdp=1)
    assert lan.attach(s, xdp=1) == ""
    lan.pe.ip("link set m1 xdpgeneric off")
    assert lan.attach(s, xdp=1) == "a" and "xdp" in lan.pe.ip_json("link", "show", "m1")[0]
    assert lan.attach(s, xdp=1) == ""
    # And it is taken off when it is wanted no longer.
    assert lan.attach(s, xdp=0) == "" and "xdp" not in lan.pe.ip_json("link", "show", "m1")[0]


@pytest.mark.parametrize("mode", ["xdpgeneric", "xdpdrv"])
@pytest.mark.parametrize("xdp", [0, 1])
def test_an_xdp_program_before_ours_is_told(lan, mode, xdp):
    """Another's program is not replaced; the port goes on without; the log says so when it comes and when it goes."""
    s = lan.raise_(xdp=0)
    other = lan.scope.dir / "pass.o"
    source = lan.scope.dir / "pass.c"
    source.write_text('__attribute__((section("xdp"), used)) int other(void *x) { return 2; }\n')
    subprocess.run(["clang", "-target", "bpf", "-O2", "-c", source, "-o", other], check=True)
    lan.pe.ip(f"link set m1 {mode} obj {other} sec xdp")
    theirs = lan.pe.ip_json("link", "show", "m1")[0]["xdp"]
    for _ in range(3):
        assert s.do("attach", lan.index["a"], xdp) == {"result": 0, "put": False, "behind": True}
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"] == theirs and answers(lan)
    lan.pe.ip(f"link set m1 {mode} off")
    assert not s.do("attach", lan.index["a"], xdp)["behind"]
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)
    lan.log.flush()
    said = (lan.scope.dir / "plane.log").read_text()
    assert said.count("m1: an XDP program of others comes before ours") == 1
    assert said.count("m1: nothing of others comes before ours any more") == 1
    assert said.count("m1: not accelerated: another XDP program is there") == xdp


def test_a_filter_before_ours_is_told(lan):
    s = lan.raise_()
    lan.pe.run("tc", "filter", "add", "dev", "m1", "ingress", "prio", "1", "bpf", "bytecode", "1,6 0 0 0,")
    assert s.do("attach", lan.index["a"], 0)["behind"] and s.do("attach", lan.index["a"], 0)["behind"]
    lan.pe.run("tc", "filter", "del", "dev", "m1", "ingress", "prio", "1")
    assert not s.do("attach", lan.index["a"], 0)["behind"]
    lan.log.flush()
    assert (lan.scope.dir / "plane.log").read_text().count("m1: a filter of others comes before ours") == 1


@pytest.mark.parametrize("xdp", [0, 1])
def test_taking_over_from_another_version(lan, xdp):
    """Its maps are not ours and its programs are: they answer from its maps until ours are filled and in their place."""
    s = lan.raise_(xdp)

    def upgrade():
        nonlocal s
        s.kill()
        os.rename(lan.dir / "v2", lan.dir / "v1")
        time.sleep(0.1)
        s = lan.shell()
        assert not s.opened["adopted"] and s.do("tables")["ports"] == 0
        assert {p.name for p in lan.dir.iterdir()} == {"v1", "v2"}
        time.sleep(0.1)
        for role in "abf":  # c is a port no longer
            lan.set_port(s, role)
        lan.fill(s)
        time.sleep(0.1)
        assert lan.attach(s, "abf", xdp) == "abf"
        wait_until(lambda: s.ledger(lan.slot["a"]).get(("in", "arp-request", "answered")), 5, "ours answer")

    asked, answered = stream(lan, upgrade, who_has(lan, "a", lan.ip4("b")))
    assert asked > 200 and answered == asked
    ours = s.ledger(lan.slot["a"])
    assert 0 < ours["in", "arp-request", "answered"] < asked
    assert len(lan.filters("c")) == 2
    wait_until(lambda: lan.attach(s, "abf", xdp) or {p.name for p in lan.dir.iterdir()} == {"v2"}, 10, "the old one goes")
    assert not lan.filters("c") and "xdp" not in lan.pe.ip_json("link", "show", "m3")[0]
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)
    assert answers(lan)
    s.do("close", "drop")
    assert not lan.filters("a") and not lan.dir.exists()


def test_two_versions_at_a_time(lan):
    """The other version's agent still runs: it would undo what we do."""
    s = lan.raise_()
    os.rename(lan.dir / "v2", lan.dir / "v1")
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -16
    assert {p.name for p in lan.dir.iterdir()} == {"v1"} and answers(lan)
    s.kill()
    s = lan.shell(open_=False)
    assert s.ask("open", "bpf", lan.dir, 256, 256, 0)["result"] < 0  # fails: nothing of the old one is lost
    assert {p.name for p in lan.dir.iterdir()} == {"v1"} and answers(lan)


def test_another_layout_under_our_version_is_refused(lan):
    s = lan.raise_()
    s.kill()
    (lan.dir / "v2" / "bind4").unlink()
    os.rename(lan.dir / "v2" / "bind6", lan.dir / "v2" / "bind4")
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -71
    assert answers(lan)


def test_the_underlay_is_adopted(lan):
    s = lan.shell()
    s.do("port", lan.index["f"], 0, lan.slot["f"], UNDERLAY, 0, 0, 0, 0, 0, 0, 0, 0)
    for vni, ip in (0, "10.0.0.1"), (LAN, "::"):
        s.do("vtep", vni, ip)
    assert s.do("attach", lan.index["f"], 0)["put"] and not s.do("attach", lan.index["f"], 0)["put"]
    assert len(lan.filters("f")) == 1
    s.kill()
    s = lan.shell()
    assert s.opened["adopted"] and s.do("tables")["vteps"] == 2
