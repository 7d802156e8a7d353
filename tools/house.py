#!/usr/bin/env python3
"""Checks the rules of CONTRIBUTING.md that no compiler knows, over every file that git tracks.

    python3 tools/house.py

1. No file holds an expression of .ci/words: paths of one machine, hosts of package registries, praise, unfinished work.
2. The workspace forbids unsafe code, and every crate takes the workspace's lints. Two crates deny where the workspace
   forbids, have the same lints otherwise, and allow unsafe code in one file each.
3. No file named utils or prelude; no source file above 700 lines.
4. The lock files know one package source, and npm's knows no address.
5. Every docs/ path that a file names is there.

Exit code: 0 clean, 1 something is not.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORDS = ".ci/words"
LOCK_FILES = ("Cargo.lock", "fuzz/Cargo.lock", "package-lock.json")
# The licence texts and outside test data are not ours to word.
NOT_OURS = re.compile(r"^(LICENSE-|vectors/(?!ccc/))")
MAX_LINES = 700
# The crates with unsafe code, and of each the one file: vectors, and the question to valgrind that no program ships.
UNSAFE = {
    "crates/darkpool-matcher": "src/kernel/ifma.rs",
    "benches/memcheck": "src/request.rs",
}
UNSAFE_FILES = {f"{crate}/{file}" for crate, file in UNSAFE.items()}
ALLOWS_UNSAFE = re.compile(r"^\s*#!?\[(?:allow|expect|warn)\([^\]]*\bunsafe_code\b", re.MULTILINE)
# A path under docs/ of this repository: not the tail of a longer path or of an address.
DOCUMENT = re.compile(r"(?<![\w./-])(?:\.\./)*(docs/[\w./-]*\w)")


def tracked(root):
    """Paths of all tracked files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.split("\0") if path and (root / path).is_file()]


def patterns(text):
    """(expression, reason) pairs; a reason is a comment line and holds for the lines below it."""
    reason = "no reason given"
    for line in text.splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line.strip():
            yield re.compile(line.strip()), reason


def word_errors(path, text, forbidden):
    for number, line in enumerate(text.splitlines(), 1):
        for expression, reason in forbidden:
            found = expression.search(line)
            if found:
                yield f"{path}:{number}: `{found.group()}`: {reason}"


def shape_errors(path, text):
    stem = Path(path).stem.lower()
    if path.endswith((".rs", ".sol")):
        if stem in ("util", "utils", "prelude", "helpers", "misc"):
            yield f"{path}: a file is named after what it holds"
        lines = text.count("\n")
        if lines > MAX_LINES:
            yield f"{path}: {lines} lines, the limit is {MAX_LINES}"


def document_errors(root, path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for named in DOCUMENT.findall(line):
            if not (root / named).exists():
                yield f"{path}:{number}: {named} is named and is not there"


def crate_errors(root, manifest):
    content = tomllib.loads((root / manifest).read_text())
    if manifest == "Cargo.toml" and content["workspace"]["lints"]["rust"].get("unsafe_code") != "forbid":
        yield f'{manifest}: the workspace lint unsafe_code = "forbid" is missing'
    outside = "workspace" in content  # fuzz and the importer are workspaces of their own
    if "package" in content and not outside and content.get("lints") != expected_lints(root, manifest):
        yield f"{manifest}: [lints] workspace = true is missing, or the lints of a crate that has its own differ"


def expected_lints(root, manifest):
    """The workspace's lints; of a crate with unsafe code, the same by value, with "deny" for "forbid"."""
    if manifest.removesuffix("/Cargo.toml") not in UNSAFE:
        return {"workspace": True}
    lints = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["lints"]
    return {**lints, "rust": {**lints["rust"], "unsafe_code": "deny"}}


def unsafe_errors(path, text):
    if path.endswith(".rs") and path not in UNSAFE_FILES and ALLOWS_UNSAFE.search(text):
        yield f"{path}: unsafe code is allowed in {' and '.join(sorted(UNSAFE_FILES))} alone"


def lock_errors(path, text):
    if path == "package-lock.json":
        if '"resolved"' in text:
            yield f"{path}: holds download addresses"
        return
    for source in sorted(set(re.findall(r'^source = "(.*)"', text, re.MULTILINE))):
        if source != "registry+https://github.com/rust-lang/crates.io-index":
            yield f"{path}: unknown source {source}"


def text_of(file):
    """The text of a file, or None where it is not text."""
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return None


def file_errors(root, path, forbidden):
    text = text_of(root / path)
    if text is None:
        return
    if path in LOCK_FILES:
        yield from lock_errors(path, text)
        return
    if path != WORDS and not NOT_OURS.match(path):
        yield from word_errors(path, text, forbidden)
        yield from document_errors(root, path, text)
    yield from shape_errors(path, text)
    yield from unsafe_errors(path, text)


def errors(root):
    forbidden = list(patterns((root / WORDS).read_text()))
    for path in tracked(root):
        yield from file_errors(root, path, forbidden)
        if Path(path).name == "Cargo.toml":
            yield from crate_errors(root, path)


def main():
    wrong = list(errors(ROOT))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    print(f"house: {len(wrong)} errors")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
