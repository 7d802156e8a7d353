#!/usr/bin/env python3
"""Checks what `ccc recover --json` printed: against its schema, the exit code that came with it, and its scenario.

    python3 tools/recovery.py SCHEMA RESULT EXIT_CODE EXPECT [SCENARIO]

EXPECT is the final status that the caller knows to be right: solvent, insolvent or unknown. The participants at fault in
a scenario are named in the result, and nobody else.

Exit code: 0 all holds, 1 something does not.
"""

import json
import sys
import tomllib
from pathlib import Path

import jsonschema

# The exit code says whether the reserve is solvent in the end.
EXPECTED_CODE = {"solvent": 0, "insolvent": 1, "unknown": 1}


def errors(schema, result, code, expect):
    for error in jsonschema.Draft202012Validator(schema).iter_errors(result):
        yield f"{error.json_path}: {error.message}"
    status = result.get("final_status")
    if EXPECTED_CODE.get(status) != code:
        yield f"final_status {status!r} came with exit code {code}"
    if status != expect:
        yield f"final_status is {status!r}, expected {expect!r}"


def span_errors(result):
    shown = [span["status"] for span in result["spans"] if "status" in span]
    expected = [result["initial_status"], result["final_status"]]
    if shown[:1] + shown[-1:] != expected:
        yield f"the steps show {shown}, the object says {expected}"


def culprit_errors(scenario, result):
    faults = scenario.get("faults", {})
    expected = sorted({*faults.get("lying", []), *faults.get("silent", [])})
    found = sorted({culprit["participant"] for culprit in result["culprits"]})
    if expected != found:
        yield f"participants {expected} are at fault, and {found} are named"


def route_errors(scenario, result):
    # Who has a market swaps what is small enough for it; everything else is asked of the dark pool.
    expected = ("split" if "buffer" in scenario else "direct") if "market" in scenario else "dark"
    if result["route"] != expected:
        yield f"the route is {result['route']!r}, expected {expected!r}"


def main(schema, result, code, expect, scenario=None):
    if expect not in EXPECTED_CODE:
        print(f"error: EXPECT is {expect!r}, it is one of {', '.join(EXPECTED_CODE)}", file=sys.stderr)
        return 1
    found = json.loads(Path(result).read_text())
    wrong = list(errors(json.loads(Path(schema).read_text()), found, int(code), expect))
    if not wrong:
        wrong += span_errors(found)
    if scenario and not wrong:
        told = tomllib.loads(Path(scenario).read_text())
        wrong += [*culprit_errors(told, found), *route_errors(told, found)]
    for line in wrong:
        print(f"error: {result}: {line}", file=sys.stderr)
    if not wrong:
        print(f"{found['scenario']}: {found['initial_status']} to {found['final_status']}, exit code {code}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
