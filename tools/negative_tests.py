#!/usr/bin/env python3
"""Checks docs/negative-tests.md: every number once, and every test that a row names exists.

    python3 tools/negative_tests.py            check
    python3 tools/negative_tests.py --write    put tests whose names carry a number into the row of that number

A row:  | number | what | status | tests and rooms |
  covered   names one test or more
  partly    names one test or more, and after `later:` what is missing or the room where it will be
  later     names no test; `later:` and the room
A test is written `path/to/file::name`. In a .rs file `fn name` must stand under a test attribute and must not be ignored;
in a .sol file it must be `function name`. A test whose name carries numbers (`n041_…`, `n067_n068_…`, `n156b_…` in
Rust, `…_n41` in Solidity) must stand in the row of each.

Exit code: 0 all is as the table says, 1 something is not.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "negative-tests.md"
NUMBERS = range(1, 157)
STATUSES = ("covered", "partly", "later")

ROW = re.compile(r"^\| *(\d+) *\|")
REFERENCE = re.compile(r"`([\w./-]+\.(?:rs|sol))::(\w+)`")
LATER = re.compile(r"(later: .*)$")
RUST_FUNCTION = re.compile(r"^\s*(?:async )?fn (\w+)")
TEST_ATTRIBUTE = re.compile(r"^\s*#\[(?:\w+::)*test\b")
SOLIDITY_TEST = re.compile(r"\bfunction ((?:test|invariant|table)\w*)")
NUMBERED = re.compile(r"^(?:n\d{3}[a-z]?_)+|_n\d+$")


# ---- the sources


def attributes_above(lines, index):
    """The attribute lines directly above a line; comments are passed over."""
    found = []
    while index > 0 and lines[index - 1].lstrip().startswith(("#[", "//")):
        index -= 1
        found.append(lines[index])
    return [line for line in found if line.lstrip().startswith("#[")]


def rust_tests(text):
    """{name: is it ignored} of each test of a Rust file."""
    lines = text.splitlines()
    tests = {}
    for index, line in enumerate(lines):
        function = RUST_FUNCTION.match(line)
        attributes = attributes_above(lines, index) if function else []
        if any(TEST_ATTRIBUTE.match(a) for a in attributes):
            tests[function.group(1)] = any("#[ignore" in a for a in attributes)
    return tests


def tests_of(file):
    """{name: is it ignored} of each test of a source file."""
    text = file.read_text()
    if file.suffix == ".sol":
        return dict.fromkeys(SOLIDITY_TEST.findall(text), False)
    return rust_tests(text)


def reference_error(root, path, name):
    """Why `path::name` does not name a test that runs, or None."""
    file = root / path
    if not file.is_file():
        return "no such file"
    tests = tests_of(file)
    if name not in tests:
        return "no such test"
    return "the test is ignored" if tests[name] else None


def numbered(root):
    """{number: [(path, name)]} of all tests whose names carry a number."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "*.rs", "*.sol"], cwd=root, check=True, capture_output=True, text=True
    )
    found = defaultdict(list)
    for path in filter(None, listed.stdout.split("\0")):
        for name in tests_of(root / path):
            carried = NUMBERED.search(name)
            for number in re.findall(r"\d+", carried.group()) if carried else []:
                found[int(number)].append((path, name))
    return found


# ---- the table


def rows(text):
    """(number, what, status, cell) of each row of the table."""
    for line in text.splitlines():
        if ROW.match(line):
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            yield (int(cells[0]), *cells[1:]) if len(cells) == 4 else (int(cells[0]), "", "", "")


def row_errors(number, what, status, cell):
    """What is wrong with a row by itself."""
    tests, later = REFERENCE.findall(cell), LATER.search(cell)
    if not what or status not in STATUSES:
        yield f"{number}: a row has four cells and one of {', '.join(STATUSES)}"
    if status in ("covered", "partly") and not tests:
        yield f"{number}: {status}, yet it names no test"
    if status == "later" and tests:
        yield f"{number}: later, yet it names a test"
    if status in ("partly", "later") and not later:
        yield f"{number}: {status}, yet nothing stands after `later:`"
    if status == "covered" and later:
        yield f"{number}: covered, yet something is left for later"


def errors(root, text):
    """Everything that is wrong with the table."""
    found, by_number = list(rows(text)), numbered(root)
    numbers = [row[0] for row in found]
    if numbers != list(NUMBERS):
        missing = sorted(set(NUMBERS) - set(numbers))
        twice = sorted(n for n, times in Counter(numbers).items() if times > 1)
        yield f"rows are 1 to {NUMBERS[-1]} in order; missing {missing}, repeated {twice}, found {len(numbers)}"
    for number, what, status, cell in found:
        yield from row_errors(number, what, status, cell)
        named = REFERENCE.findall(cell)
        for path, name in named:
            reason = reference_error(root, path, name)
            if reason:
                yield f"{number}: {path}::{name}: {reason}"
        for path, name in by_number.get(number, []):
            if (path, name) not in named:
                yield f"{number}: {path}::{name} carries the number and is not in the row"


def updated_row(line, found):
    """The row with the numbered tests in place and those that are gone taken out."""
    number, what, status, cell = next(rows(line))
    kept = [ref for ref in REFERENCE.findall(cell) if reference_error(ROOT, *ref) is None]
    named = kept + [ref for ref in found.get(number, []) if ref not in kept]
    later = LATER.search(cell)
    if status == "later" and named:
        status = "partly"
    if not named:
        status = "later"
    parts = [", ".join(f"`{path}::{name}`" for path, name in named), later.group(1) if later else ""]
    return f"| {number} | {what} | {status} | {'; '.join(filter(None, parts))} |"


def write(text):
    found = numbered(ROOT)
    lines = [updated_row(line, found) if ROW.match(line) else line for line in text.splitlines()]
    TABLE.write_text("\n".join(lines) + "\n")


def main(arguments):
    if arguments not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 1
    if arguments:
        write(TABLE.read_text())
    text = TABLE.read_text()
    wrong = list(errors(ROOT, text))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    counts = Counter(status for _, _, status, _ in rows(text))
    print("negative tests: " + ", ".join(f"{counts[status]} {status}" for status in STATUSES))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
