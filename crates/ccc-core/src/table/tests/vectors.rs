//! Golden vectors of an independent implementation: `vectors/ccc/table.json`.

use super::super::{
    AccountId, AssetId, AssetRule, AuditorSet, DataKey, Delta, Flags, Header, OpenTable, Receipt, ResultCode, Row,
    SealedTable, Sidecar, TableId, TableSuite, Tier,
    batch::Batch,
    body_root, delta_capacity,
    header::Prefix,
    operation::update_digest,
    row::Status,
    rows::Rows,
    seal::{BodyCipher, CHUNK_LEN, leaf, root_of},
    update::Sealing,
};
use crate::{epoch::Epoch, keys::MasterPublicKey, suite::digest};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Gives out recorded bytes in order.
struct Recorded(std::collections::VecDeque<u8>);

impl TryRng for Recorded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.0.pop_front().expect("enough recorded bytes");
        }
        Ok(())
    }
}

impl TryCryptoRng for Recorded {}

pub(super) fn file() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/ccc/table.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("vectors")).expect("JSON")
}

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex")).expect("hex")
}

pub(super) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("length")
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().expect("number")
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("list")
}

fn master(file: &Value) -> MasterPublicKey {
    MasterPublicKey::from_bytes(&bytes(&file["Y"])).expect("Y")
}

fn prefix(version: &Value) -> Prefix {
    Prefix {
        suite: TableSuite::ChaCha20Poly1305,
        id: TableId {
            chain: number(&version["chain"]),
            contract: array(&version["contract"]),
            table: array(&version["table"]),
        },
        epoch: Epoch(number(&version["epoch"])),
        version: number(&version["version"]),
        previous: array(&version["previous"]),
        tier: Tier::new(u8::try_from(number(&version["tier"])).expect("tier")).expect("tier"),
    }
}

fn recorded(version: &Value) -> Recorded {
    Recorded([bytes(&version["random32"]), bytes(&version["wrap_random64"])].concat().into())
}

/// Seals the recorded rows of version 1, which no sequence of updates gives at that version.
fn first(file: &Value) -> (SealedTable, OpenTable) {
    let version = &file["versions"][0];
    let prefix = prefix(version);
    let mut plain = Zeroizing::new(vec![0; prefix.tier.rows() * 64]);
    for (out, row) in plain.chunks_mut(64).zip(list(&version["used_rows"])) {
        out.copy_from_slice(&bytes(row));
    }
    let rows = Rows::from_plain(plain, 1).expect("rows");
    let mut rng = recorded(version);
    let key = DataKey::fresh(None, &prefix.to_bytes(), &update_digest(&[], &[]), &mut rng);
    assert_eq!(key.epoch_salt(prefix.epoch), array(&file["epoch_salt"]));
    let sealing = Sealing { prefix, key, batch: Batch::new(&[], &[]), accepted: 0 };
    sealing.seal(rows, &master(file), &mut rng).expect("sealed")
}

fn check_keys(version: &Value, table: &OpenTable) {
    let p0 = table.header().p0();
    assert_eq!(p0, array(&version["P0"]));
    let keys = table.key.body_keys(&p0);
    assert_eq!(table.key.expose(), &array(&version["data_key"]));
    assert_eq!(keys.body_key(), &array(&version["body_key"]));
    assert_eq!(keys.commitment(), array(&version["key_commitment"]));
    assert_eq!(table.header().chunk_aad(), array(&version["chunk_aad"]));
}

fn check_table(version: &Value, table: &SealedTable) {
    let SealedTable { header, body, sidecar } = table;
    assert_eq!(body.len() as u64, number(&version["sealed_length"]));
    assert_eq!(body[..64], bytes(&version["sealed_first_64"]));
    assert_eq!(body[body.len() - 16..], bytes(&version["sealed_last_16"]));
    assert_eq!(Sha256::digest(body)[..], bytes(&version["sealed_sha256"]));
    assert_eq!(header.body_root(), array(&version["body_root"]));
    assert_eq!(header.state_root(), array(&version["state_root"]));
    assert_eq!(header.p1(), array(&version["P1"]));
    assert_eq!(header.wrapped().label().to_bytes()[..], bytes(&version["table_label"]));
    assert_eq!(header.wrapped().digest(), array(&version["ct_digest"]));
    assert_eq!(header.to_bytes(), array(&version["header"]));
    assert_eq!(header.hash(), array(&version["header_hash"]));
    assert_eq!(Header::from_bytes(&header.to_bytes()).map(|header| header.to_bytes()), Ok(header.to_bytes()));
    assert_eq!(sidecar.len() as u64, number(&version["sidecar_length"]));
    assert_eq!(sidecar[..38], bytes(&version["sidecar_first_38"]));
    assert_eq!(Sha256::digest(sidecar)[..], bytes(&version["sidecar_sha256"]));
}

fn check_entries(version: &Value, table: &SealedTable) {
    let sidecar = Sidecar::parse(&table.sidecar, &table.header).expect("sidecar");
    for entry in list(&version["entries"]) {
        let index = u32::try_from(number(&entry["index"])).expect("index");
        assert_eq!(sidecar.entry(index).expect("entry")[..], bytes(&entry["entry"]));
        let exit = sidecar.open_entry(&array(&entry["reading_key"]), index).expect("opens");
        assert_eq!(exit.row, array(&entry["row"]));
        assert_eq!(exit.salt, array(&entry["row_salt"]));
        assert_eq!(exit.path, list(&entry["path"]).iter().map(array).collect::<Vec<_>>());
    }
}

#[test]
fn versions_are_reproduced_to_the_byte() {
    let file = file();
    let (table, rows) = first(&file);
    check_keys(&file["versions"][0], &rows);
    check_table(&file["versions"][0], &table);
    check_entries(&file["versions"][0], &table);
    let version = &file["versions"][1];
    let opened = OpenTable::open(&table.header, &table.body, &rows.key).expect("opens");
    let lost = Delta {
        account: AccountId(array(&file["owner"])),
        asset: AssetId(0),
        amount: -500_000_000_000_000_000,
        reserved: -12,
    };
    let update = list(&version["updates"]);
    assert_eq!(lost.to_bytes(), array(&update[0]));
    let next = opened
        .update(&[], &[lost], update.len(), &[AssetRule { lot: 1 }], Epoch(3), &master(&file), &mut recorded(version))
        .expect("updates");
    assert_eq!(next.code, ResultCode::Unbalanced);
    check_keys(version, &next.rows);
    check_table(version, &next.table);
    check_entries(version, &next.table);
}

#[test]
fn holdings_and_summaries_are_reproduced() {
    let file = file();
    let (first, rows) = first(&file);
    let answers = &file["answers"];
    let lost = Delta {
        account: AccountId(array(&file["owner"])),
        asset: AssetId(0),
        amount: -500_000_000_000_000_000,
        reserved: -12,
    };
    let opened = OpenTable::open(&first.header, &first.body, &rows.key).expect("opens");
    let mut random = recorded(&file["versions"][1]);
    let table = opened.update(&[], &[lost], 16, &[AssetRule { lot: 1 }], Epoch(3), &master(&file), &mut random);
    let table = table.expect("updates").rows;
    let assets = u32::try_from(number(&answers["assets"])).expect("few");
    for (owner, expected) in [("owner", "holdings"), ("other", "holdings_of_other")] {
        let holdings = table.holdings(AccountId(array(&answers[owner])), assets);
        assert_eq!(holdings.to_bytes()[..], bytes(&answers[expected]));
    }
    let keys = list(&answers["auditors"]).iter().map(array).collect();
    let set = AuditorSet::new(number(&answers["set_version"]), keys).expect("a set");
    assert_eq!(set.digest(), array(&answers["set_digest"]));
    assert_eq!(table.summary(assets, &set).to_bytes(), bytes(&answers["summary"]));
}

#[test]
fn rows_deltas_and_sizes_are_reproduced() {
    let file = file();
    for vector in list(&file["rows"]) {
        let row = Row {
            account: AccountId(array(&vector["account"])),
            asset: AssetId(u32::try_from(number(&vector["asset"])).expect("asset")),
            amount: vector["amount"].as_str().expect("amount").parse().expect("amount"),
            reserved: number(&vector["reserved"]),
            nonce: number(&vector["row_nonce"]),
            flags: Flags::from_bits(u16::try_from(number(&vector["flags"])).expect("flags")).expect("flags"),
        };
        assert_eq!(row.to_bytes(), array(&vector["row"]));
        assert_eq!(Row::from_bytes(&row.to_bytes()), Ok(row));
    }
    for vector in list(&file["deltas"]) {
        let delta = Delta {
            account: AccountId(array(&vector["account"])),
            asset: AssetId(u32::try_from(number(&vector["asset"])).expect("asset")),
            amount: vector["amount"].as_str().expect("amount").parse().expect("amount"),
            reserved: vector["delta_reserved"].as_i64().expect("reserved"),
        };
        assert_eq!(delta.to_bytes(), array(&vector["delta_bytes"]));
    }
    for vector in list(&file["delta_slots"]) {
        let size = |name: &str| usize::try_from(number(&vector[name])).expect("size");
        assert_eq!(delta_capacity(size("slots"), size("makers")), Ok(size("K")));
    }
    for vector in list(&file["tiers"]) {
        let tier = Tier::new(u8::try_from(number(&vector["tier"])).expect("tier")).expect("tier");
        assert_eq!(tier.rows() as u64, number(&vector["rows"]));
        assert_eq!(u64::from(tier.chunks()), number(&vector["chunks"]));
    }
}

#[test]
fn receipts_are_reproduced() {
    let file = file();
    let header = Header::from_bytes(&bytes(&file["versions"][1]["header"])).expect("header");
    for vector in list(&file["receipts"]) {
        let byte = |name: &str| u8::try_from(number(&vector[name])).expect("byte");
        let amount = |name: &str| vector[name].as_str().expect("amount").parse().expect("amount");
        let receipt = Receipt {
            request: array(&vector["request"]),
            order_digest: array(&vector["order_digest"]),
            version: number(&vector["version"]),
            outcome: byte("outcome"),
            reason: byte("reason"),
            lots: number(&vector["lots"]),
            notional: amount("notional"),
            row_index: u32::try_from(number(&vector["row_index"])).expect("index"),
            new_amount: amount("new_amount"),
        };
        let (key, slot) = (array(&vector["reading_key"]), u32::try_from(number(&vector["slot"])).expect("slot"));
        assert_eq!(receipt.to_bytes(), array(&vector["receipt"]));
        assert_eq!(receipt.seal(&key, &header, slot), array(&vector["sealed"]));
        assert_eq!(Receipt::open(&bytes(&vector["sealed"]), &key, &header, slot), Ok(receipt));
    }
}

#[test]
fn roots_over_many_chunks_are_reproduced() {
    let file = file();
    let many = &file["body_root_many"];
    let leaves: Vec<_> = (0..).zip(list(&many["chunks"])).map(|(i, chunk)| leaf(i, &bytes(chunk))).collect();
    assert_eq!(leaves, list(&many["leaves"]).iter().map(array).collect::<Vec<_>>());
    assert_eq!(root_of(&leaves), array(&many["body_root"]));
    // suite 2 is not built in
    let in_suite_1 = |vector: &&Value| bytes(&vector["P0"])[6..8] == [0, 1];
    let vector = list(&file["chunks_many"]).iter().find(in_suite_1).expect("a vector of suite 1");
    let p0 = prefix(vector).to_bytes();
    assert_eq!(p0, array(&vector["P0"]));
    let keys = DataKey::from_opened(&bytes(&vector["data_key"])).expect("key").body_keys(&p0);
    assert_eq!(keys.body_key(), &array(&vector["body_key"]));
    assert_eq!(digest(&p0), array(&vector["chunk_aad"]));
    let cipher = BodyCipher::new(TableSuite::ChaCha20Poly1305, keys.body_key()).expect("built in");
    let mut body = vec![];
    for (index, tag) in (0..).zip(list(&vector["tags"])) {
        let mut sealed = vec![0; CHUNK_LEN + 16];
        cipher.seal(index, &digest(&p0), &vec![0; CHUNK_LEN], &mut sealed);
        assert_eq!(sealed[CHUNK_LEN..], bytes(tag), "chunk {index}");
        body.extend(sealed);
    }
    assert_eq!(body_root(&body), array(&vector["body_root"]));
}

/// The rows of the specification's worked header: where each field ends, and its bytes.
fn worked_header() -> (String, Vec<(usize, Vec<u8>)>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/table.md");
    let text = std::fs::read_to_string(path).expect("the specification");
    let (_, worked) = text.split_once("**A header, worked**").expect("the example");
    let hash = worked.split('`').nth(3).expect("the hash behind the file's name");
    let rows = worked.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let field = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (_, end) = cells[0].split_once("..").expect("a range");
        (end.parse().expect("a number"), hex::decode(cells[2]).expect("hexadecimal"))
    };
    (hash.to_owned(), rows.take_while(|line| line.starts_with('|')).map(field).collect())
}

#[test]
fn the_specifications_header_is_the_vectors() {
    let (hash, fields) = worked_header();
    let mut printed = vec![];
    for (end, bytes) in fields {
        printed.extend(bytes);
        assert_eq!(printed.len(), end);
    }
    let version = &file()["versions"][0];
    assert_eq!(printed, bytes(&version["header"]));
    assert_eq!(hash, version["header_hash"].as_str().expect("hex"));
    let header = Header::from_bytes(&printed).expect("a header");
    assert_eq!(hex::encode(header.hash()), hash);
}

#[test]
fn a_status_row_survives_its_bytes() {
    let file = file();
    let row = array(&file["versions"][1]["used_rows"][0]);
    let status = Status::from_bytes(&row).expect("status");
    assert_eq!((status.code, status.version), (ResultCode::Unbalanced, 2));
    assert_eq!(status.to_bytes(), row);
}
