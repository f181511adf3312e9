"""Aligned tables and a little colour for people; nothing of it when the output is no terminal."""
import os
import sys


def colour(text, code, stream=None):
    if not (stream or sys.stdout).isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def good(text):
    return colour(text, "32")


def bad(text):
    return colour(text, "31;1")


def table(head, rows, left=1):
    """Rows of text; the first `left` columns flush left, the rest flush right. None: a ruler."""
    cells = [head] + [r for r in rows if r is not None]
    widths = [max(len(str(r[i])) for r in cells) for i in range(len(head))]
    rule = "  ".join("-" * w for w in widths)

    def line(row):
        return "  ".join(str(c).ljust(w) if i < left else str(c).rjust(w)
                         for i, (c, w) in enumerate(zip(row, widths))).rstrip()

    return "\n".join([line(head), rule] + [rule if r is None else line(r) for r in rows])


def rate(value):
    return "0" if value == 0 else f"{value:.1f}" if value >= 0.05 else f"{value:.3f}"
