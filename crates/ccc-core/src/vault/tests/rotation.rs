//! Master keys that were in use before.

use super::*;

/// A vault whose key was generated anew has a retired key. To a ciphertext it is as foreign as any other: the same error
/// for both, here and from a participant. Who keeps the old committee, as its operators do, tells them apart by it.
#[test]
fn n039_a_retired_key_is_refused_like_a_foreign_one_and_told_apart_by_who_keeps_its_committee() {
    let numbers = [1, 2, 3, 4];
    let (mut retired, mut now, mut foreign) =
        (world_with(&numbers, 1, 1), world_with(&numbers, 2, 2), world_with(&numbers, 1, 3));
    let ours = *now.committee.master_public_key();
    let late = [&mut retired, &mut foreign].map(|world| world.encrypt(LabelKind::Recipient, b"abc"));
    let (_, to) = attempt(&mut now);
    for verified in &late {
        let ciphertext = verified.ciphertext().clone();
        assert_eq!(ciphertext.verify(&ours), Err(CiphertextError::Proof));
        for mode in [Mode::Sealed, Mode::Compact] {
            let request = now.request(mode, std::slice::from_ref(verified));
            let World { shares, committee, rng, .. } = &mut now;
            let made = answer(&shares[0], committee, &request, &to, std::slice::from_ref(verified), rng);
            assert_eq!(made, Err(RequestError::MasterKey { index: 0 }.into()));
        }
    }
    let kept = retired.committee.master_public_key();
    let told = late.map(|verified| verified.ciphertext().clone().verify(kept).map(drop));
    assert_eq!(told, [Ok(()), Err(CiphertextError::Proof)]);
}
