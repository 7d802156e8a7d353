"""Reports in the forwarder's layout, their payloads, contexts and digests; the accumulator."""

import hashlib

from . import evm
from .encoding import *

NAMES = {1: "ccc-solvency", 2: "ccc-round", 3: "ccc-enclave", 4: "ccc-payout"}


def workflow_name(kind):
    return hashlib.sha256(NAMES[kind].encode()).hexdigest()[:10].encode()


def payload(common, fields):
    """ABI words: the seven common ones, then those of the kind."""
    return evm.words(*common, *fields)


def header(execution_id, timestamp, don_id, config_version, workflow_id, kind, owner):
    assert workflow_id[0] == 0
    out = (
        u8(1) + execution_id + u32(timestamp) + u32(don_id) + u32(config_version) + workflow_id + workflow_name(kind)
        + owner + u16(kind)
    )
    assert len(out) == 109
    return out


def config_digest(chain, forwarder, don_id, config_version, f, signers):
    head = evm.words(chain, forwarder, don_id, config_version, f, 6 * 32)
    return evm.keccak256(head + evm.words(len(signers), *signers))


def context(digest, sequence):
    return evm.words(digest, sequence, bytes(32))


def report_digest(raw, ctx):
    return evm.keccak256(evm.keccak256(raw) + ctx)


def accumulate(acc, kind, index, who, token, amount, ciphertext):
    return evm.keccak256(evm.words(acc, kind, index, who, token, amount, evm.keccak256(ciphertext)))
