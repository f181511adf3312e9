"""The lab as a user runs it, plain bridge and quell: it ends with a report, and the report's numbers are those of its tables."""
import json
import re
import subprocess

import pytest
from conftest import TOP

pytestmark = pytest.mark.needs("frr", "quelld", "quell-agent", "quell", "lab/count", "lab/flood")


def test_the_lab_ends_with_a_report(build, tmp_path):
    html = tmp_path / "report.html"
    p = subprocess.run(["/usr/bin/python3", TOP / "lab" / "lab.py", "--build", build, "run", "--set-up", "bridge,quell", "--seconds", "3",
                        "--members", "2", "--report", html, "--json"], capture_output=True, text=True, timeout=180)
    assert p.returncode == 0, p.stdout[-2000:] + p.stderr
    said = json.loads(p.stdout)
    # Among what is checked there: that the report's frames are those that were counted at the ports.
    assert said["broken"] == []
    assert {port for port, _, _ in said["report"]} == {f"swp{n}@10.99.0.{pe}" for n in (1, 2, 3) for pe in (11, 12)}
    page = re.sub(r"[\s\u2009\u202f\u00a0]|&nbsp;|&thinsp;|&#8239;", "", html.read_text())
    bridge = next(r for r in said["results"] if r["set_up"] == "bridge")
    for port, before, after in said["report"]:
        assert port in page and before["frames"] > 1000 and after["frames"] == 0
    # An idle port's rate of the table, one digit behind the point, as the page has it.
    idle = {port: before["frames_per_second"] for port, before, _ in said["report"] if port.startswith("swp3@")}
    assert bridge["idle"]["pe1"]["frames"] > 1000
    for port, fps in idle.items():
        assert f"{fps:.0f}" in page or f"{fps:.1f}" in page, port
