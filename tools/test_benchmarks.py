"""The table of docs/benchmarks.md says what criterion measured."""

import json
import tempfile
import unittest
from pathlib import Path

from tools import benchmarks
from tools.benchmarks import Against, Line


class Parsing(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def write(self, group, function, value, median, throughput=None, run="new"):
        folder = self.root / group.replace("/", "_") / function / (value or "") / run
        folder.mkdir(parents=True)
        names = {"group_id": group, "function_id": function, "value_str": value, "throughput": throughput}
        (folder / "benchmark.json").write_text(json.dumps(names))
        estimates = {"mean": {"point_estimate": 9e9}, "median": {"point_estimate": median}}
        (folder / "estimates.json").write_text(json.dumps(estimates))

    def test_the_median_of_the_newest_run_counts(self):
        self.write("vault/combine", "ccc", "(67,100)", 1200.0)
        self.write("vault/combine", "ccc", "(67,100)", 7.0, run="base")
        self.write("vault/encrypt", "floor", None, 50.0)
        self.assertEqual(benchmarks.measured(self.root), {
            ("vault/combine", "ccc", "(67,100)"): 1200.0, ("vault/encrypt", "floor", None): 50.0})

    def test_a_batch_is_divided_by_its_elements_and_bytes_are_not(self):
        self.write("a", "ccc", "64", 6400.0, {"Elements": 64})
        self.write("b", "ccc", "64", 6400.0, {"Bytes": 64})
        self.assertEqual(benchmarks.measured(self.root), {("a", "ccc", "64"): 100.0, ("b", "ccc", "64"): 6400.0})


class Ratios(unittest.TestCase):
    LINE = Line("step", "g", "64", 1.3, (Against("peer", "peer", 5), Against("single", "ccc", 2, "1"), Against("twin", "twin")))
    GOOD = {("g", "ccc", "64"): 130.0, ("g", "floor", "64"): 100.0, ("g", "peer", "64"): 650.0, ("g", "ccc", "1"): 260.0, ("g", "twin", "64"): 1.0}

    def changed(self, name, value, figure):
        return {**self.GOOD, ("g", name, value): figure}

    def test_a_goal_is_reached_at_its_bound_and_missed_beyond(self):
        self.assertEqual(benchmarks.verdict(self.LINE, self.GOOD), "yes")
        self.assertEqual(benchmarks.verdict(self.LINE, self.changed("floor", "64", 99.0)), "no: 1.31 × floor")
        self.assertEqual(benchmarks.verdict(self.LINE, self.changed("peer", "64", 637.0)), "no: 4.9 × peer")
        self.assertEqual(benchmarks.verdict(self.LINE, self.changed("ccc", "1", 247.0)), "no: 1.9 × single")

    def test_a_line_without_goal_has_no_verdict(self):
        line = Line("step", "g", "64", None, (Against("twin", "twin"),))
        self.assertEqual((benchmarks.goal(line), benchmarks.verdict(line, self.GOOD)), ("stated", ""))

    def test_what_was_not_measured_is_named(self):
        figures = {key: figure for key, figure in self.GOOD.items() if key[1] != "peer"}
        self.assertEqual(benchmarks.missing(self.LINE, figures), ["g/peer/64"])
        self.assertEqual(benchmarks.missing(self.LINE, self.GOOD), [])

    def test_a_row_has_a_cell_for_every_head(self):
        for native in (None, {}, self.GOOD):
            cells = benchmarks.row(self.LINE, self.GOOD, native).count("|")
            self.assertEqual(cells, benchmarks.heads(native).count("|"))


class Text(unittest.TestCase):
    def test_times_have_three_digits(self):
        shown = {0.9: "0.90 ns", 12.34: "12.3 ns", 999.4: "999 ns", 999.6: "1.00 µs", 1234.0: "1.23 µs", 9.1364e6: "9.14 ms", 1.5e9: "1.50 s"}
        self.assertEqual({figure: benchmarks.time(figure) for figure in shown}, shown)

    def test_only_the_marked_part_is_replaced(self):
        begin, end = benchmarks.marks("figures")
        others = "\n".join(benchmarks.marks("table figures"))
        document = f"before\n{begin}\nold\n{end}\nafter\n{others}"
        once = benchmarks.replaced(document, "figures", "new")
        self.assertEqual(once, f"before\n{begin}\n\nnew\n\n{end}\nafter\n{others}")
        self.assertEqual(benchmarks.replaced(once, "figures", "new"), once)
        for broken in ("no marks", begin, end):
            with self.assertRaises(ValueError):
                benchmarks.replaced(broken, "figures", "new")

    def test_a_block_is_written_where_something_of_it_was_measured(self):
        named = lambda figures, block: [line.title for line in benchmarks.wanted(figures, block, "wall")]
        measured = {("table/state tree", "ccc", "2^16"): 1.0}
        self.assertEqual(named(measured, "figures"), [])
        self.assertEqual(named(measured, "table figures"), ["state tree 2^16"])
        measured = {("vault/combine", "ccc", "(67,100)"): 1.0}
        self.assertEqual(named(measured, "table figures"), [])
        self.assertGreater(len(named(measured, "figures")), 10)

    def test_what_says_something_on_the_wall_clock_alone_is_left_out_on_another(self):
        measured = {("table/chacha20-poly1305", "ccc", "2^20"): 1.0}
        for clock, shown in (("wall", True), ("processor", False)):
            lines = benchmarks.wanted(measured, "table figures", clock)
            self.assertEqual(any(other.wall for line in lines for other in line.against), shown)

    def test_a_bound_from_above_is_held(self):
        line = Line("step", "g", "64", None, (Against("twin", "twin", most=1.3), Against("far", "ccc", 2, group="h")))
        figures = {**self.LEAST, ("g", "twin", "64"): 131.0}
        self.assertEqual(benchmarks.goal(line), "≥ 2 × far; twin ≤ 1.3 ×")
        self.assertEqual(benchmarks.verdict(line, self.LEAST), "yes")
        self.assertEqual(benchmarks.verdict(line, figures), "no: twin 1.31 ×")
        self.assertEqual(benchmarks.missing(line, {("g", "ccc", "64"): 1.0, ("g", "floor", "64"): 1.0}), ["g/twin/64", "h/ccc/64"])

    LEAST = {("g", "ccc", "64"): 100.0, ("g", "floor", "64"): 100.0, ("g", "twin", "64"): 130.0, ("h", "ccc", "64"): 200.0}

    def test_the_processor_is_read(self):
        text = "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu avx2 avx512ifma\n"
        self.assertEqual(benchmarks.processor(text), ("A CPU", ["avx2", "avx512ifma"]))


if __name__ == "__main__":
    unittest.main()
