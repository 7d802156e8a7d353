"""Which function makes which file."""

from . import chain_vectors, dealing_vectors, repair_vectors, reshare_vectors, table_vectors, vectors

FILES = {
    "encoding": vectors.encoding,
    "ciphertext": vectors.ciphertext,
    "ciphertext_refused": vectors.ciphertext_refused,
    "committee": vectors.committee,
    "request": vectors.request,
    "share": vectors.share,
    "sealed": vectors.sealed,
    "compact": vectors.compact,
    "dealing": dealing_vectors.dealing,
    "complaint": dealing_vectors.complaint,
    "envelope": dealing_vectors.envelope,
    "repair": repair_vectors.repair,
    "reshare": reshare_vectors.reshare,
    "share_refused": dealing_vectors.share_refused,
    "table": table_vectors.table,
    "report": chain_vectors.report,
    "price": chain_vectors.price,
    "clearing": chain_vectors.clearing,
}
