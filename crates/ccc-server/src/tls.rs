//! TLS 1.3 between holders of known keys: raw public keys (RFC 7250) on both sides, no authority, no resumption.
//!
//! *Source*: RFC 8446, RFC 7250. Ciphers and key exchange are Graviola's; the signatures are this project's Ed25519, by
//! the strict rule, as those of envelopes are.

use crate::identity::{Identity, key_of};
use ed25519_dalek::{Signature, VerifyingKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::TLS13,
};
use std::{collections::BTreeSet, sync::Arc};

/// The one protocol above TLS.
const ALPN: &[u8] = b"h2";
/// No name is looked up and none is sent: the key says who the peer is.
const NAME: &str = "vault.invalid";

/// What a server presents, and whose clients it takes.
///
/// # Errors
/// What rustls has against it.
pub fn server(identity: &Identity, clients: BTreeSet<[u8; 32]>) -> Result<Arc<ServerConfig>, Error> {
    let resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(identity.certified()));
    let mut config = ServerConfig::builder_with_provider(provider()?)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(Known(clients)))
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// What a client presents, and the one key that it takes from a server.
///
/// # Errors
/// What rustls has against it.
pub fn client(identity: &Identity, server: [u8; 32]) -> Result<Arc<ClientConfig>, Error> {
    let resolver = Arc::new(AlwaysResolvesClientRawPublicKeys::new(identity.certified()));
    let mut config = ClientConfig::builder_with_provider(provider()?)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Known(BTreeSet::from([server]))))
        .with_client_cert_resolver(resolver);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

fn provider() -> Result<Arc<CryptoProvider>, Error> {
    ccc_chain::https::provider().map_err(|error| Error::General(error.to_string()))
}

/// The name that stands for no name.
pub(crate) fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a fixed name that is one")
}

/// Keys that are known; any other ends the handshake.
#[derive(Debug)]
struct Known(BTreeSet<[u8; 32]>);

impl Known {
    fn check(&self, presented: &CertificateDer<'_>) -> Result<(), Error> {
        let known = key_of(presented).is_some_and(|key| self.0.contains(&key));
        if known { Ok(()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }
}

fn check_signature(
    message: &[u8],
    key: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let bad = || Error::from(CertificateError::BadSignature);
    if signed.scheme != SignatureScheme::ED25519 {
        return Err(bad());
    }
    let key = key_of(key).and_then(|key| VerifyingKey::from_bytes(&key).ok()).ok_or_else(bad)?;
    let signature = Signature::from_slice(signed.signature()).map_err(|_| bad())?;
    key.verify_strict(message, &signature).map(|()| HandshakeSignatureValid::assertion()).map_err(|_| bad())
}

fn no_tls12() -> Error {
    Error::General("TLS 1.3 alone is spoken".into())
}

impl ClientCertVerifier for Known {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
