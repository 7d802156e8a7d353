//! Whom a node's certificate may come from, and what can be wrong with one.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    version::TLS13,
};

/// The most certificates of one file.
const MOST_CERTIFICATES: usize = 4096;

/// Who is believed to say whose a certificate is.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<RootCertStore>);

impl Authorities {
    /// Those that this system trusts. On Unix `SSL_CERT_FILE` and `SSL_CERT_DIR` say others.
    ///
    /// # Errors
    /// [`TlsError::NoAuthorities`] where it has none that can be read.
    pub fn system() -> Result<Self, TlsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // a system's store holds certificates of all ages; those that webpki does not read are passed over
        let (added, _) = roots.add_parsable_certificates(found.certs);
        match (added, found.errors.first()) {
            (0, Some(error)) => Err(TlsError::NoAuthorities { reason: error.to_string() }),
            (0, None) => Err(TlsError::NoAuthorities { reason: "its store is empty".to_owned() }),
            _ => Ok(Self(Arc::new(roots))),
        }
    }

    /// Those of a PEM text and nobody else.
    ///
    /// # Errors
    /// [`TlsError::Authorities`]: no certificate, too many, or one that is none.
    pub fn from_pem(text: &[u8]) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::Authorities { reason };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
            if roots.len() > MOST_CERTIFICATES {
                return Err(refused(format!("more than {MOST_CERTIFICATES} certificates")));
            }
        }
        if roots.is_empty() { Err(refused("no certificate".to_owned())) } else { Ok(Self(Arc::new(roots))) }
    }

    /// What a connection is made with: TLS 1.3, and no certificate of our own.
    pub(super) fn client(&self) -> Result<ClientConfig, TlsError> {
        let config = ClientConfig::builder_with_provider(provider()?).with_protocol_versions(&[&TLS13]);
        let config = config.map_err(|error| TlsError::from(&error))?;
        Ok(config.with_root_certificates(Arc::clone(&self.0)).with_no_client_auth())
    }
}

/// What all TLS of this project is made with. Graviola ends the process on a processor without what it is written for; here that is
/// an error.
///
/// # Errors
/// [`TlsError::Processor`].
pub fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    if is_served() { Ok(Arc::new(rustls_graviola::default_provider())) } else { Err(TlsError::Processor) }
}

#[cfg(target_arch = "x86_64")]
fn is_served() -> bool {
    use std::arch::is_x86_feature_detected as has;
    let first = has!("adx") && has!("aes") && has!("avx") && has!("avx2");
    first && has!("bmi1") && has!("bmi2") && has!("pclmulqdq")
}

#[cfg(not(target_arch = "x86_64"))]
const fn is_served() -> bool {
    true
}

/// Why there is no connection that can be believed. Asking again changes nothing, but of [`Self::Handshake`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system names nobody to believe.
    #[error("this system names no certificate authority: {reason}")]
    NoAuthorities {
        /// What was found instead.
        reason: String,
    },
    /// The authorities that the caller named cannot be used.
    #[error("the file of certificate authorities: {reason}")]
    Authorities {
        /// What is wrong with it.
        reason: String,
    },
    /// The processor lacks instructions.
    #[error("TLS needs a processor with ADX, AES, AVX2, BMI and PCLMULQDQ")]
    Processor,
    /// The certificate is another host's.
    #[error("the node's certificate is for {}, not for {expected}", listed(.found))]
    Name {
        /// The host that was asked.
        expected: String,
        /// The names in the certificate.
        found: Vec<String>,
    },
    /// Nobody who is believed signed the certificate.
    #[error("no trusted authority signed the node's certificate")]
    UnknownAuthority,
    /// Its time has passed.
    #[error("the node's certificate expired at {until}, it is {now}")]
    Expired {
        /// Its last second, Unix time.
        until: u64,
        /// This machine's clock, Unix time.
        now: u64,
    },
    /// Its time has not come.
    #[error("the node's certificate counts from {from} on, it is {now}")]
    NotYet {
        /// Its first second, Unix time.
        from: u64,
        /// This machine's clock, Unix time.
        now: u64,
    },
    /// Anything else about the certificate.
    #[error("the node's certificate is refused: {reason}")]
    Certificate {
        /// What rustls has against it.
        reason: String,
    },
    /// The other side speaks no TLS, or not 1.3; or what it says is broken on the way. At the first question to a node it is
    /// [`ChainError::Tls`](crate::ChainError::Tls), later [`ChainError::Rpc`](crate::ChainError::Rpc): a node that spoke TLS
    /// before is asked again.
    #[error("TLS 1.3 with the node failed: {reason}")]
    Handshake {
        /// What rustls says.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

impl From<&rustls::Error> for TlsError {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::from(error),
            other => Self::Handshake { reason: other.to_string() },
        }
    }
}

impl From<&CertificateError> for TlsError {
    fn from(error: &CertificateError) -> Self {
        let seconds = |time: &UnixTime| time.as_secs();
        match error {
            CertificateError::NotValidForNameContext { expected, presented } => {
                Self::Name { expected: expected.to_str().into_owned(), found: presented.clone() }
            }
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::ExpiredContext { time, not_after } => {
                Self::Expired { until: seconds(not_after), now: seconds(time) }
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYet { from: seconds(not_before), now: seconds(time) }
            }
            other => Self::Certificate { reason: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &[u8] = include_bytes!("../../tests/tls/authority.pem");

    #[test]
    fn authorities_are_read_strictly() {
        assert_eq!(Authorities::from_pem(AUTHORITY).expect("one").0.len(), 1);
        let two = [AUTHORITY, AUTHORITY].concat();
        assert_eq!(Authorities::from_pem(&two).expect("two").0.len(), 2);
        for text in [&b""[..], b"no certificate", include_bytes!("../../tests/tls/node.key.der")] {
            let refused = Authorities::from_pem(text).expect_err("nobody");
            assert_eq!(refused, TlsError::Authorities { reason: "no certificate".to_owned() });
        }
        let cut = AUTHORITY.get(..AUTHORITY.len() / 2).expect("half");
        assert!(matches!(Authorities::from_pem(cut), Err(TlsError::Authorities { .. })));
        let other = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Authorities::from_pem(other), Err(TlsError::Authorities { .. })));
    }
}
