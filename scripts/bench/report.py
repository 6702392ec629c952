"""The table, as text for the terminal and as docs/benchmarks.md."""
import datetime
import math
import os
import platform

# What is shown, where it comes from, what the reach is, and how it is printed.
ROWS = [
    ("PSS at rest, N=1", "pss", 1, 1.2 * 1024, "MB"),
    ("PSS at rest, N=1000", "pss", 1000, 4 * 1024, "MB"),
    ("context switches in 10 idle s, N=1000", "idle", 1000, 0, "count"),
    ("exec → 1,000 children exist", "children", 1000, 0.60, "s"),
    ("exec → 1,000 RUNNING (startsecs=1)", "running", 1000, 1.65, "s"),
    ("SIGTERM → 1,000 gone", "stop", 1000, 0.20, "s"),
    ("`kill -9` of a child → its successor runs", "restart", 1, 0.002, "ms"),
    ("getAllProcessInfo, N=1000", "all_info", 1000, 0.003, "ms"),
    ("getState on a kept connection, N=1000", "state", 1000, 0.00008, "ms"),
    ("`supervisorctl status`, N=1000", "status", 1000, 0.010, "ms"),
    ("512 MiB of 100-byte lines from one program, log rotated at 50 MB", "flood", 1, 0.25, "s"),
    ("– its processor time", "flood_cpu", 1, 0.25, "s"),
    ("5 MiB each from 100 programs at once", "floods", 100, 0.30, "s"),
    ("– its processor time", "floods_cpu", 100, None, "s"),
    ("installed size", "size", 0, 4 * 1024 * 1024, "bytes"),
]
# What the floor, or stock Supervisor, took where the reaches were set: a slower machine needs as much longer for all.
THERE = {"children": ("floor", 0.50), "stop": ("floor", 0.06), "flood": ("floor", 0.20), "floods": ("floor", 0.26),
         "all_info": ("stock 4.3.0", 0.707), "status": ("stock 4.3.0", 0.938)}
GROWTH = [("PSS at rest", "pss", "MB"), ("exec → children exist", "children", "s"), ("SIGTERM → gone", "stop", "s"),
          ("getAllProcessInfo", "all_info", "ms"), ("getState", "state", "ms"), ("`supervisorctl status`", "status", "ms")]
COUNTS = [1, 100, 1000, 5000]
SHARES = [("getState", "reply"), ("a start, until the program runs", "start"), ("a signal, until it has worked", "signal")]


def shown(value, unit):
    if value is None:
        return "–"
    if unit == "MB":
        return f"{value / 1024:.2f} MB"
    if unit == "bytes":
        return f"{value / 1024 / 1024:.1f} MB"
    if unit == "ms":
        return f"{value * 1000:.{3 if value < 0.001 else 2}f} ms"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.3f} s"


def ratio(theirs, ours):
    if theirs is None or ours is None:
        return "–"
    if ours == 0:
        return "equal" if theirs == 0 else "none here"
    return f"{theirs / ours:.1f}×"


def table(head, lines):
    align = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, align, *lines]) + "\n"


def reach_here(samples, row, count, reach):
    """The reach, as much later as this machine is slower in the same work; None where that cannot be said."""
    row = row.removesuffix("_cpu")
    if row not in THERE or reach is None:
        return None
    label, there = THERE[row]
    here = samples.median(row, count, label)
    return reach * here / there if here else None


def verdict(samples, row, count, reach):
    ours, here = samples.median(row, count, "ours"), reach_here(samples, row, count, reach)
    if ours is None or reach is None:
        return ""
    if ours <= reach:
        return "reached"
    return "reached for this machine" if here and ours <= here else "**missed**"


def main_table(samples, peers):
    others = [peer.label for peer in peers if peer.label != "ours"]
    head = ["row", "floor", *others, "**ours**", "reach", "for this machine", "", *(f"{label} / ours" for label in others)]
    lines = []
    for title, row, count, reach, unit in ROWS:
        value = lambda label: samples.median(row, count, label)
        here = reach_here(samples, row, count, reach)
        lines.append([title, shown(value("floor"), unit), *(shown(value(label), unit) for label in others),
                      f"**{shown(value('ours'), unit)}**", "" if reach is None else f"≤ {shown(reach, unit)}",
                      "" if here is None else f"≤ {shown(here, unit)}", verdict(samples, row, count, reach),
                      *(ratio(value(label), value("ours")) for label in others)])
    return table(head, lines)


def exponent(samples, row, label, counts):
    """Of the growth between the two largest numbers of programs."""
    known = [(count, samples.median(row, count, label)) for count in counts]
    known = [(count, value) for count, value in known if value]
    if len(known) < 2:
        return "–"
    (few, low), (many, high) = known[-2:]
    return f"N^{math.log(high / low) / math.log(many / few):.2f} (from {few:,} to {many:,})"


def growth_table(samples, label):
    head = [label, *(f"N={count:,}" for count in COUNTS), "growth"]
    lines = [[title, *(shown(samples.median(row, count, label), unit) for count in COUNTS),
              exponent(samples, row, label, COUNTS)] for title, row, unit in GROWTH]
    return table(head, lines)


def shares_table(samples, count):
    head = ["N=1000, median (most)", "quiet", "with 4 programs that flood", "delay of the median"]
    lines = []
    for title, row in SHARES:
        quiet, flooded = samples.of(f"{row}_quiet", count, "ours"), samples.of(f"{row}_flooded", count, "ours")
        if not flooded:
            continue
        middle = [samples.median(f"{row}_{when}", count, "ours") for when in ("quiet", "flooded")]
        lines.append([title, f"{shown(middle[0], 'ms')} ({shown(max(quiet), 'ms')})",
                      f"{shown(middle[1], 'ms')} ({shown(max(flooded), 'ms')})", shown(middle[1] - middle[0], "ms")])
    return table(head, lines)


def machine():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    total = int(open("/proc/meminfo").readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} × {model[0] if model else platform.machine()}, {total} GB, Linux {platform.release()}"


def document(samples, peers, missing, repetitions, instructions):
    """All of it; the instructions are counted apart from the rest, and stay until they are counted anew."""
    load = os.getloadavg()[0]
    parts = [
        "# Benchmarks\n",
        "Written by `make bench`: every row of one run, all peers in turn. What the figures mean, and what is done for "
        "them, is in [performance.md](performance.md).\n",
        f"{datetime.date.today()}, {machine()}; load {load:.1f} at the end. Medians of {repetitions} runs; the idle row "
        "of one. The floor is a C program that does nothing but this work (`scripts/bench/floors.c`): fork and exec with "
        "pipes, signal and wait, read from pipes of 1 MiB and write to files. The reaches were set on a machine whose floor, or "
        "stock Supervisor, took a certain time for the same work: “for this machine” is the reach times what it takes here, by what "
        "it took there.\n",
        main_table(samples, peers),
        *(f"Not compared: {line}.\n" for line in missing),
        "## Growth\n",
        growth_table(samples, "ours"),
        *(growth_table(samples, peer.label) for peer in peers if peer.label != "ours"),
        "## Fair shares\n",
        shares_table(samples, 1000),
        instructions,
        summary_zh(samples),
    ]
    return "\n".join(parts)


def summary_zh(samples):
    value = lambda row, count, unit, label="ours": shown(samples.median(row, count, label), unit)
    reached = [row for row in ROWS if row[3] is not None and samples.median(row[1], row[2], "ours") is not None]
    good = sum("missed" not in verdict(samples, row, count, reach) for _, row, count, reach, _ in reached)
    return f"""## 中文摘要

{len(reached)} 项目标中达到 {good} 项（按本机速度折算）。一千个程序时：守护进程占内存(PSS){value("pss", 1000, "MB")}（原版 {value("pss", 1000, "MB", "stock 4.3.0")}），
全部启动 {value("children", 1000, "s")}（原版 {value("children", 1000, "s", "stock 4.3.0")}），全部停止 {value("stop", 1000, "s")}（原版 {value("stop", 1000, "s", "stock 4.3.0")}），
`getAllProcessInfo` {value("all_info", 1000, "ms")}（原版 {value("all_info", 1000, "ms", "stock 4.3.0")}），空闲十秒内上下文切换 {value("idle", 1000, "count")} 次。
各行含义、时间花在哪里，见 [performance.md](performance.md)。
"""
