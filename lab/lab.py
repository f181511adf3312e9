#!/usr/bin/python3
"""The lab: what a peering LAN's noise does to an idle member port, today and with quell.

    lab.py [run]   raises the LAN three times in turn, floods it, and prints one table:
                     bridge  a bridge and VXLAN on every PE, nothing else
                     frr     FRR on every PE with the kernel's neigh_suppress and all bindings installed
                     quell   quell on two PEs and on the route server, FRR on the third PE
    lab.py up      raises one set-up and keeps it standing to look around
    lab.py two-route-servers
                   kills one of two route servers in the middle of a flood, has it back, then the other one, and says
                   what was lost at quell and FRR PEs
    lab.py down    takes standing labs away
    lab.py list    what stands

Needs root. Ends non-zero if with quell an idle port received anything, a ping failed, or a ledger does not balance.
"""
import argparse
import json
import os
import pathlib
import signal
import sys
import time

if __name__ == "__main__":
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from lab import frr, ledger, measure, netns, pair, quell, report, table  # noqa: E402
from lab.topology import Lab, Plain, RouteServer  # noqa: E402

SET_UPS = {
    "bridge": ([Plain] * 3, RouteServer),
    "frr": ([frr.FrrPE] * 3, frr.FrrRouteServer),
    "quell": ([quell.QuellPE, quell.QuellPE, frr.FrrPE], quell.QuellRouteServer),
}
ABOUT = {
    "bridge": "bridge + VXLAN, nothing else",
    "frr": "FRR + neigh_suppress, all bindings installed",
    "quell": "quell on PE1, PE2 and the route server, FRR on PE3",
}
CONVERGE_S = 30
PING_AFTER_S = 2


def say(text):
    print(text, file=sys.stderr, flush=True)


def raised(name, args, kind):
    """A LAN of one set-up that has converged. The caller closes it."""
    flavours, route_server = SET_UPS[name]
    lab = Lab(flavours, route_server, args.members, args.idle, kind, args.build)
    try:
        start = time.monotonic()
        lab.raise_()
        netns.wait_until(lab.converged, CONVERGE_S, f"{name}: all bindings everywhere")
        say(f"  {lab.scope.name}: {len(lab.pes)} PEs, {len(lab.everyone)} members, "
            f"converged in {time.monotonic() - start:.1f} s")
        return lab
    except BaseException:
        lab.close()
        raise


def measure_set_up(name, args, captures):
    """Floods one LAN and returns what came of it, as plain values."""
    say(f"{name}: {ABOUT[name]}")
    lab = raised(name, args, "run")
    with lab:
        counters = {m.name: measure.Counter(lab, m) for m in lab.everyone}
        books = ledger.Books(lab, counters) if name == "quell" else None
        if books:
            books.open()
        # From here on, for the table and the report: what arrives during the flood, and nothing before it.
        taken = {m.name: measure.Counter(lab, m, pcap=captures.path(name, m)) for m in lab.everyone}
        say(f"  flood: {args.rate / 1e6:g} Mbit/s from {len(lab.members)} members for {args.seconds:g} s")
        flood = measure.Flood(lab, lab.members, args.rate, args.seconds)
        time.sleep(min(PING_AFTER_S, args.seconds / 4))
        pings = measure.ping_all(lab)
        in_time = flood.running()
        say(f"  pings during the flood, caches flushed: {pings.ok} of {pings.tried}")
        sent = flood.wait()
        balance = books.close() if books else None
        reports = {m.name: taken[m.name].stop() for m in lab.everyone}
        for m in lab.everyone:
            captures.counted(name, m, reports[m.name])
        arrived = {}
        for pe in lab.pes:
            a = measure.captured({m.name: reports[m.name] for m in pe.members if m.idle})
            arrived[pe.name] = {"flavour": pe.flavour, "frames": a.frames,
                                "classes": {c: list(r) for c, r in a.rates.items()}}
        result = {"set_up": name, "offered": sent, "seconds": args.seconds, "idle": arrived,
                  "pings": {"tried": pings.tried, "failed": pings.failed, "within_flood": in_time},
                  "ledger": balance}
        if name == "quell":
            result["notifications"] = sum(sum(pe.frr.notifications().values())
                                          for pe in lab.pes if pe.flavour == "frr")
        return result


def columns(results):
    """(title, {class: [frames/s, bits/s]}) for each kind of PE in each set-up, means over its PEs."""
    out = []
    for r in results:
        flavours = {}
        for pe in r["idle"].values():
            flavours.setdefault(pe["flavour"], []).append(pe["classes"])
        for flavour, pes in flavours.items():
            title = r["set_up"] if flavour == r["set_up"] else f"{flavour} beside {r['set_up']}"
            classes = {}
            for pe in pes:
                for cls, (frames, bits) in pe.items():
                    f, b = classes.get(cls, (0, 0))
                    classes[cls] = (f + frames / len(pes), b + bits / len(pes))
            out.append((title, classes))
    return out


def print_table(results):
    cols = columns(results)
    head = ["class"] + [t for title, _ in cols for t in (f"{title} frames/s", "kbit/s")]
    names = sorted({c for _, classes in cols for c in classes},
                   key=lambda c: -max(classes.get(c, (0, 0))[0] for _, classes in cols))

    def row(label, pick):
        return [label] + [table.rate(v) for _, classes in cols for v in pick(classes)]

    rows = [row(n, lambda classes, n=n: (classes.get(n, (0, 0))[0], classes.get(n, (0, 0))[1] / 1e3))
            for n in names]
    rows += [None, row("all", lambda classes: (sum(f for f, _ in classes.values()),
                                               sum(b for _, b in classes.values()) / 1e3))]
    print(f"\nWhat an idle member port receives while {results[0]['offered']['octets'] * 8 / results[0]['seconds'] / 1e6:.2f}"
          f" Mbit/s of noise is offered to the LAN:\n")
    print(table.table(head, rows))
    print()
    for r in results:
        p = r["pings"]
        print(f"{r['set_up']:<8} every member reaches every other, IPv4 and IPv6, caches flushed: "
              f"{p['tried'] - len(p['failed'])} of {p['tried']}")


def verdict(results):
    """What was promised and did not hold."""
    broken = []
    for r in results:
        if r["set_up"] != "quell":
            continue
        for name, pe in r["idle"].items():
            if pe["flavour"] == "quell" and pe["frames"]:
                broken.append(f"the idle port of {name} received {pe['frames']} frames")
        if r["pings"]["failed"]:
            broken.append(f"no answer: {', '.join(r['pings']['failed'][:8])}")
        if r["notifications"]:
            broken.append(f"FRR sent {r['notifications']} NOTIFICATIONs")
        broken += r["ledger"]["wrong"]
    return broken


def print_ledger(balance):
    print("\nThe ledger of the quell PEs against what their members sent and received (frames):\n")
    rows = [[p["pe"], p["port"], p["sent"], p["in"], p["answered"], p["dropped"], p["policed"], p["went_on"],
             p["out"], p["arrived"], "yes" if p["balances"] else "NO"] for p in balance["ports"]]
    print(table.table(["PE", "port", "member sent", "in", "answered", "dropped", "policed", "went on", "out",
                       "member received", "balances"], rows, left=2))
    outcomes = {}
    for p in balance["ports"]:
        for o, n in p["outcomes"].items():
            outcomes[o] = outcomes.get(o, 0) + n
    total = sum(outcomes.values())
    print("\nWhat became of what they sent:\n")
    print(table.table(["outcome", "frames", "share"],
                      [[o, n, f"{100 * n / total:.1f} %"] for o, n in sorted(outcomes.items(), key=lambda x: -x[1])] +
                      [None, ["all", total, ""]]))


def print_report(rows, html):
    print("\nWhat each port of PE1 and PE2 received that was not for it, by `quell audit` of captures at their members' side:\n")
    print(table.table(["port", "before frames", "frames/s", "kbit/s", "after frames", "frames/s"],
                      [[port, was["frames"], table.rate(was["frames_per_second"]), table.rate(was["bits_per_second"] / 1e3),
                        now["frames"], table.rate(now["frames_per_second"])] for port, was, now in rows]))
    print(f"\nThe report: {html}")


def command_run(args):
    names = [n for n in SET_UPS if n in args.set_up.split(",")] if args.set_up else list(SET_UPS)
    captures = report.Captures(names)
    args.report = args.report or os.path.join(args.build, "lab-report.html")
    try:
        results = [measure_set_up(n, args, captures) for n in names]
        broken = verdict(results)
        rows = None
        if captures.wanted:
            rows, wrong = captures.write(args.build, args.report)
            broken += wrong
    finally:
        captures.close()
    if args.json:
        print(json.dumps({"results": results, "report": rows, "broken": broken}, indent=1))
    else:
        print_table(results)
        for r in results:
            if r["ledger"]:
                print_ledger(r["ledger"])
        if rows:
            print_report(rows, args.report)
        print()
        for b in broken:
            print(table.bad("BROKEN  ") + b)
        if not broken and "quell" in names:
            print(table.good("The peering LAN is quiet: ") + "0 frames at the idle ports of the quell PEs, all members"
                  " reach each other, every ledger balances.")
    return 1 if broken else 0


def command_two_route_servers(args):
    say("two quelld route servers, quell on PE1, FRR on PE2 and PE3, each with sessions to both")
    with Lab([quell.QuellPE, frr.FrrPE, frr.FrrPE], quell.QuellRouteServer, args.members, args.idle, "pair", args.build,
             route_servers=2) as lab:
        lab.raise_()
        netns.wait_until(lambda: lab.converged() and pair.sessions_up(lab, lab.route_servers), CONVERGE_S,
                         "all bindings everywhere, every session with both")
        results = []
        for rs in lab.route_servers:
            netns.wait_until(lambda: all(pair.all_told(lab, r) for r in lab.route_servers), CONVERGE_S,
                             "both route servers know everything")
            results.append(pair.lose_one(lab, rs, args.rate, say))
        notifications = sum(sum(pe.frr.notifications().values()) for pe in lab.pes if pe.flavour == "frr")
    broken = [b for r in results for b in pair.broken(r)]
    if notifications:
        broken.append(f"FRR sent {notifications} NOTIFICATIONs")
    if args.json:
        print(json.dumps({"results": results, "broken": broken}, indent=1))
        return 1 if broken else 0
    rows = [[r["killed"], r["asked"], r["unanswered"], r["pings"]["tried"], len(r["pings"]["failed"]),
             len(r["forgotten"]) + len(r["missed"]), sum(r["leaked"].values()), f"{r['back_s']:.1f} s"] for r in results]
    print("\nOne of two route servers killed while the LAN is flooded:\n")
    print(table.table(["killed", "requests", "unanswered", "pings", "failed", "bindings lost", "frames leaked",
                       "back after"], rows))
    print()
    for b in broken:
        print(table.bad("BROKEN  ") + b)
    if not broken:
        print(table.good("Nothing is lost: ") + "no binding at any PE, FRR's included, no answer, and no frame at an idle"
              " port.")
    return 1 if broken else 0


def command_up(args):
    name = args.set_up or "quell"
    say(f"{name}: {ABOUT[name]}")
    lab = raised(name, args, "up")
    lab.scope.note("set_up", name)
    print(f"\n{lab.scope.name} stands; its files are in {lab.scope.dir}\n")
    for pe in lab.pes:
        look = {"frr": f"vtysh -N {pe.ns.name} -c 'show bgp l2vpn evpn route'",
                "quell": f"{args.build}/quell -c {lab.scope.dir}/{pe.name}/quell.yaml show ledger",
                "bridge": f"bridge -n {pe.ns.name} fdb show"}[pe.flavour]
        print(f"  {pe.name} ({pe.flavour}, VTEP {pe.vtep}): ip netns exec {pe.ns.name} bash\n      {look}")
    first, last = lab.members[0], lab.members[-1]
    print("  members:")
    for m in lab.everyone:
        print(f"      {m.name} {m.mac} {m.ip4:<11} {m.ip6:<19} {m.pe.name}/{m.port}{' idle' if m.idle else ''}")
    print(f"\n  ip netns exec {first.ns.name} ping {last.ip4}")
    print(f"  ip netns exec {lab.idle[0].ns.name} {args.build}/lab/count --iface eth0 --seconds 10")
    print("  ip netns exec " + first.ns.name + " " + " ".join(measure.flood_command(lab, first, rate="1500000",
                                                                                    seconds=30)))
    print(f"\n  take it away: {sys.argv[0]} down {lab.scope.name}")
    lab.scope.leave()
    return 0


def command_down(args):
    for state in netns.scopes():
        wanted = state["name"] in args.name if args.name else not state["owned"]
        if wanted:
            netns.remove(state)
            say(f"{state['name']}: gone")
    return 0


def command_list(args):
    states = netns.scopes()
    if args.json:
        print(json.dumps(states, indent=1))
        return 0
    rows = [[s["name"], s["kind"], s["notes"].get("set_up", "-"), "running" if s["owned"] else "standing",
             len(s["namespaces"]), s["dir"]] for s in states]
    print(table.table(["lab", "kind", "set-up", "state", "namespaces", "files"], rows, left=4))
    return 0


def bit_rate(text):
    units = {"k": 1e3, "M": 1e6, "G": 1e9}
    value = float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def find_build():
    """The build directory: QUELL_BUILD, or `build` beside lab/."""
    return os.environ.get("QUELL_BUILD") or str(pathlib.Path(__file__).resolve().parent.parent / "build")


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=find_build(), help="build directory (%(default)s)")
    commands = p.add_subparsers(dest="command", required=True)
    run_p = commands.add_parser("run", help="measure, print one table")
    up = commands.add_parser("up", help="raise a LAN and keep it")
    two = commands.add_parser("two-route-servers", help="lose one of two, measure")
    down = commands.add_parser("down", help="take labs away")
    show = commands.add_parser("list", help="what stands")
    for c in (run_p, up, two):
        c.add_argument("--members", type=int, default=3, help="members a PE that talk (%(default)s)")
        c.add_argument("--idle", type=int, default=1, help="idle members a PE (%(default)s)")
    run_p.add_argument("--set-up", help="of bridge,frr,quell (all)")
    for c in (run_p, two):
        c.add_argument("--rate", type=bit_rate, default=1.5e6, help="offered noise, bit/s (1.5M)")
    run_p.add_argument("--seconds", type=float, default=20, help="length of the flood (%(default)s)")
    run_p.add_argument("--report", metavar="FILE",
                       help="before and after as HTML, with bridge and quell (lab-report.html in the build directory)")
    up.add_argument("--set-up", choices=SET_UPS, help="(quell)")
    down.add_argument("name", nargs="*", help="which (all that nobody is running)")
    for c in (run_p, two, show):
        c.add_argument("--json", action="store_true", help="for machines")
    if not any(a in commands.choices or a in ("-h", "--help") for a in argv):
        # `run` may be left out; the options of all commands stand before it.
        at = next((i for i, a in enumerate(argv) if i > 0 and argv[i - 1] == "--build"), -1) + 1
        argv = [*argv[:at], "run", *argv[at:]]
    return p.parse_args(argv)


def complain(args):
    """Why this cannot work here, or None."""
    if os.geteuid() != 0:
        return "needs root: namespaces, bridges and FRR"
    names = ["quell"] if args.command == "two-route-servers" else \
        (args.set_up or "quell").split(",") if args.command in ("run", "up") else []
    unknown = [n for n in names if n not in SET_UPS]
    if unknown:
        return f"no such set-up: {', '.join(unknown)}"
    if args.command in ("run", "up", "two-route-servers"):
        if args.members < 1 or args.idle < 1 or args.members + args.idle > 200:
            return "at least one member and one idle port a PE, at most 200 in all"
        missing = [p for p in ("lab/flood", "lab/count", *(quell.PROGRAMS if "quell" in names else ()))
                   if not os.access(os.path.join(args.build, p), os.X_OK)]
        if missing:
            return f"not built in {args.build}: {', '.join(missing)}"
        return frr.available()
    return None


def main():
    args = arguments(sys.argv[1:])
    reason = complain(args)
    if reason:
        print(f"lab: {reason}", file=sys.stderr)
        return 2

    def on_term(sig, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, on_term)
    signal.signal(signal.SIGHUP, on_term)
    try:
        return {"run": command_run, "up": command_up, "two-route-servers": command_two_route_servers,
                "down": command_down, "list": command_list}[args.command](args)
    except netns.LabError as e:
        print(f"lab: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; nothing is left", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
