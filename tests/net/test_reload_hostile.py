"""Reloads at the worst of times and of the worst of files: each has to be done, or refused whole, and never to be the end
of quelld or of what it is at."""
import os
import signal
import time

import pytest
from bgp_peer import END_OF_RIB
from conftest import wait_until
from quelld_box import inside
from test_reload import A, B, BASE, C, Box, config, connect, quelld, wire  # noqa: F401  (fixtures)

pytestmark = pytest.mark.needs("quelld", "quell")
LAN = "  - {name: one, vni: 100, prefixes: [198.18.0.0/24]}\n"


def test_while_it_stops(scope, wire, build):
    """A peer that does not close keeps a stopping quelld waiting: long enough to be asked for this and that."""
    text = config(BASE, bgp="  port: 1790\n")
    quelld = Box(scope, wire[0], build, text).start()
    peer = connect(wire, A, port=1790).establish()
    wait_until(lambda: quelld.established(A), 5, "it is up")
    quelld.write(text + f"lans:\n{LAN}")
    os.kill(quelld.process.pid, signal.SIGTERM)
    wait_until(lambda: "stopping" in quelld.process.said(), 5, "it stops")
    os.kill(quelld.process.pid, signal.SIGHUP)
    answer = quelld.ask(do="reload")
    assert "stopping" in answer["errors"][0], answer
    assert quelld.process.wait() == 0, quelld.process.said()
    peer.close()


def test_password_files_that_are_none(quelld, wire, scope):
    peer = connect(wire, A).establish()
    wait_until(lambda: quelld.established(A), 5, "it is up")
    fifo = quelld.dir / "fifo"
    os.mkfifo(fifo, 0o666)
    for path in (fifo, quelld.dir, "/dev/zero", "/proc/kmsg", "/dev/tty"):
        quelld.write(config({A: "", B: f"password-file: {path}"}))
        assert str(path) in quelld.reload(code=1)
        assert quelld.established(A)
    peer.close()


def test_text_that_does_not_fit(quelld):
    """An error longer than its place is cut, perhaps within a character; it is an error still."""
    for n in (3000, 3001):
        quelld.write(config(BASE, bgp=f"  cluster-id: \"{'x' * (n % 2)}{'é' * n}\"\n"))
        quelld.reload("--dry-run", code=1)
        quelld.reload(code=1)


def test_a_storm_of_signals(quelld):
    """What comes while a reload is under way is one more reload, and not one each."""
    quelld.write(config({f"10.99.{i // 200}.{i % 200 + 20}": "" for i in range(2000)}))
    for _ in range(400):
        os.kill(quelld.process.pid, signal.SIGHUP)
        time.sleep(0.0005)
    begin = time.monotonic()
    assert quelld.show("status")
    assert time.monotonic() - begin < 5
    begin = quelld.process.said().count("reload of")
    assert quelld.show("status")
    assert quelld.process.said().count("reload of") == begin < 200


@pytest.mark.parametrize("wrong", [{"dry_run": 1}, {"dry_run": "true"}, {"dry-run": True}])
def test_a_look_is_never_a_deed(quelld, wrong):
    quelld.write(config({A: "", C: ""}))
    assert "error" in quelld.ask(do="reload", **wrong)
    assert not quelld.neighbor(C)


def test_a_member_of_a_range_gets_a_place_of_its_own(quelld, wire):
    """And back: who was one of a range is a neighbour by itself afterwards, and again one of the range."""
    rows = "    - {prefix: 10.99.0.0/24, client: true}\n"
    quelld.write(config({}).replace("  neighbors:\n", f"  neighbors:\n{rows}"))
    quelld.reload()
    peer = connect(wire, A).establish()
    peer.send(END_OF_RIB)
    wait_until(lambda: quelld.established(A), 5, "it is up")
    quelld.write(config({A: "name: own"}).replace("  neighbors:\n", f"  neighbors:\n{rows}"))
    quelld.reload()
    print(quelld.neighbor(A), quelld.process.said())
    assert not quelld.neighbor(A)["dynamic"] and quelld.neighbor(A)["name"] == "own"
    peer.close()
    peer = connect(wire, A).establish()
    wait_until(lambda: quelld.established(A), 5, "it is up")
    quelld.write(config({}).replace("  neighbors:\n", f"  neighbors:\n{rows}"))
    quelld.reload()
    peer.close()
    wait_until(lambda: not quelld.neighbor(A), 5, "gone")
    peer = connect(wire, A).establish()
    wait_until(lambda: quelld.established(A), 5, "it is up")
    assert quelld.neighbor(A)["dynamic"]
    quelld.write(config({B: ""}))
    quelld.reload()
    wait_until(lambda: not quelld.neighbor(A), 5, "gone with its range")
    peer.close()
