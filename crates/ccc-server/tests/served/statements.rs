//! The custodian's statement behind TLS: who is believed, what reaches the wire, and what a log says of the rest.

use crate::tls::{AUTHORITY, ELSEWHERE, EXPIRED, Front, NODE, STRANGER};
use ccc_chain::https::{Authorities, GetError, TlsError};
use ccc_node::custodian::{CustodianError, SimulatedCustodian, fetch_trusting};
use tokio::{io::AsyncWriteExt, net::TcpListener};

const TOKEN: &str = "a-token-that-nobody-shall-read";

/// A custodian behind TLS with this certificate.
async fn behind(certificate: &[u8], statement: Vec<u8>) -> (SimulatedCustodian, Front) {
    let custodian = SimulatedCustodian::serve(([127, 0, 0, 1], 0).into(), TOKEN, statement).await.unwrap();
    let address = custodian.url().trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
    (custodian, Front::before(address, certificate).await)
}

async fn fetched(front: &Front, token: &str, authority: &[u8]) -> Result<Vec<u8>, CustodianError> {
    let url = format!("https://localhost:{}/v1/statement", front.port);
    let body = fetch_trusting(&url, token, &Authorities::from_pem(authority).unwrap()).await;
    body.map(|body| body.to_vec())
}

fn fault(refused: Result<Vec<u8>, CustodianError>) -> TlsError {
    let text = format!("{refused:?}");
    assert!(!text.contains(TOKEN), "{text}");
    match refused {
        Err(CustodianError::Get(GetError::Tls(fault))) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_statement_comes_from_who_is_vouched_for_alone() {
    let (_custodian, front) = behind(NODE, b"{}".to_vec()).await;
    assert_eq!(fetched(&front, TOKEN, AUTHORITY).await.unwrap(), b"{}");
    for token in ["", "another"] {
        let refused = fetched(&front, token, AUTHORITY).await;
        assert!(matches!(refused, Err(CustodianError::Refused { status: 401 })), "{refused:?}");
    }
    let refused = fetched(&front, "two\nlines", AUTHORITY).await;
    assert!(matches!(refused, Err(CustodianError::Get(GetError::Token))), "{refused:?}");
    assert_eq!(fault(fetched(&front, TOKEN, STRANGER).await), TlsError::UnknownAuthority);
    let (_custodian, front) = behind(EXPIRED, b"{}".to_vec()).await;
    assert!(matches!(fault(fetched(&front, TOKEN, AUTHORITY).await), TlsError::Expired { .. }));
    let (_custodian, front) = behind(ELSEWHERE, b"{}".to_vec()).await;
    assert!(matches!(fault(fetched(&front, TOKEN, AUTHORITY).await), TlsError::Name { .. }));
}

#[tokio::test]
async fn a_long_answer_and_one_that_is_no_tls_are_refused() {
    let most = ccc_enclave::statement::MAX_LEN;
    let (_custodian, front) = behind(NODE, vec![b' '; most]).await;
    assert_eq!(fetched(&front, TOKEN, AUTHORITY).await.unwrap().len(), most);
    let (_custodian, front) = behind(NODE, vec![b' '; most + 1]).await;
    let refused = fetched(&front, TOKEN, AUTHORITY).await;
    assert!(matches!(refused, Err(CustodianError::TooLong)), "{refused:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        std::future::pending::<()>().await;
    };
    let authorities = Authorities::from_pem(AUTHORITY).unwrap();
    tokio::select! {
        refused = fetch_trusting(&url, TOKEN, &authorities) => {
            assert!(matches!(fault(refused.map(|body| body.to_vec())), TlsError::Handshake { .. }));
        }
        () = plain => {}
    }
}
