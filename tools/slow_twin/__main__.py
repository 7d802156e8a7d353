"""python3 -m tools.slow_twin --write | --check"""

import sys
from pathlib import Path

from . import catalogue, render

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "ccc"


def main(arguments):
    if arguments not in (["--write"], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    different = []
    for name, make in catalogue.FILES.items():
        path, text = FOLDER / f"{name}.json", render.to_text(make())
        if arguments == ["--write"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            different.append(path.name)
    known = {f"{name}.json" for name in catalogue.FILES}
    different += [p.name for p in FOLDER.glob("*.json") if p.name not in known and arguments == ["--check"]]
    for name in different:
        print(f"differs: {name}", file=sys.stderr)
    return 1 if different else 0


sys.exit(main(sys.argv[1:]))
