//! The session of a key generation: which protocol, from whom, for which roster, on which board.

use super::committee::Committee;
use super::roster::Roster;
use crate::encoding::EncodingError;
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::suite::{SUITE_BYTES, digest32, domain};
use alloc::sync::Arc;
use alloc::vec::Vec;
use ed25519_dalek::VerifyingKey;

/// Which protocol a dealing belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// One dealer knows the master secret: tests and migration.
    Dealer = 1,
    /// Everybody deals, nobody knows the master secret.
    Dkg = 2,
    /// The same holders get new shares.
    Refresh = 3,
    /// New holders get shares of the same master secret.
    Reshare = 4,
    /// A lost share comes back.
    Repair = 5,
}

impl Protocol {
    /// The protocol with this number.
    ///
    /// # Errors
    /// [`EncodingError::Range`].
    pub fn from_byte(byte: u8) -> Result<Self, EncodingError> {
        match byte {
            1 => Ok(Self::Dealer),
            2 => Ok(Self::Dkg),
            3 => Ok(Self::Refresh),
            4 => Ok(Self::Reshare),
            5 => Ok(Self::Repair),
            found => Err(EncodingError::Range { what: "protocol", found: found.into(), range: "1 to 5" }),
        }
    }
}

impl core::fmt::Display for Protocol {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Dealer => "dealer",
            Self::Dkg => "distributed key generation",
            Self::Refresh => "refresh",
            Self::Reshare => "reshare",
            Self::Repair => "repair",
        })
    }
}

/// Why a committee does not hand over to a roster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A protocol in which nothing is handed over.
    #[error("protocol {found}, where a refresh or a reshare is wanted")]
    Protocol {
        /// The protocol.
        found: Protocol,
    },
    /// An epoch that does not follow the committee's.
    #[error("epoch {found} after epoch {previous}: the next epoch is one more")]
    Epoch {
        /// The committee's epoch.
        previous: Epoch,
        /// The roster's epoch.
        found: Epoch,
    },
    /// A refresh for other members, other signing keys or another threshold than the committee's.
    #[error("a refresh keeps the members, their signing keys and the threshold")]
    NotTheSameMembers,
}

/// One run of a protocol. Two runs never share an identifier, since the board's nonce is fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    protocol: Protocol,
    old: Option<Arc<Committee>>,
    roster: Arc<Roster>,
    id: [u8; 32],
}

impl Session {
    /// A run of this protocol for the roster. `old` is the digest of the committee that hands over, if one does.
    ///
    /// *Security*: the board MUST NOT use a nonce twice.
    #[must_use]
    pub fn new(protocol: Protocol, old: Option<&[u8; 64]>, roster: Roster, board_nonce: &[u8; 32]) -> Self {
        let old = old.map_or(&[][..], <[u8; 64]>::as_slice);
        let fields: [&[u8]; 5] = [&SUITE_BYTES, &[protocol as u8], old, &roster.digest(), board_nonce];
        let id = digest32(domain::SESSION, &fields);
        Self { protocol, old: None, roster: Arc::new(roster), id }
    }

    /// A refresh or a reshare: the committee hands the master secret over to the roster of the next epoch.
    ///
    /// A refresh may renew dealing keys; everything else of the roster stays. *Security*: as [`Session::new`].
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn handover(
        protocol: Protocol,
        old: Arc<Committee>,
        roster: Roster,
        board_nonce: &[u8; 32],
    ) -> Result<Self, SessionError> {
        let (previous, found) = (old.epoch(), roster.epoch());
        if previous.0.checked_add(1) != Some(found.0) {
            return Err(SessionError::Epoch { previous, found });
        }
        match protocol {
            Protocol::Reshare => {}
            Protocol::Refresh if same_members(old.roster(), &roster) => {}
            Protocol::Refresh => return Err(SessionError::NotTheSameMembers),
            found => return Err(SessionError::Protocol { found }),
        }
        let session = Self::new(protocol, Some(&old.digest()), roster, board_nonce);
        Ok(Self { old: Some(old), ..session })
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The committee that hands over, in a session of [`Session::handover`].
    #[must_use]
    pub fn old(&self) -> Option<&Committee> {
        self.old.as_deref()
    }

    /// Who receives shares.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// digest32 H("session"; S, protocol, old committee digest or empty, roster, board nonce).
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Who may deal: the committee that hands over, else the roster.
    pub(crate) fn dealers(&self) -> &Roster {
        self.old().map_or(self.roster(), Committee::roster)
    }

    /// Verifies what a dealer says.
    pub(crate) fn dealer_key(&self, dealer: Identifier) -> Option<&VerifyingKey> {
        self.dealers().member(dealer).map(|member| &member.signing_key)
    }

    /// Verifies what a receiver says.
    pub(crate) fn receiver_key(&self, receiver: Identifier) -> Option<&VerifyingKey> {
        self.roster().member(receiver).map(|member| &member.signing_key)
    }

    /// Dealers without which there is no result: t of the committee that hands over, else n − F.
    pub(crate) fn enough_dealers(&self) -> usize {
        self.old().map_or(live(self.roster()), |old| usize::from(old.threshold().t()))
    }

    /// Confirmations without which there is no result: n − F of the roster.
    pub(crate) fn enough_confirmations(&self) -> usize {
        live(self.roster())
    }
}

fn live(roster: &Roster) -> usize {
    usize::from(roster.threshold().n() - roster.threshold().max_faulty())
}

fn same_members(old: &Roster, new: &Roster) -> bool {
    let fixed = |roster: &Roster| -> Vec<_> {
        roster.members().iter().map(|m| (m.identifier, *m.signing_key.as_bytes())).collect()
    };
    old.threshold() == new.threshold() && fixed(old) == fixed(new)
}
