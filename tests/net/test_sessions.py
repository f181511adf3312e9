"""A thousand sessions with a hold time of 9 s, while routes change: none expires."""
import json
import os

import pytest
from conftest import wait_until
from quelld_box import Quelld

pytestmark = pytest.mark.needs("quelld", "tests/net/hold")
RS, FIRST, SESSIONS, HOLD, SECONDS, CHANGES = "10.98.0.1", "10.98.1.0", 1000, 9, 30, 20
CONFIG = f"""router-id: {RS}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  neighbors:
    - {{prefix: 10.98.0.0/16, max: 2000, client: true, hold-time: {HOLD}}}
"""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_a_thousand_sessions(scope, build, figures):
    ns = scope.netns("rs")
    ns.ip("link set lo up", "addr add 10.98.0.1/16 dev lo")
    quelld = Quelld(scope, ns, build, CONFIG).start()
    hold = ns.spawn("hold", [os.path.join(build, "tests/net/hold"), RS, FIRST, SESSIONS, HOLD, SECONDS, CHANGES])
    wait_until(lambda: '"up"' in hold.said() or not hold.alive(), 70, "all sessions are up")
    before = cpu_seconds(quelld.process.pid)
    wait_until(lambda: not hold.alive(), SECONDS + 30, "the time is over")
    cpu = cpu_seconds(quelld.process.pid) - before
    got = json.loads(hold.said().strip().splitlines()[-1])
    figures(f"{SESSIONS} sessions, hold time {HOLD} s, {CHANGES} changes/s for {SECONDS} s: quelld takes "
            f"{100 * cpu / SECONDS:.1f} % of a core; a change is with all after {got.get('median_ms')} ms (median), "
            f"{got.get('p99_ms')} ms (p99); longest silence {got.get('silence_s')} s")
    assert not got["error"], got
    assert got["sessions"] == SESSIONS and got["told_all"] == got["changes"], got
    assert got["silence_s"] < HOLD, got
    assert quelld.process.alive(), quelld.process.said()[-3000:]
    assert "hold timer" not in quelld.process.said()
