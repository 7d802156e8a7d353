//! Bytes that are no message, requests that make no session, and whoever does not belong to one.

use super::*;

#[test]
fn n029_truncated_and_extended_messages_are_refused() {
    let (world, session) = world();
    let first = world.splits(&session);
    let packet = packet_of(&first[1]);
    let complaint = RepairComplaint::create(&session, (Stage::Split, id(4)), &packet, id(5), world.keys(id(5)));
    let (request, packet, complaint) = (session.request().to_bytes().unwrap(), packet.to_bytes(), complaint.to_bytes());
    assert_eq!(RepairRequest::from_bytes(&request).unwrap().to_bytes().unwrap(), request);
    assert_eq!(RepairComplaint::from_bytes(&complaint).unwrap().to_bytes(), complaint);
    for n in 0..request.len() {
        assert!(matches!(RepairRequest::from_bytes(&request[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for n in 0..packet.len() {
        assert!(matches!(RepairPacket::from_bytes(&packet[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for n in 0..complaint.len() {
        assert!(matches!(RepairComplaint::from_bytes(&complaint[..n]), Err(EncodingError::Truncated { .. })), "{n}");
    }
    for extra in [1, 64] {
        let longer = |bytes: &[u8]| [bytes, &vec![0; extra]].concat();
        let trailing = EncodingError::Trailing { found: extra };
        assert_eq!(RepairRequest::from_bytes(&longer(&request)), Err(trailing.clone()));
        assert_eq!(RepairPacket::from_bytes(&longer(&packet)), Err(trailing.clone()));
        assert_eq!(RepairComplaint::from_bytes(&longer(&complaint)), Err(trailing));
    }
}

#[test]
fn n030_counts_are_checked_before_anything_is_allocated() {
    let (world, session) = world();
    let mut request = session.request().to_bytes().unwrap();
    let mut packet = packet_of(&world.helper(&session, id(4)).split().unwrap()).to_bytes();
    for count in [0u16, 1025, u16::MAX] {
        request[74..76].copy_from_slice(&count.to_be_bytes());
        packet[35..37].copy_from_slice(&count.to_be_bytes());
        let range = |what| EncodingError::Range { what, found: count.into(), range: "1 to 1024" };
        assert_eq!(RepairRequest::from_bytes(&request), Err(range("number of helpers")));
        assert_eq!(RepairPacket::from_bytes(&packet), Err(range("number of scalars")));
    }
}

#[test]
fn requests_that_make_no_session_are_refused() {
    use RepairSessionError as E;
    let (world, session) = world();
    let made = |alter: &dyn Fn(&mut RepairRequest)| {
        let mut request = session.request().clone();
        alter(&mut request);
        RepairSession::new(world.committee.clone(), request).unwrap_err()
    };
    assert_eq!(made(&|r| r.committee = [0; 64]), E::Committee);
    assert_eq!(made(&|r| r.epoch = Epoch(8)), E::Epoch { expected: Epoch(7), found: Epoch(8) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4])), E::TooFewHelpers { need: 3, have: 2 });
    assert_eq!(made(&|r| r.helpers = vec![]), E::TooFewHelpers { need: 3, have: 0 });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4, 4])), E::Order { previous: id(4), found: id(4) });
    assert_eq!(made(&|r| r.helpers = ids(&[4, 1, 5])), E::Order { previous: id(4), found: id(1) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 2, 5])), E::HelpsItself { identifier: id(2) });
    assert_eq!(made(&|r| r.helpers = ids(&[1, 4, 9])), E::UnknownMember { identifier: id(9) });
    assert_eq!(made(&|r| r.lost = id(9)), E::UnknownMember { identifier: id(9) });
}

#[test]
fn a_request_that_another_signed_is_refused() {
    use RepairSessionError as E;
    let (world, session) = world();
    let committee = || world.committee.clone();
    let payload = session.request().to_bytes().unwrap();
    let stolen = world.signed(&session, 3, Kind::RepairRequest, payload.clone());
    let expected = E::NotTheOwner { expected: id(2), found: id(3) };
    assert_eq!(RepairSession::requested(committee(), &stolen), Err(expected));
    let forged = session.sign(world.keys(id(3)), id(2), Kind::RepairRequest, payload.clone()).unwrap();
    let expected = E::Envelope(EnvelopeError::Signature { identifier: id(2) });
    assert_eq!(RepairSession::requested(committee(), &forged), Err(expected));
    let kind = world.signed(&session, 2, Kind::RepairPacket, payload);
    assert_eq!(RepairSession::requested(committee(), &kind), Err(E::NotARequest));
}

#[test]
fn n041_shares_of_another_epoch_and_keys_of_another_member_do_not_help() {
    let (world, session) = world();
    let other = world_with(&[1, 2, 3, 4, 5], 3, 8);
    let helper = |share, keys| Helper::new(session.clone(), share, keys).err();
    let epoch = KeyShareError::Epoch { expected: Epoch(7), found: Epoch(8) };
    assert_eq!(helper(other.share(id(1)), other.keys(id(1))), Some(RepairError::KeyShare(epoch)));
    let keys = RepairError::Keys { identifier: id(1) };
    assert_eq!(helper(world.share(id(1)), world.keys(id(4))), Some(keys));
    let outside = RepairError::NotAHelper { identifier: id(3) };
    assert_eq!(helper(world.share(id(3)), world.keys(id(3))), Some(outside));
    let receiver = Receiver::new(session.clone(), world.keys(id(3))).err();
    assert_eq!(receiver, Some(RepairError::Keys { identifier: id(2) }));
}
