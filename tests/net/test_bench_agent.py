"""That `make bench-agent` works; what it measures is for a quiet machine to say (docs/benchmarks.md)."""
import json
import os
import subprocess

import pytest
from conftest import TOP

pytestmark = pytest.mark.needs("quell-agent", "tests/bench_agent/offer", "bpftool", "ethtool", "taskset")


def test_all_are_measured(build, tmp_path):
    figures = tmp_path / "figures.json"
    p = subprocess.run(["/usr/bin/python3", TOP / "tests/bench_agent/bench_agent.py", "--build", build, "--targets", "50", "--rounds",
                        "1", "--runs", "1", "--seconds", "0.05", "--requests", "20", "--json", figures],
                       capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert p.returncode in (0, 1) and figures.exists(), p.stderr
    rows = json.loads(figures.read_text())
    assert len(rows) == 16 and all(r["wrong"] == 0 for r in rows)
    assert all(r["rate"] > 0 for r in rows if "echoes" not in r["who"])
    assert all(r["lost"] == 0 for r in rows if "packet" not in r["who"])
