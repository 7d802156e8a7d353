#!/usr/bin/env python3
"""Checks docs/negative-tests.md: every number once, and every test that a row names exists.

    python3 tools/negative_tests.py

A row:  | number | what | status | tests and rooms |
  covered   names one test or more
  partly    names one test or more, and after `later:` what is missing and in which room it will be
  later     names no test; `later:` and the room
A test is written `path/to/file::name`. In a .rs file `fn name` must stand under a test attribute or inside `proptest!`,
and must not be ignored; in a .sol file it must be `function name`.

Exit code: 0 all is as the table says, 1 something is not.
"""

import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "negative-tests.md"
NUMBERS = range(1, 157)
STATUSES = ("covered", "partly", "later")

ROW = re.compile(r"^\| *(\d+) *\|")
REFERENCE = re.compile(r"`([\w./-]+\.(?:rs|sol))::(\w+)`")
ATTRIBUTE = re.compile(r"^\s*#\[")
TEST_ATTRIBUTE = re.compile(r"^\s*#\[(?:\w+::)*test\b")


def rows(text):
    """(number, what, status, cell) of each row of the table."""
    for line in text.splitlines():
        if ROW.match(line):
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            yield (int(cells[0]), *cells[1:]) if len(cells) == 4 else (int(cells[0]), "", "", "")


def row_errors(number, what, status, cell):
    """What is wrong with a row by itself."""
    tests, later = REFERENCE.findall(cell), "later:" in cell
    if not what or status not in STATUSES:
        yield f"{number}: a row has four cells and one of {', '.join(STATUSES)}"
    if status in ("covered", "partly") and not tests:
        yield f"{number}: {status}, yet it names no test"
    if status == "later" and tests:
        yield f"{number}: later, yet it names a test"
    if status in ("partly", "later") and not later:
        yield f"{number}: {status}, yet no room is named after `later:`"
    if status == "covered" and later:
        yield f"{number}: covered, yet something is left for later"


def attributes_above(lines, index):
    """The attribute lines directly above a line, comments passed over."""
    found = []
    while index > 0 and (ATTRIBUTE.match(lines[index - 1]) or lines[index - 1].lstrip().startswith("//")):
        index -= 1
        found.append(lines[index])
    return [line for line in found if ATTRIBUTE.match(line)]


def rust_test_error(text, name):
    """Why `name` is not a test of this Rust file, or None."""
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if re.match(rf"\s*(?:async )?fn {name}\b", line)]
    if not places:
        return "no such function"
    attributes = [attributes_above(lines, place) for place in places]
    if any("#[ignore" in line for lines_above in attributes for line in lines_above):
        return "the test is ignored"
    if not any(TEST_ATTRIBUTE.match(line) for lines_above in attributes for line in lines_above):
        return "the function is not a test"
    return None


def solidity_test_error(text, name):
    """Why `name` is not a test of this Solidity file, or None."""
    if not re.match(r"test|invariant|table", name):
        return "forge runs only functions whose name starts with test, invariant or table"
    return None if re.search(rf"\bfunction {name}\b", text) else "no such function"


def reference_error(root, path, name):
    """Why `path::name` does not name a test, or None."""
    file = root / path
    if not file.is_file():
        return "no such file"
    check = solidity_test_error if path.endswith(".sol") else rust_test_error
    return check(file.read_text(), name)


def errors(root, text):
    """Everything that is wrong with the table."""
    found = list(rows(text))
    numbers = [row[0] for row in found]
    if numbers != list(NUMBERS):
        missing = sorted(set(NUMBERS) - set(numbers))
        twice = sorted(n for n, times in Counter(numbers).items() if times > 1)
        yield f"rows are 1 to {NUMBERS[-1]} in order; missing {missing}, repeated {twice}, found {len(numbers)}"
    for number, what, status, cell in found:
        yield from row_errors(number, what, status, cell)
        for path, name in REFERENCE.findall(cell):
            reason = reference_error(root, path, name)
            if reason:
                yield f"{number}: {path}::{name}: {reason}"


def main():
    text = TABLE.read_text()
    wrong = list(errors(ROOT, text))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    counts = Counter(status for _, _, status, _ in rows(text))
    print("negative tests: " + ", ".join(f"{counts[status]} {status}" for status in STATUSES))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
