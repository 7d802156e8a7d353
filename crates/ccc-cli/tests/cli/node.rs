//! Nodes that keep running: their configuration and their audit log.

use super::support::Scratch;

#[test]
fn a_configuration_that_does_not_fit_is_refused_before_anything_starts() {
    let scratch = Scratch::new();
    let write = |text: &str| std::fs::write(scratch.path("vault.toml"), text).expect("written");
    for text in ["key = 1", "nothing = true", "[[client]]\nname = \"x\"\n"] {
        write(text);
        scratch.ccc("node check-config vault.toml").fails(2, "vault.toml: ");
        scratch.ccc("node vault --config vault.toml").fails(2, "vault.toml: ");
    }
    write("key='k'\ncommittee='c'\ndeployment='d.json'\npolicy='p'\nrpc_url='u'\noperations='10.0.0.1:1'\n");
    scratch.ccc("node check-config vault.toml").fails(2, "10.0.0.1:1 is not a loopback address");
    write("key='k'\ncommittee='c'\ndeployment='d.json'\npolicy='p'\nrpc_url='u'\n");
    scratch.ccc("node check-config vault.toml").fails(2, "cannot read c: ");
}

/// A host's and a signer's, told apart by what they name; what is wrong is said before anything is read or made.
#[test]
fn the_file_of_every_kind_is_checked() {
    let scratch = Scratch::new();
    let head = "key='k'\ncommittee='c'\ndeployment='d.json'\npolicy='p'\nrpc_url='u'\npool='p.toml'\n";
    let peer = |list: &str, name: &str, digit: &str| {
        format!("[[{list}]]\nname='{name}'\nkey='{}'\naddress='127.0.0.1:1'\n", digit.repeat(64))
    };
    let host = |source: &str| {
        format!(
            "{head}hardware='h'\nstore='s'\nvault=[]\nworkflow=[]\n[[source]]\ntoken_file='t'\nclass='auditor'\n{source}\n"
        )
    };
    let signer = format!("{head}signer='s'\nwallet='w'\n{}{}", peer("enclave", "e", "1"), peer("workflow", "w", "2"));
    let check = |text: &str, sentence: &str| {
        std::fs::write(scratch.path("node.toml"), text).expect("written");
        scratch.ccc("node check-config node.toml").fails(2, sentence);
    };
    for good in [host("url='https://custodian.example/s'"), host("url='http://127.0.0.1:80/s'"), signer.clone()] {
        check(&good, "cannot read c: ");
        check(&format!("nothing = true\n{good}"), "node.toml: ");
        check(&format!("operations='10.0.0.1:1'\n{good}"), "10.0.0.1:1 is not a loopback address");
        check(&format!("{good}[limits]\nworkers = 0\n"), "workers is 0, where 1 to");
        check(&format!("{good}[chain]\ninterval = 0\n"), "interval is 0, where 1 to");
    }
    check(&host("url='http://custodian.example/s'"), "source 0: https:// without a name and a password");
    check(&host("url='http://127.0.0.1:80/s'\nauthorities='a.pem'"), "source 0: `authorities` is for https://");
    check(&signer.replace(&"2".repeat(64), &"1".repeat(64)), "another peer has this key");
    check("hardware='h'\nsigner='s'\n", "missing field `key`");
}

#[test]
fn what_a_node_serves_is_printed_as_it_is_committed() {
    let scratch = Scratch::new();
    for (kind, committed) in [
        ("", include_str!("../../../../docs/spec/node.openapi.json")),
        ("--kind enclave", include_str!("../../../../docs/spec/enclave.openapi.json")),
        ("--kind workflow", include_str!("../../../../docs/spec/workflow.openapi.json")),
    ] {
        assert_eq!(scratch.done(&format!("node openapi {kind}")).stdout, committed);
        let document: serde_json::Value = serde_json::from_str(committed).expect("JSON");
        assert_eq!(scratch.done(&format!("--json node openapi {kind}")).json(), document);
    }
}

#[test]
fn an_audit_log_is_whole_or_its_line_is_named() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("empty.audit"), "").expect("written");
    assert!(scratch.done("node audit empty.audit").stdout.starts_with("0 lines hold together"));
    std::fs::write(scratch.path("torn.audit"), "{\"sequence\":1}\n").expect("written");
    scratch.ccc("node audit torn.audit").fails(1, "line 1 is not what was written there");
}
