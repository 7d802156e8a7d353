//! The custodian's statement behind TLS: who is believed, what reaches the wire, and what a log says of the rest.

use crate::{
    hosts::{Net, Running, TOKEN, Who},
    tls::{AUTHORITY, ELSEWHERE, EXPIRED, Front, NODE, STRANGER},
};
use ccc_chain::https::{Authorities, GetError, TlsError};
use ccc_node::custodian::{CustodianError, SimulatedCustodian, fetch_trusting};
use ccc_server::{attested::RESERVE, client::CallError, enclave};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

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

/// What reaches a custodian that is always busy.
async fn busy() -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let (listener, seen) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::<Mutex<Vec<String>>>::default());
    let (address, heard) = (listener.local_addr().unwrap(), Arc::clone(&seen));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4_096];
            let length = stream.read(&mut bytes).await.unwrap();
            heard.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        }
    });
    (address, seen)
}

/// From the door of a host to the wire: the token goes to whom the source's own authorities vouch for, and to nobody else.
#[tokio::test]
async fn a_host_asks_its_source_where_the_sources_own_authorities_vouch_for_it() {
    let net = Net::new().await;
    let directory = tempfile::tempdir().unwrap();
    net.first_version(directory.path()).await;
    let (address, seen) = busy().await;
    let front = Front::before(address, NODE).await;
    let block = net.scene.world.chain.finalised_block().await.unwrap().hash.0;
    let file = net.host_file(directory.path(), "");
    let authorities = |pem: &[u8]| Some(Authorities::from_pem(pem).unwrap());
    for (authorities, asked) in [(authorities(STRANGER), 0), (None, 0), (authorities(AUTHORITY), 1)] {
        let mut material = net.material(&file, net.keys(Who::Host));
        material.sources[0].url = format!("https://localhost:{}/v1/statement", front.port);
        material.sources[0].authorities = authorities;
        let host = enclave::service::prepare(&file, material, Arc::clone(&net.scene.clock) as _, false).await;
        let running = Running::host(host.unwrap());
        let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
        let check = [block.as_slice(), &1_u64.to_be_bytes()].concat();
        let refused = signer.call(RESERVE.path, RESERVE.asks, check).await.unwrap_err();
        assert!(matches!(&refused, CallError::Status { status, text } if status.as_u16() == 403 && text == "refused"));
        assert_eq!(seen.lock().unwrap().len(), asked);
        drop(signer);
        running.end().await;
    }
    let request = seen.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /v1/statement ") && request.contains(&format!("authorization: bearer {TOKEN}")));
}
