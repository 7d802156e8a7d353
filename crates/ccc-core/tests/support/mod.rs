//! What the vector tests share: a generator that replays recorded bytes, and readers of the vector files.

#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken vector file fails the test")]

use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Mutex;

/// Gives back recorded bytes, in order, and nothing more.
pub struct Replay(pub Vec<u8>);

impl TryRng for Replay {
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
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        assert!(dst.len() <= self.0.len(), "fewer bytes were recorded than are drawn");
        let rest = self.0.split_off(dst.len());
        dst.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Replay {}

/// A vector file of the independent implementation.
pub fn vectors(name: &str) -> Value {
    outside(&format!("ccc/{name}.json"))
}

/// A vector file of any source.
pub fn outside(path: &str) -> Value {
    serde_json::from_str(&outside_text(path)).unwrap()
}

/// The text of a vector file. Read when the test runs, and not built in: the packaged crate has no vectors, and its tests
/// compile all the same.
pub fn outside_text(path: &str) -> String {
    let path = format!("{}/../../vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The bytes of a vector file, read once and kept for the whole run.
pub fn file(path: &str) -> &'static [u8] {
    static READ: Mutex<BTreeMap<String, &'static [u8]>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    read.entry(path.to_owned()).or_insert_with(|| {
        let path = format!("{}/../../vectors/{path}", env!("CARGO_MANIFEST_DIR"));
        Vec::leak(std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}")))
    })
}

/// The elements of a list.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

/// A hexadecimal field.
pub fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(value, key)).unwrap_or_else(|e| panic!("{key}: {e}"))
}

/// A hexadecimal field of fixed length.
pub fn array<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    bytes(value, key).try_into().unwrap_or_else(|_| panic!("{key} has {N} bytes"))
}

/// A list of hexadecimal fields of fixed length.
pub fn arrays<const N: usize>(value: &Value, key: &str) -> Vec<[u8; N]> {
    let one = |item: &Value| hex::decode(item.as_str().unwrap()).unwrap().try_into().unwrap();
    list(value, key).iter().map(one).collect()
}

/// A text field.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is text"))
}

/// A number field.
pub fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().or_else(|| value[key].as_str()?.parse().ok()).unwrap_or_else(|| panic!("{key} is a number"))
}

fn snapshot_folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/snapshots"))
}

/// The names of all snapshots.
pub fn snapshots() -> BTreeSet<String> {
    let entries = std::fs::read_dir(snapshot_folder()).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter_map(|name| Some(name.to_str()?.strip_suffix(".hex")?.to_owned())).collect()
}

/// The bytes of a snapshot.
pub fn snapshot(name: &str) -> Vec<u8> {
    let path = snapshot_folder().join(format!("{name}.hex"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    hex::decode(text.lines().collect::<String>()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Compares with a snapshot; with `CCC_WRITE_SNAPSHOTS` in the environment writes it first.
pub fn assert_snapshot(name: &str, made: &[u8]) {
    if std::env::var_os("CCC_WRITE_SNAPSHOTS").is_some() {
        let lines: String = made.chunks(48).map(|line| hex::encode(line) + "\n").collect();
        std::fs::write(snapshot_folder().join(format!("{name}.hex")), lines).unwrap();
    }
    assert_eq!(hex::encode(made), hex::encode(snapshot(name)), "{name}");
}
