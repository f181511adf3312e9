"""From what was measured to one table and the verdicts of docs/benchmarks.md."""
from lab.table import bad, good, table

PHASES = [("load", "load"), ("resend", "re-send, unchanged"), ("join", "new client"), ("withdraw", "withdraw all"),
          ("lose", "session loss"), ("reconnect", "reconnect")]
LATENCIES = [("probe", "one change, idle"), ("churn", "one change, churn")]


def count(n):
    return f"{n // 1000000} M" if n % 1000000 == 0 else f"{n // 1000} k" if n % 1000 == 0 else str(n)


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def ratio(theirs, ours, digits=1):
    return f"{theirs / ours:.{digits}f}" if theirs and ours else "-"


def rows_of(results, routes, clients, titles):
    """One size: [what, unit, a value for each reflector, FRR/quelld]."""
    runs = results[routes, clients]

    def row(what, unit, pick):
        values = {}
        for name in titles:
            try:
                values[name] = pick(runs[name])
            except (KeyError, TypeError):
                values[name] = None
        if any(v is not None for v in values.values()):
            out.append([count(routes), str(clients), what, unit, *(number(values[n]) for n in titles),
                        ratio(values.get("frr"), values.get("quell"))])

    out = []
    for phase, what in PHASES:
        row(what, "s", lambda r: r[phase]["seconds"])
        row("", "CPU s", lambda r: r[phase]["reflector_cpu"])
    row("told by the re-send", "routes", lambda r: r["resend"]["told"] / clients)
    for phase, what in LATENCIES:
        row(what + ", median", "ms", lambda r: r[phase]["median_ms"])
        row(what + ", p99", "ms", lambda r: r[phase]["p99_ms"])
    row("all routes changed meanwhile", "s", lambda r: r["churn"]["seconds"] * routes / r["churn"]["changed"])
    row("memory a route", "octets", lambda r: r["memory"]["route"])
    row("peak memory", "MB", lambda r: r["memory"]["peak"] / 1e6)
    return out


def print_table(results, titles):
    rows = []
    for routes, clients in results:
        rows += ([None] if rows else []) + rows_of(results, routes, clients, titles)
    print(table(["routes", "clients", "", "unit", *titles.values(), "FRR/quelld"], rows, left=4))


# --- verdicts ----------------------------------------------------------------------------------------------------------

def verdict(what, value, wanted, ok):
    print(f"{what}: {value}, wanted {wanted}: {good('ok') if ok else bad('NOT MET')}")
    return ok


def verdicts(results):
    """The promises, where the run has what they are about; whether all of them hold."""
    held = []

    def at_least(what, theirs, ours, times):
        got = theirs / ours if ours else float("inf")
        held.append(verdict(what, f"{got:.1f} times FRR", f">= {times}", got >= times))

    def at_most(what, value, unit, most):
        held.append(verdict(what, f"{value:.4g} {unit}", f"<= {most} {unit}", value <= most))

    size, sizes = max((r for r, _ in results), default=0), {}
    for (routes, clients), runs in results.items():
        if routes == size:
            sizes[clients] = runs
    main = sizes.get(10, {})
    name = count(size)
    theirs, ours = main.get("frr"), main.get("quell")
    if theirs and ours:
        at_least(f"load {name} x 10", theirs["load"]["seconds"], ours["load"]["seconds"], 8)
        for phase, what in (("withdraw", "withdraw all"), ("lose", "session loss"), ("reconnect", "reconnect")):
            at_least(f"{what} {name} x 10", theirs[phase]["seconds"], ours[phase]["seconds"], 6)
        held.append(verdict(f"memory {name} x 10", f"1/{theirs['memory']['route'] / ours['memory']['route']:.1f} of FRR's",
                            "<= 1/8", theirs["memory"]["route"] >= 8 * ours["memory"]["route"]))
    if ours:
        at_most(f"memory {name} x 10", ours["memory"]["route"], "octets a route", 130)
        at_most(f"re-send {name} x 10", ours["resend"]["told"], "routes told", 0)
        at_most(f"one change, {name} x 10, idle, median", ours["probe"]["median_ms"], "ms", 1)
        at_most(f"one change, {name} x 10, churn, p99", ours["churn"]["p99_ms"], "ms", 20)
    if ours and "quell" in sizes.get(50, {}):
        at_most(f"load {name} x 50 against x 10", sizes[50]["quell"]["load"]["seconds"] / ours["load"]["seconds"], "times", 1.5)
    inexact = [f"{phase} {count(r)} x {c}" for (r, c), runs in results.items() for phase, got in runs.get("quell", {}).items()
               if got.get("exact") is False]
    held.append(verdict("every client told every route once", ", ".join(inexact) or "always", "always", not inexact))
    return all(held)
