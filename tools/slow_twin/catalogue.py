"""Which function makes which file."""

from . import vectors

FILES = {
    "encoding": vectors.encoding,
    "ciphertext": vectors.ciphertext,
    "ciphertext_refused": vectors.ciphertext_refused,
    "committee": vectors.committee,
    "request": vectors.request,
    "share": vectors.share,
    "sealed": vectors.sealed,
    "compact": vectors.compact,
}
