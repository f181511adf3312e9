#!/usr/bin/python3
"""Route reflectors under load: FRR, GoBGP and quelld in turn, the same load generator, one run.

Each reflector is alone in a network namespace, the load generator (tests/bench/load.c) in another, a veth pair between
them. One injector announces type-2 MAC/IP routes, N clients receive. See docs/benchmarks.md for what the rows mean.

Ends non-zero if quelld told a client anything but every route once, or if a promise was not kept. Needs root.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

from reflectors import ADDRESS, Frr, GoBgp, Quell
from report import PHASES, count, print_table, verdicts

from lab import netns
from lab.netns import LabError

FIRST = "10.98.1.1"
GOBGP_MOST = 10_000  # one NLRI an UPDATE: minutes at ten times as many
NICE = -15  # of all that is measured, alike: what else runs on the machine shall disturb less
DEFAULT = [(10_000, 10), (100_000, 10), (1_000_000, 1), (1_000_000, 10), (1_000_000, 50)]
FULL = [(routes, clients) for routes in (10_000, 100_000, 1_000_000) for clients in (1, 10, 50, 200)]


def say(text):
    print(text, file=sys.stderr, flush=True)


def addresses(clients):
    """Injector, clients, a late client, the prober."""
    return [f"10.98.{1 + i // 250}.{1 + i % 250}" for i in range(clients + 3)]


def favour(pid):
    """A session of its own is a scheduling group of its own where the kernel groups by session; else a nice value does."""
    try:
        with open(f"/proc/{pid}/autogroup", "w") as f:
            f.write(str(NICE))
    except OSError:
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


class Load:
    """The load generator; ask() gives it a word and returns its answer."""

    def __init__(self, ns, build, routes, clients, timeout):
        self.process = subprocess.Popen(
            [*ns.enter, os.path.join(build, "tests/bench/load"), ADDRESS, FIRST, str(routes), str(clients), str(timeout)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        favour(self.process.pid)

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"the load generator ended in {word}")
        answer = json.loads(line)
        if answer["error"]:
            raise LabError(f"{word}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def network(scope, clients):
    rr, load = scope.netns("rr"), scope.netns("load")
    scope.veth(rr, "up0", load, "up0")
    rr.ip(f"addr add {ADDRESS}/16 dev up0", "link set up0 up")
    load.ip(*(f"addr add {a}/16 dev up0" for a in addresses(clients)), "link set up0 up")
    return rr, load


def measure(reflector, routes, clients, build, script=None, timeout=300):
    """{phase: the load generator's answer, with the reflector's CPU seconds; "memory": ...}"""
    got = {}
    with netns.Scope("bench") as scope:
        rr, ns = network(scope, clients)
        r = reflector(scope, rr, addresses(clients), build)
        r.start()
        for p in scope.processes:
            favour(p.pid)
        load = Load(ns, build, routes, clients, timeout)
        try:
            load.ask("open")
            empty = r.status("VmRSS")
            for word in ["load", *(script or r.script)]:
                cpu = r.cpu()
                answer = load.ask(word)
                answer["reflector_cpu"] = r.cpu() - cpu
                if "memory" not in got:
                    got["memory"] = {"route": (r.status("VmRSS") - empty) / routes}
                # The load behind the withdrawal is only there for there to be something to lose.
                got.setdefault(answer["phase"], answer)
        finally:
            got.setdefault("memory", {})["peak"] = r.status("VmHWM") or 0
            load.close()
    return got


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=os.getcwd(), help="the build directory")
    p.add_argument("--full", action="store_true", help="all sizes, all numbers of clients; the better part of an hour")
    p.add_argument("--size", action="append", metavar="ROUTES:CLIENTS", help="just these; may be repeated")
    p.add_argument("--only", action="append", choices=["frr", "gobgp", "quell"], help="just these reflectors")
    p.add_argument("--json", metavar="FILE", help="what was measured, for machines")
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    if os.geteuid():
        sys.exit("bench: needs root, for network namespaces")
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    sizes = [tuple(map(int, s.split(":"))) for s in args.size or []] or (FULL if args.full else DEFAULT)
    subjects = {}
    for c in (Frr, GoBgp, Quell):
        why = c.available()
        if args.only and c.name not in args.only:
            continue
        if why:
            say(f"{c.title} is left out: {why}")
            continue
        subjects[c.name] = c
    results = {}
    for routes, clients in sizes:
        runs = results[routes, clients] = {}
        for name, reflector in subjects.items():
            if name == "gobgp" and (routes > GOBGP_MOST or clients > 10):
                continue
            start = time.monotonic()
            try:
                runs[name] = measure(reflector, routes, clients, args.build)
                done = ", ".join(f"{what} {runs[name][phase]['seconds']:.2f}" for phase, what in PHASES)
            except LabError as e:
                runs[name], done = {}, str(e)
            say(f"{count(routes)} x {clients}, {reflector.title}: {done} ({time.monotonic() - start:.0f} s)")
    if args.json:
        with open(args.json, "w") as f:
            json.dump([{"routes": r, "clients": c, "reflectors": runs} for (r, c), runs in results.items()], f, indent=1)
    print_table(results, {name: c.title for name, c in subjects.items()})
    print()
    return 0 if verdicts(results) else 1


if __name__ == "__main__":
    sys.exit(main())
