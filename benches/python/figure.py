"""The bars of ``against_peers.py --figure``: good starts per CPU second, with the spread of the repeats."""

import importlib
import statistics
from pathlib import Path
from typing import Any

BARS = {"lawfit": "#2f4b8f", "others": "#b9bec9"}


def draw(good_per_s: dict[str, list[float]], to: Path) -> None:
    """Write a picture of the methods and their figures of every repeat, the fastest on top."""
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    # Text stays text, and the file is the same each time.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "lawfit", "font.family": "sans-serif"}
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    methods = sorted(good_per_s, key=lambda name: statistics.median(good_per_s[name]))
    middles = [statistics.median(good_per_s[name]) for name in methods]
    figure, axes = pyplot.subplots(figsize=(8.0, 0.36 * len(methods) + 1.0), layout="constrained")
    colours = [BARS["lawfit" if name.startswith("lawfit") else "others"] for name in methods]
    axes.barh(methods, middles, color=colours)
    for place, (name, middle) in enumerate(zip(methods, middles, strict=True)):
        least, most = min(good_per_s[name]), max(good_per_s[name])
        axes.plot([least, most], [place, place], color="black", linewidth=1.0)
        axes.text(1.15 * most, place, f"{middle:,.0f}", va="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(right=6.0 * max(max(values) for values in good_per_s.values()))
    axes.set_xlabel("starts per CPU second that end in the global optimum")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(to, metadata={"Date": None} if to.suffix == ".svg" else None)
