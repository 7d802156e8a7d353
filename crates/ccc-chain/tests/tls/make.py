"""Makes the certificates of this directory: an authority of the tests, what it signed, and a stranger.

    python3 make.py

Keys are thrown away but for the server's: nothing else is ever signed. They are worth nothing outside of these tests.
"""

from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = Path(__file__).parent
DECADES = (datetime(2020, 1, 1), datetime(2120, 1, 1))
OVER = (datetime(2020, 1, 1), datetime(2021, 1, 1))
AHEAD = (datetime(2119, 1, 1), datetime(2120, 1, 1))


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, signer, times, extensions):
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(times[0]).not_valid_after(times[1])
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def authority(subject):
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    extensions = [(x509.BasicConstraints(ca=True, path_length=0), True), (usage, True)]
    return key, certificate(subject, key, subject, key, DECADES, extensions)


def server(key, signer, names, times):
    extensions = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
    ]
    return certificate("node", key, "authority of the tests", signer, times, extensions)


def write(file, found):
    (HERE / file).write_bytes(found.public_bytes(serialization.Encoding.PEM))


def main():
    signer, root = authority("authority of the tests")
    write("authority.pem", root)
    write("stranger.pem", authority("a stranger")[1])
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (HERE / "node.key.der").write_bytes(der)
    here = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    write("node.pem", server(key, signer, here, DECADES))
    write("elsewhere.pem", server(key, signer, [x509.DNSName("node.example")], DECADES))
    write("expired.pem", server(key, signer, here, OVER))
    write("ahead.pem", server(key, signer, here, AHEAD))


main()
