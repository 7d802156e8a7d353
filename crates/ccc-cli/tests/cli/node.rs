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

#[test]
fn what_a_node_serves_is_printed_as_it_is_committed() {
    let scratch = Scratch::new();
    let committed = include_str!("../../../../docs/spec/node.openapi.json");
    assert_eq!(scratch.done("node openapi").stdout, committed);
    let document: serde_json::Value = serde_json::from_str(committed).expect("JSON");
    assert_eq!(scratch.done("--json node openapi").json(), document);
}

#[test]
fn an_audit_log_is_whole_or_its_line_is_named() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("empty.audit"), "").expect("written");
    assert!(scratch.done("node audit empty.audit").stdout.starts_with("0 lines hold together"));
    std::fs::write(scratch.path("torn.audit"), "{\"sequence\":1}\n").expect("written");
    scratch.ccc("node audit torn.audit").fails(1, "line 1 is not what was written there");
}
