"""What is wrong in a file or on a box is said in one clear line each, with file, line and column where there is a file;
the exit status says failure, and nothing has been changed."""
import re
import socket

import pytest
import wire
from conftest import wait_until
from lab.topology import BRIDGE, VXLAN, Lab, Plain, RouteServer

PLACE = re.compile(r"^\S*\.yaml:\d+:\d+: ")

REGISTRY = """members:
  - asn: 64511
    name: One
    ports:
      - port: swp1
        macs: ["02:00:5e:00:01:01"]
        ipv4: [198.18.1.1]
  - asn: 64512
    name: Two
    ports:
      - port: swp2
        macs: ["02:00:5e:00:01:02"]
        ipv4: [198.18.1.2]
"""


def config(scope, bridge=BRIDGE, listen="10.99.0.11"):
    return f"""router-id: 10.99.0.11
run-dir: {scope.dir}/run
pin-dir: {scope.bpffs()}/refused
state-dir: {scope.dir}/state
user: nobody
bgp:
  as: 65000
  listen: [{listen}]
  neighbors:
    - address: 10.99.0.1
      remote-as: 65000
lans:
  - name: ixp
    vni: 100
    prefixes: [198.18.0.0/21]
    route-target: "65000:100"
    registry: [{scope.dir}/registry.yaml]
    agent:
      bridge: {bridge}
      vxlan: {VXLAN}
"""


@pytest.fixture
def box(build):
    """One PE's namespace with its bridge, and a good configuration that a test spoils."""
    with Lab([Plain], RouteServer, members=2, idle=0, kind="test", build=build) as lab:
        lab.raise_()
        (lab.scope.dir / "run").mkdir()
        (lab.scope.dir / "state").mkdir()
        (lab.scope.dir / "registry.yaml").write_text(REGISTRY)
        lab.file = lab.scope.dir / "quell.yaml"
        lab.file.write_text(config(lab.scope))
        yield lab


def knobs(lab):
    """Everything an agent would change on the box."""
    ns = lab.pes[0].ns
    return (ns.run("bridge", "-d", "link"), sorted(ns.run("bridge", "fdb", "show").splitlines()),
            ns.run("sh", "-c", "for i in $(ls /proc/sys/net/ipv4/conf); do tc filter show dev $i ingress 2>/dev/null; done"),
            sorted(str(p) for p in lab.scope.bpffs().iterdir()))


def refused(lab, program, *options, under=()):
    """Starts it; it must end by itself, with a failure, one line on stderr, and the box as it was. Returns the line."""
    before = knobs(lab)
    p = lab.pes[0].ns.spawn(f"{program}{len(lab.scope.processes)}", [*under, f"{lab.build_dir}/{program}", "-c", lab.file, *options])
    status = p.wait(10)
    assert status not in (0, None) and status > 0
    lines = [line for line in p.said().splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert knobs(lab) == before
    return lines[0]


BAD_FILES = {
    "a bad line": (lambda t: t.replace("  as: 65000", "  as: [65000"), ":"),
    "an unknown key": (lambda t: t.replace("    vni: 100", "    vni: 100\n    colour: red"), "colour"),
    "a bad value": (lambda t: t.replace("vni: 100", "vni: 16777216"), "16777216"),
}


@pytest.mark.parametrize("program", ["quelld", "quell-agent"])
@pytest.mark.parametrize("what", BAD_FILES)
@pytest.mark.needs("quelld", "quell-agent", "lab/count")
def test_a_bad_file(box, program, what):
    spoil, word = BAD_FILES[what]
    box.file.write_text(spoil(box.file.read_text()))
    for options in ([], ["-n"]):
        line = refused(box, program, *options)
        assert PLACE.search(line.split(": ", 1)[1]) or PLACE.search(line), line
        assert str(box.file) in line and word in line


@pytest.mark.needs("quell-agent", "lab/count")
def test_an_address_given_twice_in_the_registry(box):
    (box.scope.dir / "registry.yaml").write_text(REGISTRY.replace("198.18.1.2", "198.18.1.1"))
    line = refused(box, "quell-agent")
    assert re.search(r"registry\.yaml:13:\d+: ", line) and "198.18.1.1" in line


@pytest.mark.needs("quell-agent", "lab/count")
def test_a_bridge_that_is_not_there(box):
    box.file.write_text(config(box.scope, bridge="br7"))
    assert "br7" in refused(box, "quell-agent")


@pytest.mark.needs("quell-agent", "lab/count", "setpriv")
def test_without_the_right_to_load_programs(box):
    line = refused(box, "quell-agent", under=["setpriv", "--bounding-set", "-bpf,-sys_admin", "--"])
    assert re.search("CAP_BPF|cap_bpf", line)


@pytest.mark.needs("quelld", "lab/count")
def test_a_port_179_that_is_taken(box):
    with wire.inside(box.pes[0].ns):
        s = socket.socket()
        s.bind(("10.99.0.11", 179))
    s.listen()
    try:
        line = refused(box, "quelld")
        assert "179" in line and "10.99.0.11" in line
    finally:
        s.close()


@pytest.mark.needs("quelld", "quell-agent", "lab/count")
def test_the_good_file_passes(box):
    for program in ("quelld", "quell-agent"):
        p = box.pes[0].ns.spawn(program, [f"{box.build_dir}/{program}", "-n", "-c", box.file])
        wait_until(lambda: not p.alive(), 10, f"{program} -n ends")
        assert p.wait() == 0, p.said()
