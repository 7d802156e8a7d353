#!/usr/bin/env python3
"""Holds deploy/ against what the command accepts: the compose file's services, their configuration, the systemd unit.

    python3 tools/deploy.py PATH-OF-CCC

1. Every service runs `node vault` with flags that its help names; its configuration is mounted, and the command reads it
   with the service's environment: it then lacks the committee's file, and nothing before that.
2. Volumes and secrets are declared and used, and no two services share a state, a counter or a passphrase.
3. The counter lies on another volume than key file and journal. Ports are published on loopback, each once.
4. The systemd unit starts the command, and checks the configuration before, with flags that its help names.
5. The passphrase is mounted where the command looks for it, the healthcheck asks the port of health and meters, and what
   operators put into deploy/ is left out of the image's build and of git.

Exit code: 0 all holds, 1 something does not.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
PORT = re.compile(r"127\.0\.0\.1:(\d+):(\d+)")


# ---- the command


def refusal(ccc, config, variables):
    """Code and sentence with which `ccc node check-config` refuses a configuration; None where it does not."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CCC_")} | variables
    run = subprocess.run(
        [ccc, "--json", "node", "check-config", config], env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode == 0:
        return None
    said = json.loads((run.stderr or run.stdout).strip().splitlines()[-1])
    return said["code"], said["error"]


def flag_errors(ccc, words, where):
    """Flags of a command line that its help does not name."""
    named = subprocess.run([ccc, "node", "vault", "--help"], capture_output=True, text=True, check=True).stdout
    named += subprocess.run([ccc, "--help"], capture_output=True, text=True, check=True).stdout
    flags = set(re.findall(r"--[a-z][a-z-]*", named))
    for word in words:
        if word.startswith("--") and word.split("=")[0] not in flags:
            yield f"{where}: {word} is no flag"
    if "node" not in words or words[words.index("node") + 1 :][:1] != ["vault"]:
        yield f"{where}: it does not run `node vault`"


# ---- one service


def mounts(service):
    """{path inside: source} of a service's volumes."""
    return {spec.split(":")[1]: spec.split(":")[0] for spec in service.get("volumes", [])}


def variables(service):
    """The environment, with a value for what whoever starts it must say."""
    given = service.get("environment", {})
    return {name: re.sub(r"\$\{\w+:\?[^}]*\}", "http://127.0.0.1:8545", str(value)) for name, value in given.items()}


def config_errors(ccc, name, service):
    words = service.get("command", [])
    yield from flag_errors(ccc, words, name)
    inside = words[words.index("--config") + 1] if "--config" in words else None
    source = mounts(service).get(inside)
    if source is None:
        yield f"{name}: its configuration {inside} is not mounted"
        return
    path = DEPLOY / source
    found = refusal(ccc, str(path), variables(service))
    settings = tomllib.loads(path.read_text())
    if found is None or found[0] != "read" or settings["committee"] not in found[1]:
        yield f"{name}: {path.name} is not read as far as the committee: {found}"
    other = refusal(ccc, str(path), variables(service) | {"CCC_NODE_NOTHING": "1"})
    if other is None or other[0] != "node-config":
        yield f"{name}: a variable that names nothing is not refused"
    yield from place_errors(name, service, settings)
    targets = [f"/run/secrets/{secret.get('target', secret['source'])}" for secret in service.get("secrets", [])]
    if "--passphrase-file" not in words or words[words.index("--passphrase-file") + 1] not in targets:
        yield f"{name}: its passphrase file is none of {targets}"
    port = settings["operations"].rsplit(":", 1)[1]
    if f"/dev/tcp/127.0.0.1/{port}" not in " ".join(service.get("healthcheck", {}).get("test", [])):
        yield f"{name}: the healthcheck does not ask port {port}"


def volume_of(service, path):
    """The source of the volume in which a path lies."""
    inside = [at for at in mounts(service) if Path(path).is_relative_to(at)]
    return mounts(service)[max(inside, key=len)] if inside else None


def place_errors(name, service, settings):
    volumes = {key: volume_of(service, settings[key]) for key in ("key", "counter", "audit")}
    for key, volume in volumes.items():
        if volume is None or volume.startswith("."):
            yield f"{name}: {key} lies on no volume of its own"
    if volumes["counter"] == volumes["key"]:
        yield f"{name}: the counter lies where the journal does"
    for key in ("committee", "deployment", "policy"):
        if volume_of(service, settings[key]) is None:
            yield f"{name}: {key} is not mounted"
    if not settings["operations"].startswith("127.0.0.1:"):
        yield f"{name}: health and meters are reached from elsewhere"
    listen = settings["listen"].rsplit(":", 1)[1]
    for port in service.get("ports", []):
        found = PORT.fullmatch(port)
        if not found or found[2] != listen or not 1024 <= int(found[1]) <= 65535:
            yield f"{name}: the port {port} is not one of loopback to {listen}"


# ---- all of them


def used(service):
    """What no other service may use: named volumes, secrets, ports."""
    volumes = [source for source in mounts(service).values() if not source.startswith(".")]
    secrets = [secret["source"] for secret in service.get("secrets", [])]
    return volumes, secrets, service.get("ports", [])


def shared_errors(compose):
    everybody = [used(service) for service in compose["services"].values()]
    for kind, lists in zip(("volumes", "secrets", "ports"), zip(*everybody)):
        names = [name for names in lists for name in names]
        if len(names) != len(set(names)):
            yield f"two services share {kind}: {names}"
        if kind != "ports" and set(names) != set(compose[kind]):
            yield f"{kind} declared and used differ: {sorted(set(names) ^ set(compose[kind]))}"


def unit_errors(ccc, unit):
    start, before = (re.search(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE) for key in ("ExecStart", "ExecStartPre"))
    words = shlex.split(start[1])
    yield from flag_errors(ccc, words, unit.name)
    if not before or shlex.split(before[1])[1:] != ["node", "check-config", words[words.index("--config") + 1]]:
        yield f"{unit.name}: ExecStartPre does not check the configuration of ExecStart"


def leak_errors(compose):
    """What operators put beside the compose file, and is in nobody's image and in no commit."""
    sources = [secret["file"] for secret in compose["secrets"].values()]
    sources += [source for service in compose["services"].values() for source in mounts(service).values()]
    own = {path.name for path in DEPLOY.iterdir() if path.is_file()}
    wanted = {f"deploy/{source.split('/')[1]}" for source in sources if source.startswith("./")}
    wanted = {path for path in wanted if path.split("/")[1] not in own} | {"**/*.ccc"}
    for file, form in ((DEPLOY / "Containerfile.dockerignore", "{}"), (ROOT / ".gitignore", "/{}")):
        lines = file.read_text().splitlines()
        for path in sorted(wanted):
            given = "*.ccc" if path == "**/*.ccc" and file.name == ".gitignore" else form.format(path)
            if given not in lines:
                yield f"{file.name}: {given} is not left out"


def errors(ccc):
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    if len(compose["services"]) != 4:
        yield f"{len(compose['services'])} services, where a committee has 4"
    for name, service in compose["services"].items():
        yield from config_errors(ccc, name, service)
    yield from shared_errors(compose)
    yield from leak_errors(compose)
    for unit in sorted(DEPLOY.glob("*.service")):
        yield from unit_errors(ccc, unit)


def main():
    found = list(errors(sys.argv[1]))
    print("\n".join(found) if found else "deploy/ is what the command accepts")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
