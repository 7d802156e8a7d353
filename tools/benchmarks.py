#!/usr/bin/env python3
"""Writes the figures of docs/benchmarks.md from what criterion measured.

    python3 tools/benchmarks.py target/criterion [--native target/criterion-native] [--clock processor] [--second] [--check]

The first folder is that of a default build, the second that of a build for this machine's processor. A figure is the
median. A line of the table is one group of a bench: its member `ccc` is divided by `floor`, by the peers and by other
ways of the same group and run; ratios of different runs are never taken.

Everything between two marks in docs/benchmarks.md is replaced: between `figures` the vault and the keys, between `table
figures` the balance table, between `clearing figures` the clearing, each where something of it was measured. The prose
around is written by hand. With --second the blocks of a second processor are written, without every median. On a processor
without AVX-512 the clearing's own kernel is the one for AVX2. With --check the table is printed and nothing is written. Exit code: 0 done, 1 a line was not measured.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
FIGURES, TABLE_FIGURES, CLEARING_FIGURES, ATTESTATION_FIGURES = "figures", "table figures", "clearing figures", "attestation figures"
SECOND = ", second processor"
OURS, FLOOR = "ccc", "floor"
# What decides which backend of the curve is compiled in or chosen.
FLAGS = ("avx2", "bmi2", "avx512f", "avx512vl", "avx512ifma")
CLOCKS = {"wall": "wall clock", "processor": "processor time of the process (`tools/cpu_time.c`)"}


@dataclass(frozen=True)
class Against:
    """Something that the same run measured: how many times our time it should take at least."""

    label: str
    function: str
    least: float | None = None
    value: str | None = None  # another size than the line's
    most: float | None = None  # times our time at most
    group: str | None = None  # another group than the line's
    wall: bool = False  # says something on the wall clock alone


@dataclass(frozen=True)
class Line:
    """A line of the table: a group, a size in it, and what is to be reached."""

    title: str
    group: str
    value: str | None = None
    most: float | None = None  # times the floor
    against: tuple[Against, ...] = field(default=())
    ours: str = OURS


def clearing(times, most, kernel, ours, sort=None, bitonic=None):
    """The heart of a clearing at a size, by a kernel."""
    against = (Against("sort and fill", "sort and fill", sort), Against("oblivious sort", "oblivious bitonic", bitonic))
    return Line(f"clear {times} orders, {kernel}", "clearing/heart", times, most, (*against, Against("histogram", "histogram")), ours)


def sweep(times):
    """A third of what rests in an order book, beside two order books."""
    return Line(f"sweep of a third, {times} orders", "clearing/book", times, None, (Against("lobster", "lobster"), Against("orderbook-rs", "orderbook-rs")))


def peers(threshold_crypto=None, blsttc=None, suffix=""):
    """The two libraries on BLS12-381."""
    return (
        Against("threshold_crypto", "threshold_crypto" + suffix, threshold_crypto),
        Against("blsttc", "blsttc" + suffix, blsttc),
    )


# What a user might write, and what more deltas or a second thread make of an update.
CHACHA, AES = "table/chacha20-poly1305", "table/aes-256-gcm"
TABLE = (
    Against("floor with associated data", "floor, associated data"),
    Against("naive", "naive"),
    Against("row by row", "row by row"),
    Against("K = 256", "K = 256", most=1.3),
)
TWO_THREADS = (Against("two threads", "two threads", most=0.56, wall=True),)
FASTER = (Against("ChaCha20-Poly1305", OURS, 2, group=CHACHA),)
LARGE = "(67,100)"
LINES = (
    Line("combine and open from bytes (67,100)", "vault/combine", LARGE, 1.3, peers(15, 7)),
    Line("combine, the last 67 of 100, from bytes", "vault/combine, the last t", LARGE, 1.3, peers(15, 7)),
    Line("verify 67 shares from bytes (67,100)", "vault/verify t shares", LARGE, 1.3, peers(None, 25)),
    Line("encrypt 32 B", "vault/encrypt", None, 1.3, peers(None, 5)),
    Line("encrypt 32 B, key prepared", "vault/encrypt, prepared", None, None, peers(None, 5)),
    Line("verify a ciphertext", "vault/verify", None, 1.3, peers(None, 10)),
    Line("make a share, with proof", "vault/share", None, None, peers(suffix=", ciphertext verified again")),
    Line("node step, one ciphertext", "vault/node step", "1", 1.3),
    Line("node step, each of 64", "vault/node step", "64", 1.3, (Against("single", OURS, 2, "1"),)),
    Line("node step, each of 1000", "vault/node step", "1000", None, (Against("single", OURS, None, "1"),)),
    Line("node step, compact, one ciphertext", "vault/node step, compact"),
    Line("enclave, compact, from bytes (67,100)", "vault/open in the enclave, compact", LARGE, 1.3, (Against("one by one", "one by one", 100),)),
    Line("enclave, sealed, from bytes (67,100)", "vault/open in the enclave", LARGE, None, (Against("one by one", "one by one"),)),
    Line("dealings to keys, from bytes (11,16)", "keys/dealings to keys", "(11,16)", None, (Against("frost part 3", "frost part 3"),)),
    Line("dealings to keys, from bytes (67,100)", "keys/dealings to keys", LARGE, None, (Against("frost part 3", "frost part 3"),)),
    Line("dealings to keys, decoded (11,16)", "keys/decoded dealings to keys", "(11,16)", None, (Against("frost part 3", "frost part 3", 20),)),
    Line("dealings to keys, decoded (67,100)", "keys/decoded dealings to keys", LARGE, None, (Against("frost part 3", "frost part 3", 20),)),
    Line("key generation, one node (67,100)", "keys/generation, one node", LARGE, None, (Against("frost parts 1 to 3", "frost parts 1 to 3"),)),
    Line("refresh, one node, from bytes (67,100)", "keys/refresh", LARGE),
    Line("reshare to (67,100), one node, from bytes (67,100)", "keys/reshare", LARGE),
    Line("dealer (67,100)", "keys/dealer", LARGE, None, peers()),
    Line("table update 2^12, two passes", CHACHA, "2^12", 1.15, TABLE),
    Line("table update 2^16, two passes", CHACHA, "2^16", 1.15, TABLE),
    Line("table update 2^20, two passes", CHACHA, "2^20", 1.15, TABLE + TWO_THREADS),
    Line("table update 2^12, AES-256-GCM", AES, "2^12", 1.25, TABLE + FASTER),
    Line("table update 2^16, AES-256-GCM", AES, "2^16", 1.25, TABLE + FASTER),
    Line("table update 2^20, AES-256-GCM", AES, "2^20", 1.25, TABLE + FASTER + TWO_THREADS),
    Line("state tree 2^16", "table/state tree", "2^16", 1.2),
    clearing("2^10", 5, "AVX-512", OURS),
    clearing("2^17", 5, "AVX-512", OURS),
    clearing("2^20", 5, "AVX-512", OURS, 25, 230),
    clearing("2^10", 10, "AVX2", "avx2"),
    clearing("2^17", 10, "AVX2", "avx2"),
    clearing("2^20", 10, "AVX2", "avx2", 12, 100),
    clearing("2^10", 10, "portable", "portable"),
    clearing("2^17", 10, "portable", "portable"),
    clearing("2^20", 10, "portable", "portable", 12, 100),
    Line("standing orders to priced fills, 2^20, four solves", "clearing/whole", "2^20", None, (Against("one solve", "one solve"), Against("portable", "portable"))),
    Line("open, clear and seal, 1 024 makers", "clearing/round", "2^10", 1.3),
    Line("Nitro document", "attestation/nitro", None, 1.5),
    Line("Nitro document, chain known", "attestation/nitro, chain known", None, 1.5),
    Line("SEV-SNP report", "attestation/snp", None, 1.5),
    Line("SEV-SNP report, chain known", "attestation/snp, chain known", None, 1.5),
    Line("TDX quote", "attestation/tdx", None, 1.5),
    Line("SGX quote", "attestation/sgx", None, 1.5),
    Line("result of an admitted identity", "attestation/identity", None, 1.5),
    sweep("2^10"),
    sweep("2^17"),
    sweep("2^20"),
)
HEART, AVX2, PORTABLE = "clearing/heart", "avx2", "portable"
KERNELS = ((OURS, "AVX-512"), (AVX2, "AVX2"), (PORTABLE, "portable"))
# What a room's groups begin with, and the block of its lines.
ROOMS = {"table/": TABLE_FIGURES, "clearing/": CLEARING_FIGURES, "attestation/": ATTESTATION_FIGURES}
# Groups without a line, of which the sentences of a block speak.
BESIDE = {CLEARING_FIGURES: {"clearing/growth"}}


def measured(folder):
    """(group, function, value) → median in nanoseconds, of one element where a bench handles several at once."""
    figures = {}
    for described in sorted(Path(folder).rglob("new/benchmark.json")):
        bench = json.loads(described.read_text())
        estimates = json.loads((described.parent / "estimates.json").read_text())
        key = (bench["group_id"], bench["function_id"], bench["value_str"])
        figures[key] = estimates["median"]["point_estimate"] / elements(bench["throughput"])
    return figures


def elements(throughput):
    return throughput["Elements"] if throughput and "Elements" in throughput else 1


def time(nanoseconds):
    """Three digits with a unit."""
    for unit, scale in (("ns", 1), ("µs", 1e3), ("ms", 1e6)):
        if nanoseconds < 999.5 * scale:
            return f"{three_digits(nanoseconds / scale)} {unit}"
    return f"{three_digits(nanoseconds / 1e9)} s"


def three_digits(number):
    return f"{number:.{max(0, 2 - max(0, len(str(int(number))) - 1))}f}"


def ratios(line, figures):
    """(times the floor, [(what, times ours)]) of a line; None for what was not measured."""
    ours = figures.get((line.group, line.ours, line.value))
    floor = figures.get((line.group, FLOOR, line.value))
    over = ours / floor if ours and floor else None
    others = []
    for other in line.against:
        theirs = figures.get((other.group or line.group, other.function, other.value or line.value))
        others.append((other, theirs / ours if ours and theirs else None))
    return over, others


def missing(line, figures):
    """What the line needs and the run did not measure."""
    needed = [(line.group, name, line.value) for name in (line.ours, FLOOR)]
    needed += [(other.group or line.group, other.function, other.value or line.value) for other in line.against]
    return ["/".join(part for part in key if part) for key in needed if key not in figures]


def goal(line):
    parts = [f"≤ {line.most} × floor"] if line.most else []
    parts += [f"≥ {other.least:g} × {other.label}" for other in line.against if other.least]
    parts += [f"{other.label} ≤ {other.most:g} ×" for other in line.against if other.most]
    return "; ".join(parts) or "stated"


def verdict(line, figures):
    """yes, the ratios that fall short, or nothing where there is no goal."""
    over, others = ratios(line, figures)
    short = [f"{over:.2f} × floor"] if line.most and over > line.most else []
    short += [f"{times:.1f} × {other.label}" for other, times in others if other.least and times < other.least]
    short += [f"{other.label} {times:.2f} ×" for other, times in others if other.most and times > other.most]
    if goal(line) == "stated":
        return ""
    return "no: " + "; ".join(short) if short else "yes"


def row(line, default, native):
    over, others = ratios(line, default)
    key = (line.group, line.ours, line.value)
    compared = ", ".join(f"{other.label} {times:.{2 if other.most else 1}f} ×" for other, times in others)
    cells = [line.title, time(default[key]), time(default[(line.group, FLOOR, line.value)]), f"{over:.2f}", compared]
    cells += [goal(line), verdict(line, default)]
    if native is not None:
        faster, _ = ratios(line, native)
        cells += [time(native[key]) if key in native else "", f"{faster:.2f}" if faster else ""]
    return "| " + " | ".join(cells) + " |"


def heads(native):
    names = ["step", "median", "floor", "× floor", "what the others take", "goal", "reached"]
    names += ["native", "× floor, native"] if native is not None else []
    return "| " + " | ".join(names) + " |"


def block_of(group):
    return next((block for room, block in ROOMS.items() if group.startswith(room)), FIGURES)


def kernels(figures):
    """The clearing's kernels as (function, name). A program chooses the best: AVX2 where the run names none beside it."""
    if any(function == AVX2 for _, function, _ in figures):
        return KERNELS
    return tuple((OURS if function == AVX2 else function, name) for function, name in KERNELS if function != OURS)


def of_kernels(line, figures):
    """The line under the kernel that was measured, or none."""
    if line.group != HEART or line.ours == PORTABLE:
        return line
    named = dict((name, function) for function, name in kernels(figures))
    name = line.title.rpartition(", ")[2]
    return replace(line, ours=named[name]) if name in named else None


def wanted(figures, block, clock):
    """The lines of a block, if anything of it was measured; of the rooms of `ROOMS` those of the groups that were."""
    ours = [line for line in LINES if block_of(line.group) == block]
    ours = [line for line in (of_kernels(line, figures) for line in ours) if line]
    groups = {line.group for line in ours} & {group for group, _, _ in figures}
    lines = [line for line in ours if line.group in groups or (groups and block == FIGURES)]
    shown = lambda line: tuple(other for other in line.against if clock == "wall" or not other.wall)
    return [replace(line, against=shown(line)) for line in lines]


def sentences(block, figures):
    """Of the clearing: how the time of one order grows."""
    lines = []
    for ours, kernel in kernels(figures) if block == CLEARING_FIGURES else ():
        least, most = (figures.get(("clearing/growth", ours, size)) for size in ("10^4", "10^6"))
        if least and most:
            growth = most / 1e6 / (least / 1e4)
            lines.append(f"- clearing, {kernel}: time per order at 10^6 is {growth:.2f} × that at 10^4 (goal: 0.7 to 1.3)")
    return ["", *lines] if lines else []


def table(lines, default, native):
    head = heads(native)
    return [head, "|" + "---|" * (head.count("|") - 1), *(row(line, default, native) for line in lines)]


def every_figure(groups, default, native):
    """All medians, so that a ratio can be checked."""
    names = ["bench", "median"] + (["native"] if native is not None else [])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for key in sorted((key for key in default if key[0] in groups), key=lambda key: tuple(part or "" for part in key)):
        cells = ["/".join(part for part in key if part), time(default[key])]
        if native is not None:
            cells.append(time(native[key]) if key in native else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def processor(text):
    """(model, flags that matter) from /proc/cpuinfo."""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    return fields.get("model name", platform.machine()), [flag for flag in FLAGS if flag in flags]


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def circumstances(clock, native):
    model, flags = processor(Path("/proc/cpuinfo").read_text())
    commit = output("git", "rev-parse", "--short=10", "HEAD")
    builds = ["default: release profile of `Cargo.toml`, flags of `.cargo/config.toml`"]
    builds += ['native: the same with `RUSTFLAGS="-C target-cpu=native"`'] if native is not None else []
    return [
        f"- processor: {model}, {os.cpu_count()} cores, with {', '.join(flags) or 'none of ' + ', '.join(FLAGS)}",
        f"- compiler: {output('rustc', '--version')}",
        f"- commit: {commit}",
        f"- builds: {'; '.join(builds)}",
        f"- clock: {CLOCKS[clock]}; load average when this was written: {os.getloadavg()[0]:.1f}",
    ]


def figures(block, lines, default, native, about, second=False):
    if second:
        return "\n".join([*about, "", *table(lines, default, native), *sentences(block, default)])
    every = every_figure({line.group for line in lines} | BESIDE.get(block, set()), default, native)
    shown = [*table(lines, default, native), *sentences(block, default)]
    return "\n".join([*about, "", *shown, "", "Every median of these groups:", "", *every])


def marks(block):
    return f"<!-- {block}: begin -->", f"<!-- {block}: end -->"


def replaced(document, block, text):
    """The document with the text between the marks of a block."""
    begin, end = marks(block)
    before, mark, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not mark or not closed:
        raise ValueError(f"the marks {begin} and {end} are missing")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def arguments():
    parser = argparse.ArgumentParser(description="Writes the figures of docs/benchmarks.md from criterion's output.")
    parser.add_argument("default", type=Path, help="criterion's folder of a default build")
    parser.add_argument("--native", type=Path, help="criterion's folder of a build for this processor")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what the runs were measured with")
    parser.add_argument("--second", action="store_true", help="write the blocks of a second processor")
    parser.add_argument("--check", action="store_true", help="print the table and write nothing")
    return parser.parse_args()


def main():
    given = arguments()
    default = measured(given.default)
    native = measured(given.native) if given.native else None
    blocks = {block: wanted(default, block, given.clock) for block in (FIGURES, TABLE_FIGURES, CLEARING_FIGURES, ATTESTATION_FIGURES)}
    blocks = {block: lines for block, lines in blocks.items() if lines}
    absent = [name for lines in blocks.values() for line in lines for name in missing(line, default)]
    absent = absent or ([] if blocks else ["line of any table"])
    for name in absent:
        print(f"error: {given.default} has no {name}", file=sys.stderr)
    if absent:
        return 1
    for block, lines in blocks.items():
        if given.check:
            print("\n".join([*table(lines, default, native), *sentences(block, default)]))
            continue
        text = figures(block, lines, default, native, circumstances(given.clock, native), given.second)
        block += SECOND if given.second else ""
        DOCUMENT.write_text(replaced(DOCUMENT.read_text(), block, text))
        print(f"{DOCUMENT.relative_to(ROOT)}, {block}: {len(lines)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
