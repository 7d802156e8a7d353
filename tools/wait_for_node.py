#!/usr/bin/env python3
"""Waits until a node answers eth_chainId.

    python3 tools/wait_for_node.py URL SECONDS

Exit code: 0 it answers, 1 it did not in time.
"""

import json
import sys
import time
import urllib.request

QUESTION = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()


def answers(url):
    request = urllib.request.Request(url, QUESTION, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=2) as response:
            return "result" in json.load(response)
    except (OSError, ValueError):
        return False


def main(url, seconds):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        if answers(url):
            return 0
        time.sleep(0.1)
    print(f"error: no node answers at {url} after {seconds} seconds", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
