"""The rules of a peering LAN, broken one by one by a member: what each does to the frame, to the ledger, to the alarms; dry run; and
ports in quarantine."""
import subprocess
import os

import pytest
import wire
from agent_box import MACS, Agent, entry, ip4
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent", "quell")


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build)
    yield a
    a.close()


def begin(box):
    box.straw = box.feed()
    box.start()
    box.straw.accept().snapshot()
    box.straw.say({"op": "end"})
    wait_until(box.open, 10, "the ports are taken")
    return box


def quell(box, *args, code=0):
    ran = subprocess.run([os.path.join(box.build, "quell"), *args, "--socket-dir", box.run_dir], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def in_quarantine(box, port):
    return box.rows("ports", "name")[port]["quarantine"]


# --- quarantine ----------------------------------------------------------------------------------------------------


def test_the_operator_puts_a_port_into_quarantine(box):
    begin(box)
    assert box.answered(1, ip4(2)) == MACS[2]
    assert quell(box, "quarantine", "add", "swp2") == "swp2: in quarantine, by operator\n"
    assert in_quarantine(box, "swp2") == ["operator"]
    # Nobody is answered for it, nor is it; and its addresses are withdrawn.
    assert box.answered(1, ip4(2), 0.5) is None and box.answered(2, ip4(1), 0.5) is None
    box.straw.until(op="del", ip=ip4(2))
    # It outlives the agent.
    box.kill()
    begin(box)
    assert in_quarantine(box, "swp2") == ["operator"]
    assert box.answered(1, ip4(2), 0.5) is None
    assert quell(box, "quarantine", "del", "swp2") == "swp2: let out\n"
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(2, ip4(1)) == MACS[1]
    assert "no such member port" in quell(box, "quarantine", "add", "swp9", code=1)
    assert "no such member port" in quell(box, "quarantine", "add", "vx100", code=1)


def test_what_the_configuration_has_in_quarantine_the_operator_does_not_let_out(box):
    box.write(entry(1), entry(2, status="quarantine"), more="      port-settings: [{ports: [swp1], quarantine: true}]\n")
    begin(box)
    assert in_quarantine(box, "swp1") == ["configuration"] and in_quarantine(box, "swp2") == ["registry"]
    assert box.answered(1, ip4(2), 0.5) is None
    quell(box, "quarantine", "add", "swp1")
    said = quell(box, "quarantine", "del", "swp1", code=1)
    assert said == "swp1: let out, but still in quarantine, by configuration\n"
