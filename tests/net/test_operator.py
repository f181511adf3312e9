"""What an operator asks quelld to do with one session, by the command and over the control socket; and that two quelld
exchange the routes that each wants (RFC 4684), by the same means."""
import os
import socket
import struct
import subprocess

import pytest
from bgp_peer import (END_OF_RIB, KEEPALIVE, NOTIFICATION, OPEN, UPDATE, Peer, attribute, macip, message, open_message,
                      update)
from conftest import wait_until
from lab.netns import LabError
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld")
RS, A, B = "10.99.0.1", "10.99.0.2", "10.99.0.3"


def config(router_id, neighbors, lans=""):
    said = "\n".join(f"    - {n}" for n in neighbors)
    return f"router-id: {router_id}\nbgp:\n  as: 65000\n  listen: [{router_id}]\n  defer-time: 1\n  neighbors:\n{said}\n{lans}"


@pytest.fixture
def ns(scope):
    made = scope.netns("rs")
    made.ip("link set lo up", *(f"addr add 10.99.0.{i}/32 dev lo" for i in range(1, 6)))
    return made


def command(box, *words, fails=None):
    done = subprocess.run([os.path.join(box.build, "quell"), *words, "--socket-dir", box.run_dir], capture_output=True,
                          text=True, check=False)
    if fails:
        assert done.returncode and fails in done.stderr
    else:
        assert done.returncode == 0, done.stderr


@pytest.fixture
def quelld(scope, ns, build):
    return Quelld(scope, ns, build, config(RS, [f"{{address: {A}, client: true, passive: true}}"])).start()


def call(ns):
    with inside(ns):
        return Peer(RS, A).establish()


def receive(peer, kind):
    while True:
        got = peer.receive()
        if got[0] == kind:
            return got[1]


def test_refresh(quelld, ns):
    command(quelld, "refresh", A, fails="not established")
    peer = call(ns)
    wait_until(lambda: quelld.established(A), 5)
    command(quelld, "refresh", A)
    assert receive(peer, 5) == b"\x00\x19\x00\x46"
    command(quelld, "refresh", B, fails="no such neighbor")
    command(quelld, "refresh", A, "--hard", fails="no meaning")


def test_reset(quelld, ns):
    peer = call(ns)
    command(quelld, "reset", A, "--message", "new optics \N{SNOWMAN}")
    text = "new optics \N{SNOWMAN}".encode()
    assert receive(peer, NOTIFICATION) == b"\x06\x04" + bytes([len(text)]) + text
    again = call(ns)
    wait_until(lambda: quelld.established(A), 5)
    again.close()


def test_shutdown_and_enable(quelld, ns):
    peer = call(ns)
    peer.send(update([macip(A, 100, "02:00:5e:00:00:01")], A) + END_OF_RIB)
    wait_until(quelld.routes, 5)
    command(quelld, "shutdown", A, "--message", "moving house")
    assert receive(peer, NOTIFICATION) == b"\x06\x02\x0cmoving house"
    wait_until(lambda: not quelld.routes(), 5)
    assert quelld.neighbor(A)["shutdown"]
    with pytest.raises((LabError, OSError)):
        call(ns)
    command(quelld, "shutdown", A, fails="is shut down")
    command(quelld, "enable", A)
    again = call(ns)
    wait_until(lambda: quelld.established(A), 5)
    command(quelld, "enable", A, fails="is not shut down")
    again.close()


@pytest.mark.parametrize("request_,error", [
    ({"do": "frob"}, "quelld does "), ({"do": "reset"}, "expected an address"),
    ({"do": "reset", "neighbor": 1}, "expected an address"), ({"do": "reset", "neighbor": "10.99.0"}, "expected an address"),
    ({"do": "reset", "neighbor": A, "message": 1}, "message"), ({"do": "reset", "neighbor": A, "message": "x" * 256}, "message"),
    ({"do": "shutdown", "neighbor": A, "message": ["x"]}, "message")])
def test_requests_that_are_wrong(quelld, request_, error):
    assert error in quelld.ask(**request_)["error"]


def test_others_may_not(quelld):
    os.chmod(quelld.run_dir / "quelld.sock", 0o777)
    os.chmod(quelld.run_dir, 0o755)
    ask = f"""import socket
s = socket.socket(socket.AF_UNIX)
s.connect({str(quelld.run_dir / "quelld.sock")!r})
s.sendall(b'{{"do":"reset","neighbor":"{A}"}}\\n')
print(s.makefile().readline())"""
    for above in quelld.dir.parents:
        if above.stat().st_uid == 0 and not above.stat().st_mode & 1:
            pytest.skip(f"{above} is closed to others")
    done = subprocess.run(["/usr/bin/python3", "-c", ask], user="daemon", group="daemon", extra_groups=[], capture_output=True,
                          text=True, check=True, cwd="/")
    assert "only root" in done.stdout


RTC = struct.pack("!HBB", 1, 0, 132)


class Member(Peer):
    """One that says which route targets 65000:N it wants."""

    def establish(self, *wants):
        caps = b"\x01\x04" + RTC
        plain = open_message(self.asn, self.router_id)[19:]
        length = plain[11] + len(caps)
        self.send(message(OPEN, plain[:9] + bytes([length + 2, 2, length]) + plain[12:] + caps))
        assert self.receive()[0] == OPEN
        self.send(message(KEEPALIVE))
        assert self.receive()[0] == KEEPALIVE
        self.send(membership(self.router_id, *wants) + message(
            UPDATE, struct.pack("!HH", 0, 6) + b"\x80\x0f\x03" + struct.pack("!HB", 1, 132)))
        return self


def target(n):
    return b"\x60" + struct.pack("!IBBHI", 65000, 0, 2, 65000, n)


def membership(next_hop, *wants):
    attrs = attribute(0x40, 1, b"\x00") + attribute(0x40, 2, b"") + attribute(0x40, 5, struct.pack("!I", 100)) + \
        attribute(0x80, 14, struct.pack("!HBB", 1, 132, 4) + socket.inet_aton(next_hop) + b"\x00" +
                  b"".join(target(n) for n in wants))
    return message(UPDATE, struct.pack("!HH", 0, len(attrs)) + attrs)


def test_route_target_membership(scope, ns, build):
    """Two members of other LANs, by hand, and a quelld with a LAN, below a quelld that reflects."""
    pe = "10.99.0.4"
    rs = Quelld(scope, ns, build, config(RS, [f"{{address: {x}, client: true, passive: true, rt-constrain: true}}"
                                              for x in (A, B, pe)]), name="rs").start()
    below = Quelld(scope, ns, build, config(pe, [f"{{address: {RS}, rt-constrain: true}}"], """lans:
  - {name: ixp, vni: 100, prefixes: [198.18.0.0/21], route-target: "65000:100"}
"""), name="pe").start()
    with inside(ns):
        a, b = Member(RS, A).establish(100), Member(RS, B).establish(200)
    wait_until(lambda: rs.established(A, B, pe), 10, "all are up")
    a.until_update(target(200))
    b.until_update(target(100))
    nlri = {n: macip(A, n, f"02:00:5e:00:00:{n // 100:02x}") for n in (100, 200, 300)}
    for n, octets in nlri.items():
        a.send(update([octets], A, vni=n))
    b.until_update(nlri[200])
    wait_until(below.routes, 5)
    assert [r["mac"] for r in below.routes()] == ["02:00:5e:00:00:01"]
    # Another one is wanted, and one not any more.
    b.send(membership(B, 300))
    b.until_update(nlri[300])
    assert len(below.routes()) == 1
    a.close()
    b.until_update(nlri[300][2:10])
    wait_until(lambda: not below.routes(), 5, "what a lost peer said is gone")
    b.close()
