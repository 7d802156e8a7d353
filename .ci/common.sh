# Read by every suite: where the tools of the gate are, and how the command is called.
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1
ci_root=$(pwd)
ci_tools="$ci_root/target/ci/tools"
ci_python="$ci_root/target/ci/python/bin/python3"
ci_slither="$ci_root/target/ci/slither/bin/slither"
ci_work="$ci_root/target/ci/work"
export PATH="$ci_tools/bin:$PATH"
mkdir -p "$ci_work"

# Every feature that the default build leaves out, for most need a C compiler. Whatever tests one of them takes all of them and
# the whole workspace: then cargo compiles each dependency once more, and not once per suite.
ci_features=ccc-core/suite-aes-gcm,ccc-core/bls-quorum,ccc-enclave/suite-aes-gcm,ccc-chain/bls-quorum
ci_features+=,ccc-node/provider-configfs-tsm,ccc-node/provider-nitro-nsm,ccc-cli/suite-aes-gcm
ci_features+=,ccc-store/suite-aes-gcm,ccc-store/object-store-local
ci_features+=,ccc-benches/aes,ccc-benches/bls,ccc-benches/peers-nitro

# The native binary: a signal reaches it, and it starts without node.
foundry_binary() { # forge | anvil
  local found
  for found in "$ci_root"/node_modules/@foundry-rs/"$1"-*/bin/"$1"; do
    if [ -x "$found" ]; then
      printf '%s\n' "$found"
      return 0
    fi
  done
  printf 'error: %s is not in node_modules; run .ci/run tools\n' "$1" >&2
  return 1
}

# Builds once what README's first command runs; prints the path of the program.
ccc_binary() {
  cargo build --release --locked -p ccc-cli >&2
  printf '%s\n' "$ci_root/target/release/ccc"
}

# The kernels of the clearing that this processor has, one a line, as the system lists its instructions.
kernels() {
  local flags
  flags=" $(grep -m 1 '^flags' /proc/cpuinfo || true) "
  printf 'portable\n'
  has_all "$flags" avx2 bmi2 && printf 'avx2\n'
  has_all "$flags" avx512f avx512bw avx512dq avx512vl avx512ifma && printf 'avx512ifma\n'
  return 0
}

has_all() { # flags, wanted...
  local flags=$1 flag
  shift
  for flag in "$@"; do [[ $flags == *" $flag "* ]] || return 1; done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# How each scenario ends; a scenario that is not listed here fails its check.
expected_status() { # scenario
  case $1 in
    large-deficit | participant-lying | participant-silent) printf 'solvent\n' ;;
    insufficient-liquidity) printf 'insolvent\n' ;;
    *)
      printf 'error: no expected status for the scenario %s\n' "$1" >&2
      return 1
      ;;
  esac
}

check_recovery() { # path of ccc, scenario file, further arguments
  local ccc=$1 scenario=$2 name expect code=0
  shift 2
  name=$(basename "$scenario" .toml)
  expect=$(expected_status "$name") || return 1
  printf -- '-- %s\n' "$name"
  "$ccc" recover --scenario "$scenario" --json "$@" > "$ci_work/$name.json" || code=$?
  "$ci_python" tools/recovery.py docs/spec/recover.schema.json "$ci_work/$name.json" "$code" "$expect" "$scenario"
}

# A cargo command of exactly this version, in ci_tools; a second call finds it in place.
install_cargo() { # crate, version
  local installed
  if [ -x "$ci_tools/bin/$1" ]; then
    installed=$("$ci_tools/bin/$1" "${1#cargo-}" --version 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    [ "$installed" != "$2" ] || return 0
  fi
  # Unoptimised: half the time to build, and what they spend is spent in cargo and rustc.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked --root "$ci_tools" --target-dir "$ci_root/target/ci/build" "$1@$2"
}
