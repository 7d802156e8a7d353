//! The session of a key generation: which protocol, for which roster, on which board.

use super::roster::Roster;
use crate::encoding::EncodingError;
use crate::suite::{SUITE_BYTES, digest32, domain};
use std::sync::Arc;

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

/// One run of a protocol. Two runs never share an identifier, since the board's nonce is fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    protocol: Protocol,
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
        Self { protocol, roster: Arc::new(roster), id }
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
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
}
