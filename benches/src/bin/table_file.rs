//! Updates a table from a file to a file and prints the time and the peak memory.
//!
//! ```text
//! table_file LOG2 DIRECTORY [aes]
//! ```
//!
//! The directory takes two bodies and two sidecars: 5.8 GiB for 2^24 rows. Peak memory is VmHWM of the process, so
//! Linux alone; what the program held before the update is printed beside it.
#![allow(clippy::unwrap_used, reason = "a bench may stop at a surprise")]
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use ccc_benches::sealed::{data_key, idle, master, params};
use ccc_core::table::{
    FileSink, FileSource, Header, Outputs, Progress, SealedBody, Streamed, TableSuite, Tier, genesis_to,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{fs::File, path::Path, time::Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, log2, directory, suite @ ..] = arguments.as_slice() else {
        println!("table_file LOG2 DIRECTORY [aes]");
        return;
    };
    let tier = Tier::new(log2.parse().unwrap()).unwrap();
    let suite = if suite.is_empty() { TableSuite::ChaCha20Poly1305 } else { TableSuite::Aes256Gcm };
    let (directory, mut rng) = (Path::new(directory), ChaCha20Rng::seed_from_u64(1));
    report("at the start");
    let header = genesis(directory, tier, suite, &mut rng);
    report("after genesis");
    update(directory, &header, &mut rng);
    report("after the update");
}

fn report(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM is not there");
    println!("{when}: {peak}");
}

fn create(directory: &Path, name: &str) -> FileSink<File> {
    FileSink::new(File::create(directory.join(name)).unwrap())
}

fn tell(start: Instant) -> impl FnMut(Progress) {
    let mut last = None;
    move |Progress { stage, done, of }| {
        if done == of && last != Some(stage) {
            last = Some(stage);
            println!("{stage:?} done at {:.1} s", start.elapsed().as_secs_f64());
        }
    }
}

fn genesis(directory: &Path, tier: Tier, suite: TableSuite, rng: &mut ChaCha20Rng) -> Header {
    let (mut body, mut sidecar) = (create(directory, "body.1"), create(directory, "sidecar.1"));
    let outputs = Outputs { body: &mut body, sidecar: &mut sidecar, progress: &mut tell(Instant::now()) };
    genesis_to(&params(tier, suite), &master(), outputs, rng).unwrap().header
}

fn update(directory: &Path, header: &Header, rng: &mut ChaCha20Rng) {
    let (mut body, mut sidecar) = (create(directory, "body.2"), create(directory, "sidecar.2"));
    let mut source = FileSource::new(File::open(directory.join("body.1")).unwrap());
    let key = data_key(header);
    let outputs = Outputs { body: &mut body, sidecar: &mut sidecar, progress: &mut tell(Instant::now()) };
    let sealed = SealedBody { header, key: &key, body: &mut source };
    let Streamed { header, code, .. } = sealed.apply(&idle(16), &master(), outputs, rng).unwrap();
    println!("version {}, code {}", header.version(), code.byte());
}
