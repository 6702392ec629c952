"""`make bench`: ours side by side with every supervisor that is here, in one interleaved run.

    python3 scripts/bench [--kinds life,flood,...] [--repetitions N] [--peers ours] [--out FILE]

BENCH_OLD=<folder> adds the binaries of an earlier build as one more peer.
"""
import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from peers import MIB, find_peers
from report import document
from rows import Bench

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ["life", "growth", "restart", "flood", "shares", "floors", "size"]


def compile_helper(scratch):
    """The C program for floors and floods; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("bench: there is no `cc`: floors, floods and fair shares are left out", file=sys.stderr)
        return None
    helper = scratch / "floors"
    subprocess.run([compiler, "-O2", "-o", helper, ROOT / "scripts/bench/floors.c"], check=True)
    return helper


def run(bench, peers, kinds, repetitions):
    begin = time.monotonic()

    def step(what, peer, act, *args):
        print(f"{time.monotonic() - begin:6.1f} s  {what}  {peer.label}", flush=True)
        try:
            act(peer, *args)
        except TimeoutError as error:
            # Another one that never gets there is shown without a figure; ours must.
            if peer.label == "ours":
                raise
            print(f"bench: no figure of {peer.label} for {what}: {error}", file=sys.stderr)

    if "size" in kinds:
        for peer in peers:
            bench.samples.add("size", 0, peer, peer.size_bytes())
    for repetition in range(repetitions):
        is_first = repetition == 0
        if "floors" in kinds and bench.helper:
            bench.floors(1)
        for peer in peers:
            if "life" in kinds:
                step("N=1000", peer, bench.live, 1000, is_first)
            if "growth" in kinds:
                for count in (1, 100):
                    step(f"N={count}", peer, bench.live, count, False)
                if peer.label == "ours":
                    step("N=5000", peer, bench.live, 5000, False)
            if "restart" in kinds:
                step("kill -9", peer, bench.restart)
            if "flood" in kinds and bench.helper:
                step("512 MiB", peer, bench.flood, "flood", 1, 512 * MIB)
                step("100 x 5 MiB", peer, bench.flood, "floods", 100, 5 * MIB)
    if "shares" in kinds and bench.helper:
        step("fair shares", peers[0], bench.fair_shares)


def kept_instructions():
    """The section that `scripts/bench/instructions` has written into docs/benchmarks.md."""
    known = ROOT / "docs/benchmarks.md"
    _, heading, rest = known.read_text().partition("## Instructions\n") if known.exists() else ("", "", "")
    return heading + rest.partition("\n## ")[0]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--kinds", default=",".join(KINDS), help="some of " + ",".join(KINDS))
    options.add_argument("--peers", help="labels of those to compare, all that are here by default")
    options.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks.md")
    chosen = options.parse_args()
    kinds = chosen.kinds.split(",")
    peers, missing = find_peers(ROOT)
    if chosen.peers:
        peers = [peer for peer in peers if peer.label in chosen.peers.split(",")]
    if not (ROOT / "target/dist/bin/supervisord").exists():
        sys.exit("bench: target/dist/bin has no supervisord: run `make build` first")
    for line in missing:
        print(f"bench: skipped {line}", file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="supervisor-kit-bench."))
    try:
        bench = Bench(scratch, compile_helper(scratch))
        run(bench, peers, kinds, chosen.repetitions)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = document(bench.samples, peers, missing, chosen.repetitions, kept_instructions())
    print("\n" + text)
    chosen.out.write_text(text)


if __name__ == "__main__":
    main()
