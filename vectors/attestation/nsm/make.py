"""What Nitro's device is asked and what it answers, as bytes.

Written by hand from AWS's description of the device's messages (the enumerations of nsm-api: a message is a map of its
name to a map of its fields, in their order; one without fields is its name alone) and RFC 8949, section 3. Nothing here
shares code with a CBOR library. No device was asked.

    python3 vectors/attestation/nsm/make.py
"""

from pathlib import Path

HERE = Path(__file__).parent
ERRORS = [
    "Success",
    "InvalidArgument",
    "InvalidIndex",
    "InvalidResponse",
    "ReadOnlyIndex",
    "InvalidOperation",
    "BufferTooSmall",
    "InputTooLarge",
    "InternalError",
]
NULL, TRUE = b"\xf6", b"\xf5"


def head(major: int, value: int) -> bytes:
    for extra, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * length:
            return bytes([major << 5 | extra]) + value.to_bytes(length)
    raise ValueError(value)


def number(value: int) -> bytes:
    return head(0, value)


def octets(value: bytes) -> bytes:
    return head(2, len(value)) + value


def text(value: str) -> bytes:
    return head(3, len(value)) + value.encode()


def array(*items: bytes) -> bytes:
    return head(4, len(items)) + b"".join(items)


def table(*fields: tuple[bytes, bytes]) -> bytes:
    return head(5, len(fields)) + b"".join(name + value for name, value in fields)


def message(name: str, **fields: bytes) -> bytes:
    return table((text(name), table(*((text(field), value) for field, value in fields.items()))))


def document(user_data: bytes, nonce: bytes) -> bytes:
    """COSE_Sign1 of a document that nobody signed: certificates and signature are filled with one byte each."""
    registers = [(number(i), octets(b"\x07" * 48)) for i in range(3)]
    fields = [
        ("module_id", text("i-0")),
        ("digest", text("SHA384")),
        ("timestamp", number(1_700_000_000_000)),
        ("pcrs", table(*registers)),
        ("certificate", octets(b"\x01" * 300)),
        ("cabundle", array(octets(b"\x02" * 300))),
        ("public_key", NULL),
        ("user_data", octets(user_data)),
        ("nonce", octets(nonce)),
    ]
    payload = table(*((text(name), value) for name, value in fields))
    protected = table((number(1), head(1, 34)))  # algorithm: -35, ES384
    return array(octets(protected), table(), octets(payload), octets(b"\x03" * 96))


def main() -> None:
    said, nonce = b"\x01" * 64, b"\x02" * 64
    locked = array(number(0), number(1), number(2))
    files = {
        "request": message("Attestation", user_data=octets(said), nonce=octets(nonce), public_key=NULL),
        "attestation": message("Attestation", document=octets(document(said, nonce))),
        "attestation-of-another-nonce": message("Attestation", document=octets(document(said, said))),
        "attestation-of-nothing": message("Attestation", document=octets(b"")),
        "attestation-too-long": message("Attestation", document=octets(bytes(12_289))),
        "describe-pcr": message("DescribePCR", lock=TRUE, data=octets(b"\x07" * 48)),
        "extend-pcr": message("ExtendPCR", data=octets(b"\x07" * 48)),
        "lock-pcr": text("LockPCR"),
        "lock-pcrs": text("LockPCRs"),
        "describe-nsm": message(
            "DescribeNSM",
            version_major=number(1),
            version_minor=number(0),
            version_patch=number(0),
            module_id=text("i-0"),
            max_pcrs=number(32),
            locked_pcrs=locked,
            digest=text("SHA384"),
        ),
        "get-random": message("GetRandom", random=octets(b"\x05" * 256)),
        "unknown": message("Unheard", of=NULL),
        "nothing": b"",
    }
    files["cut"] = files["attestation"][:-1]
    files["longer"] = files["attestation"] + b"\x00"
    files["no-document"] = message("Attestation", documents=octets(b""))
    files["text-for-octets"] = message("Attestation", document=text("document"))
    for name in ERRORS:
        files["error-" + name] = table((text("Error"), text(name)))
    for name, content in files.items():
        (HERE / f"{name}.cbor").write_bytes(content)


main()
