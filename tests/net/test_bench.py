"""The bench at a size that takes seconds: that its counts and checksums agree says that it measures what it says it does.
No time is looked at."""
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from bench import measure  # noqa: E402
from reflectors import Quell  # noqa: E402

pytestmark = pytest.mark.needs("quelld", "tests/bench/load")
CLIENTS = 2
SENTINEL = 256  # octets: the probe behind a re-sent table is an UPDATE, and a KEEPALIVE may have come


def test_counts_and_checksums_agree(build):
    got = measure(Quell, 1000, CLIENTS, build, ["resend", "join", "probe 10", "churn 1", "withdraw", "load", "lose",
                                               "reconnect"], timeout=60)
    assert {phase: a["exact"] for phase, a in got.items() if "exact" in a} == dict.fromkeys(
        ("load", "join", "churn", "withdraw", "lose", "reconnect"), True)
    assert got["resend"]["told"] == 0 and got["resend"]["octets"] <= CLIENTS * SENTINEL
    assert got["probe"]["samples"] == 10 and got["churn"]["changed"] >= 1000
