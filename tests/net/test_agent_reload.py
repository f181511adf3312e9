"""A file that changes under a quell-agent that goes on: what its ports do with frames is taken in place, the rest is
refused whole."""
import os
import signal
import subprocess

import pytest
import wire
from agent_box import MACS, Agent, entry, ip4
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent", "quell")
FREE = "198.18.0.200"  # nobody's


@pytest.fixture
def up(scope, build):
    a = Agent(scope, build)
    a.straw = a.feed()
    a.start()
    a.straw.accept().snapshot()
    a.straw.say({"op": "end"})
    wait_until(a.open, 10, "the ports are taken")
    yield a
    a.close()


def reload(box, *args, code=0):
    ran = subprocess.run([os.path.join(box.build, "quell"), "reload", "--socket-dir", box.run_dir, *args],
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def is_flooded(box, timeout=0.5):
    """Whether a request for nobody's address, from member 1, reaches member 2."""
    with box.port(1) as one, box.port(2) as two:
        one.send(wire.who_has(MACS[1], ip4(1), FREE))
        return two.await_frame(lambda f: f[12:14] == b"\x08\x06" and FREE_OCTETS in f, timeout) is not None


FREE_OCTETS = bytes(int(x) for x in FREE.split("."))


def test_what_ports_do_changes_in_place(up):
    assert not is_flooded(up)
    up.write(entry(1), entry(2), **{"unknown-target": "flood", "ns-option": "reply"})
    want = ["~ agent ixp unknown-target drop -> flood (in place)", "~ agent ixp ns-option discard -> reply (in place)"]
    assert reload(up, "--dry-run").splitlines() == [*want, "quell-agent: 2 changes, not done: only looked at"]
    assert not is_flooded(up)
    assert reload(up).splitlines() == [*want, "quell-agent: 2 changes done"]
    wait_until(lambda: is_flooded(up), 5, "the unknown is flooded")
    assert up.answered(1, ip4(2)) == MACS[2]
    up.write(entry(1), entry(2))
    up.process.signal(signal.SIGHUP)
    wait_until(lambda: not is_flooded(up), 5, "and not any more")
    assert up.answered(1, ip4(2)) == MACS[2]
    assert reload(up) == "quell-agent: nothing has changed\n"


def test_what_needs_a_restart_is_refused_whole(up):
    up.write(entry(1), entry(2), **{"unknown-target": "flood", "age-time": 999})
    said = reload(up, code=1)
    assert "~ agent ixp age-time 1200 -> 999 (needs a restart)" in said and "nothing was changed" in said, said
    assert not is_flooded(up)
    up.config.write_text("router-id: x\n")
    said = reload(up, code=1)
    assert "quell.yaml:1:" in said, said
    assert up.answered(1, ip4(2)) == MACS[2]
