"""Vectors of dealings, complaints, transcripts, envelopes, and the forgeries that a full statement refuses."""

from . import committee as com
from . import dealing as dl
from . import fixture as fx
from . import ristretto as g
from . import share as sh
from . import tdh2
from .encoding import *
from .vectors import prefix_for, refuses, single_share


def make_dealing(prefix, protocol, session, roster, epoch, dealer, coefficients, members, wrong=()):
    name = f"{prefix}/{protocol}/{dealer}"
    u, pop64, deal64 = fx.fixed_scalar(f"{name}/u"), fx.fixed64(f"{name}/pop"), fx.fixed64(f"{name}/dealing")
    made = dl.deal(protocol, session, epoch, roster, dealer, coefficients, members, u, pop64, deal64, wrong)
    parsed = dl.parse_dealing(made["wire"], len(members), len(coefficients))
    dl.verify_dealing(parsed)
    for member, sealed in zip(members, parsed["ciphertexts"]):
        good = dl.share_is_good(parsed, member.identifier, sealed, member.dealing_secret * made["R"], member.dealing_key)
        assert good == (member.identifier not in wrong)
    return dict(coefficients=coefficients, u=u, pop_random64=pop64, dealing_random64=deal64, **made), parsed


def session_of(protocol, old, roster_digest, name):
    nonce = fx.fixed32(f"board nonce/{name}")
    return dict(protocol=protocol, old_committee=old, roster=roster_digest, board_nonce=nonce, session=com.session(protocol, old, roster_digest, nonce))


def random_coefficients(name, t):
    return [fx.fixed_scalar(f"{name}/{k}") for k in range(t)]


def finish(protocol, sess, epoch, members, dealings, Y, keys):
    return dict(
        protocol=protocol, epoch=epoch, t=3, n=len(members), session=sess, roster_members=[
            dict(identifier=m.identifier, signing_key=m.signing_key, dealing_secret=m.dealing_secret, dealing_key=m.dealing_key) for m in members
        ],
        dealings=dealings, Y=Y, P=[dict(identifier=j, P=P) for j, P in keys],
        transcript=dl.transcript(protocol, sess["session"], epoch, sess["roster"], dealings, Y, keys),
    )


def protocol_dealer():
    c = fx.committee_a()
    sess = session_of(dl.PROTOCOL_DEALER, b"", c.roster(), "dealer")
    made, _ = make_dealing("dealer", dl.PROTOCOL_DEALER, sess["session"], c.roster(), c.epoch, 0, c.coefficients, c.members)
    return finish(dl.PROTOCOL_DEALER, sess, c.epoch, c.members, [made], c.Y, [(m.identifier, m.P) for m in c.members])


def protocol_dkg():
    c = fx.committee_a()
    sess = session_of(dl.DKG, b"", c.roster(), "dkg")
    dealings, polynomials = [], []
    for m in c.members:
        polynomials.append(random_coefficients(f"dkg/{m.identifier}", 3))
        dealings.append(make_dealing("dkg", dl.DKG, sess["session"], c.roster(), c.epoch, m.identifier, polynomials[-1], c.members)[0])
    total = [sum(column) % g.L for column in zip(*polynomials)]
    shares = [dict(identifier=m.identifier, share=com.evaluate(total, m.identifier)) for m in c.members]
    keys = [(s["identifier"], s["share"] * g.BASE) for s in shares]
    out = finish(dl.DKG, sess, c.epoch, c.members, dealings, total[0] * g.BASE, keys)
    out["shares"] = shares
    return out


def handover(name, protocol, ids, members):
    """Committee A (3,5) to members at epoch 8, by the dealers ids: the three smallest that qualified."""
    c, epoch = fx.committee_a(), fx.EPOCH + 1
    roster = com.roster(epoch, 3, members)
    sess = session_of(protocol, c.digest(), roster, name)
    dealings, polynomials = [], []
    for i in ids:
        polynomials.append([c.members[i - 1].share] + random_coefficients(f"{name}/{i}", 3)[1:])
        made, _ = make_dealing(name, protocol, sess["session"], roster, epoch, i, polynomials[-1], members)
        assert made["commitments"][0] == c.members[i - 1].P
        dealings.append(made)
    weights = [com.lagrange_at_zero(i, ids) for i in ids]
    total = [sum(w * a for w, a in zip(weights, column)) % g.L for column in zip(*polynomials)]
    assert total[0] == c.coefficients[0]
    shares = [dict(identifier=m.identifier, share=com.evaluate(total, m.identifier)) for m in members]
    out = finish(protocol, sess, epoch, members, dealings, c.Y, [(s["identifier"], s["share"] * g.BASE) for s in shares])
    out.update(shares=shares, lagrange=weights)
    return out


def dealing():
    return dict(
        dealer=protocol_dealer(), dkg=protocol_dkg(), refresh=handover("refresh", dl.REFRESH, [1, 3, 5], fx.members("a", range(1, 6))),
        reshare=handover("reshare", dl.RESHARE, [1, 2, 4], fx.members("a2", range(1, 6))), refused=dealing_refused(),
    )


def dealing_refused():
    """Changes to the dealing of protocol 1, each refused by the proofs or by the reader."""
    wire = protocol_dealer()["dealings"][0]["wire"]
    parsed = dl.parse_dealing(wire, 5, 3)
    check = lambda w: dl.verify_dealing(dl.parse_dealing(w, 5, 3))
    flip = lambda at: wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1 :]
    swapped = wire[:117] + wire[149:181] + wire[117:149] + wire[181:]
    cts = 117 + 96 + 64 + 32 + 2
    exchanged = wire[:cts] + wire[cts + 48 : cts + 96] + wire[cts : cts + 48] + wire[cts + 96 :]
    cases = {
        "header kind": flip(3), "protocol changed": flip(8), "session changed": flip(9), "epoch changed": flip(48), "roster changed": flip(49),
        "dealer changed": flip(114), "C_0 and C_1 exchanged": swapped, "z_pop changed": flip(117 + 96 + 32), "first ciphertext changed": flip(cts),
        "first two ciphertexts exchanged": exchanged, "R replaced by G": wire[: cts - 34] + g.BASE.encode() + wire[cts - 2 :], "z changed": flip(len(wire) - 32),
        "trailing byte": wire + b"\0", "truncated": wire[:-1], "highest commitment zero": wire[:181] + bytes(32) + wire[213:],
    }
    assert parsed["R"].encode() == wire[cts - 34 : cts - 2]
    return [dict(name=n, wire=w, reason=refuses(check, w)) for n, w in cases.items()]


def complaint():
    c = fx.committee_a()
    sess = session_of(dl.DKG, b"", c.roster(), "complaint")
    made, parsed = make_dealing("complaint", dl.DKG, sess["session"], c.roster(), c.epoch, 2, random_coefficients("complaint", 3), c.members, wrong=(4,))
    cases = []
    for name, j, tamper, expected in (("bad share", 4, False, "dealer"), ("good share", 1, False, "accuser"), ("bad proof on a bad share", 4, True, "accuser")):
        accuser, rnd = c.members[j - 1], fx.fixed64(f"complaint/{j}")
        filed = dl.complain(sess["session"], c.epoch, 2, accuser, parsed["R"], rnd)
        wire = filed["wire"][:-1] + bytes([filed["wire"][-1] ^ 1]) if tamper else filed["wire"]
        fault = dl.decide(parsed, j, parsed["ciphertexts"][j - 1], accuser.dealing_key, wire)
        assert fault == expected and len(wire) == 128
        cases.append(dict(name=name, identifier=j, dealing_secret=accuser.dealing_secret, pk=accuser.dealing_key, random64=rnd, **{**filed, "wire": wire}, fault=fault))
    return dict(session=sess, epoch=c.epoch, t=3, n=5, dealing=made, cases=cases)


def envelope():
    c = fx.committee_a()
    req = fx.request(MODE_PUBLIC, "public")
    share = single_share(c.members[0], MODE_PUBLIC, "public", req)["wire"]
    dealing_made = protocol_dkg()
    payloads = [("share, request topic", SHARE, c.digest(), c.members[0], req, share)]
    payloads.append(("dealing, session topic", DEALING, c.roster(), c.members[1], dealing_made["session"]["session"], dealing_made["dealings"][1]["wire"]))
    cases = []
    for name, kind, committee_digest, member, topic, payload in payloads:
        made = dl.envelope(kind, committee_digest, c.epoch, member, topic, payload)
        assert dl.verify_envelope(kind, member.signing_key, made["wire"]) == (committee_digest, c.epoch, member.identifier, topic, payload)
        cases.append(dict(
            name=name, kind=kind, committee=committee_digest, epoch=c.epoch, identifier=member.identifier, signing_seed=member.signing_seed,
            signing_key=member.signing_key, topic=topic, payload=payload, **made,
        ))
    return dict(cases=cases, refused=envelope_refused(cases[0], c.members[1]))


def envelope_refused(case, other):
    w, key = case["wire"], case["signing_key"]
    flip = lambda at: w[:at] + bytes([w[at] ^ 1]) + w[at + 1 :]
    s = int.from_bytes(w[-32:], "little")
    moved = w[:82] + lp(case["topic"] + case["payload"][:1]) + lp(case["payload"][1:]) + w[-64:]
    cases = {
        "header": flip(3), "committee": flip(8), "epoch": flip(79), "identifier": flip(81), "topic": flip(86), "payload": flip(86 + 64 + 4), "signature": flip(len(w) - 64),
        "boundary moved": moved, "S not canonical": w[:-32] + (s + g.L).to_bytes(32, "little"), "topic length too large": w[:82] + b"\xff" * 4 + w[86:],
        "payload length too large": w[:150] + b"\xff" * 4 + w[154:], "trailing byte": w + b"\0", "truncated": w[:-1], "empty": b"",
    }
    out = [dict(name=n, kind=SHARE, signing_key=key, wire=x, reason=refuses(dl.verify_envelope, SHARE, key, x)) for n, x in cases.items()]
    out.append(dict(name="another signer", kind=SHARE, signing_key=other.signing_key, wire=w, reason=refuses(dl.verify_envelope, SHARE, other.signing_key, w)))
    return out


def weak_check(statement, P, U, wire):
    """The share check with a challenge over fewer fields: what a careless verifier would do."""
    Dshare, A, B = (g.decode(wire[k : k + 32]) for k in (0, 32, 64))
    return dl.dleq_verify("share", statement(Dshare), P, U, Dshare, A, B, g.decode_scalar(wire[96:]))


def forged_wire(Dshare, A, B, z):
    return Dshare.encode() + A.encode() + B.encode() + g.encode_scalar(z)


def forgery_without_u():
    """The author of a ciphertext, holding one share, solves for r after the challenge. Left out: U, and what contains it (ct digest, request)."""
    c, member = fx.committee_a(), fx.committee_a().members[0]
    prefix = sh.statement_prefix(MODE_PUBLIC, c.digest(), c.epoch, 1, member.P, b"", b"")
    alpha, a, beta = (fx.fixed_scalar(f"forgery U/{k}") for k in ("alpha", "a", "beta"))
    Dshare, A, B = alpha * g.BASE, a * g.BASE, beta * g.BASE
    weak = lambda D: prefix + [D]
    ch = challenge("share", weak(Dshare), A, B)
    z = (a + ch * member.share) % g.L
    r = (beta + ch * alpha) * g.invert(z) % g.L
    v = tdh2.encrypt_with(c.Y, fx.label_public(), pad(b"two messages in one", PUBLIC), r, fx.fixed_scalar("forgery U/s"))
    parsed, wire = tdh2.parse_and_verify(c.Y, v["wire"]), forged_wire(Dshare, A, B, z)
    fields = {**fx.request_fields(MODE_PUBLIC, []), "ct_digests": [parsed.digest]}
    req = com.request_digest(**fields)
    return forgery_record("U left out", member.P, member.share, parsed, req, wire, weak, v["wire"], ["U", "ct_digest", "request"])


def forgery_without_p():
    """A verification key chosen after the challenge. Left out: P_i, and what contains it (committee digest, request)."""
    c = fx.committee_a()
    parsed = tdh2.parse_and_verify(c.Y, fx.ciphertext("public")["wire"])
    delta, a, beta = (fx.fixed_scalar(f"forgery P/{k}") for k in ("delta", "a", "beta"))
    Dshare, A = delta * parsed.U, a * g.BASE
    weak = lambda D: [S, u8(MODE_PUBLIC), u64(c.epoch), u16(1), b"", parsed.digest, parsed.U, D]
    # B = beta*U; the challenge fixes z = beta + ch*delta, and P = (zG - A)/ch then passes the first equation.
    B = beta * parsed.U
    ch = challenge("share", weak(Dshare), A, B)
    z = (beta + ch * delta) % g.L
    x = (z - a) * g.invert(ch) % g.L
    changed = com.Committee(c.epoch, c.t, c.coefficients, fx.members("a", range(1, 6)))
    changed.members[0].share = x
    req = com.request_digest(**{**fx.request_fields(MODE_PUBLIC, ["public"]), "committee": changed.digest()})
    wire = forged_wire(Dshare, A, B, z)
    return forgery_record("P_i left out", x * g.BASE, x, parsed, req, wire, weak, fx.ciphertext("public")["wire"], ["P_i", "committee", "request"], changed.digest())


def forgery_record(name, P, x, parsed, req, wire, weak, ct_wire, left_out, committee_digest=None):
    c = fx.committee_a()
    committee_digest = committee_digest or c.digest()
    Dshare = g.decode(wire[:32])
    assert weak_check(weak, P, parsed.U, wire) and not Dshare == x * parsed.U
    prefix = sh.statement_prefix(MODE_PUBLIC, committee_digest, c.epoch, 1, P, req, b"")
    reason = refuses(sh.verify_share, prefix, P, parsed.digest, parsed.U, wire)
    honest = {i: c.members[i - 1].share * parsed.U for i in (2, 3)}
    wrong_K = com.interpolate_points({1: Dshare, **honest})
    return dict(
        name=name, left_out_of_weak_challenge=left_out, weak_statement=list(flatten(weak(Dshare))), weak_statement_accepts=True, full_statement_accepts=False,
        reason=reason, mode=MODE_PUBLIC, committee=committee_digest, epoch=c.epoch, identifier=1, P=P, x=x, request=req, ct_digest=parsed.digest, U=parsed.U,
        true_share=x * parsed.U, ciphertext=ct_wire, wire=wire,
        combined_with_2_and_3=dict(K=wrong_K, reason=refuses(tdh2.open_with, c.Y, parsed, wrong_K)),
    )


def share_refused():
    c, v = fx.committee_a(), fx.ciphertext("public")
    member, req = c.members[0], fx.request(MODE_PUBLIC, "public")
    honest = single_share(member, MODE_PUBLIC, "public", req)["wire"]
    base = dict(mode=MODE_PUBLIC, committee=c.digest(), epoch=c.epoch, identifier=1, P=member.P, request=req, recipient=b"", ct_digest=v["ct_digest"], U=v["U"], wire=honest)
    other = fx.ciphertext("recipient")
    z = int.from_bytes(honest[96:], "little")
    changes = {
        "mode": dict(mode=MODE_SEALED), "committee": dict(committee=fx.committee_b().digest()), "epoch": dict(epoch=c.epoch + 1), "identifier": dict(identifier=2),
        "P": dict(P=c.members[1].P), "request": dict(request=fx.request(MODE_SEALED, "recipient")), "recipient": dict(recipient=fx.recipient()),
        "ct_digest": dict(ct_digest=other["ct_digest"]), "U": dict(U=other["U"]), "D replaced": dict(wire=g.BASE.encode() + honest[32:]),
        "D is zero": dict(wire=bytes(32) + honest[32:]), "A replaced": dict(wire=honest[:32] + g.BASE.encode() + honest[64:]),
        "B replaced": dict(wire=honest[:64] + g.BASE.encode() + honest[96:]), "z plus one": dict(wire=honest[:96] + g.encode_scalar(z + 1)),
        "z not canonical": dict(wire=honest[:96] + (z + g.L).to_bytes(32, "little")), "D not canonical": dict(wire=b"\xff" * 32 + honest[32:]),
        "trailing byte": dict(wire=honest + b"\0"), "truncated": dict(wire=honest[:-1]),
    }
    cases = []
    for name, change in changes.items():
        k = {**base, **change}
        prefix = sh.statement_prefix(k["mode"], k["committee"], k["epoch"], k["identifier"], k["P"], k["request"], k["recipient"])
        cases.append(dict(name=name, **k, reason=refuses(sh.verify_share, prefix, k["P"], k["ct_digest"], k["U"], k["wire"])))
    return dict(forgeries=[forgery_without_u(), forgery_without_p()], changed=cases, composite=[composite_refused()])


def composite_refused():
    """Two shares of one composite answer shifted against each other: passes without weights that depend on all D_j."""
    c, member = fx.committee_a(), fx.committee_a().members[0]
    names = ["recipient", "recipient-2"]
    req, vs = fx.request(MODE_SEALED, *names), [fx.ciphertext(n) for n in names]
    digests, Us = [v["ct_digest"] for v in vs], [v["U"] for v in vs]
    prefix = prefix_for(member, MODE_SEALED, req)
    made = sh.make_composite(prefix, member.share, digests, Us, fx.fixed64("composite refused"))
    _, weights, *_ = sh.composite_parts(prefix, digests, Us, made["D"])
    shift = g.BASE
    D0 = made["D"][0] + weights[1] * shift
    D1 = made["D"][1] - weights[0] * shift
    assert weights[0] * D0 + weights[1] * D1 == made["sum_D"]
    wire = D0.encode() + D1.encode() + made["wire"][64:]
    return dict(
        name="shares shifted so that the old weighted sum is unchanged", mode=MODE_SEALED, committee=c.digest(), epoch=c.epoch, identifier=1, P=member.P, request=req,
        recipient=fx.recipient(), ct_digests=digests, U=Us, wire=wire, honest_wire=made["wire"], old_weights_sum_unchanged=True,
        reason=refuses(sh.verify_composite, prefix, member.P, digests, Us, wire),
    )
