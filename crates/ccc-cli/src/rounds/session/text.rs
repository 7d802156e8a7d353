//! The text of a session and of a participant's public keys, and what it means: nothing here opens a file.

use crate::pool::hexed::Hex;
use ccc_core::{
    epoch::Epoch,
    identifier::Identifier,
    keys::{MembershipError, Protocol, PublicKeys, Roster, RosterMember, Session},
    threshold::Threshold,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected},
};

/// The number of the form in which a session and public keys are written: 1. No other is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format;

impl Format {
    const NUMBER: u64 = 1;
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            Self::NUMBER => Ok(Self),
            found => Err(D::Error::invalid_value(Unexpected::Unsigned(found), &"format 1")),
        }
    }
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    KeyGeneration,
    Refresh,
    Reshare,
}

/// The session as text.
///
/// *Layout*: JSON; format number, keys and digests in hexadecimal. `committee` is the digest of the committee that hands over,
/// `ceremony` what was agreed on where the board is a contract (`A`, the chain's): `nonce` is then the ceremony's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionFile<A> {
    pub(crate) format: Format,
    pub(crate) protocol: What,
    pub(crate) epoch: u64,
    pub(crate) threshold: u16,
    pub(crate) nonce: Hex<32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) committee: Option<Hex<64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ceremony: Option<A>,
    pub(crate) members: Vec<MemberLine>,
}

/// One member of the session.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberLine {
    pub(crate) number: u16,
    signing_key: Hex<32>,
    dealing_key: Hex<32>,
}

/// A participant's public keys as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicLine {
    format: Format,
    signing_key: Hex<32>,
    dealing_key: Hex<32>,
}

impl What {
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::KeyGeneration => Protocol::Dkg,
            Self::Refresh => Protocol::Refresh,
            Self::Reshare => Protocol::Reshare,
        }
    }
}

impl PublicLine {
    pub(crate) fn new(keys: &PublicKeys) -> Self {
        Self { format: Format, signing_key: Hex(keys.signing_key()), dealing_key: Hex(keys.dealing_key()) }
    }

    pub(crate) fn signing_key(&self) -> [u8; 32] {
        self.signing_key.0
    }

    pub(crate) fn dealing_key(&self) -> [u8; 32] {
        self.dealing_key.0
    }

    /// Whether both are keys.
    ///
    /// # Errors
    /// [`MembershipError`].
    pub(crate) fn check(&self) -> Result<(), MembershipError> {
        self.member(1).member().map(drop)
    }

    pub(crate) fn member(&self, number: u16) -> MemberLine {
        MemberLine { number, signing_key: self.signing_key, dealing_key: self.dealing_key }
    }
}

impl MemberLine {
    pub(crate) fn new(member: &RosterMember) -> Self {
        PublicLine::new(&member.keys()).member(member.identifier.get())
    }

    fn member(&self) -> Result<RosterMember, MembershipError> {
        let keys = PublicKeys::from_bytes(&self.signing_key.0, &self.dealing_key.0)?;
        Ok(keys.member(Identifier::new(self.number)?))
    }
}

impl<A> SessionFile<A> {
    /// The session's identifier, for which the digest of the committee that hands over is enough.
    ///
    /// # Errors
    /// [`MembershipError`] for members that make no roster.
    pub(crate) fn id(&self) -> Result<[u8; 32], MembershipError> {
        let old = self.committee.as_ref().map(|digest| &digest.0);
        Ok(Session::new(self.protocol.protocol(), old, self.roster()?, &self.nonce.0).id())
    }

    /// Who takes part.
    ///
    /// # Errors
    /// [`MembershipError`].
    pub(crate) fn roster(&self) -> Result<Roster, MembershipError> {
        let members = self.members.iter().map(MemberLine::member).collect::<Result<Vec<_>, _>>()?;
        let n = u16::try_from(members.len()).unwrap_or(u16::MAX);
        Roster::new(Epoch(self.epoch), Threshold::new(self.threshold, n)?, members)
    }
}
