//! No share and no key is in what the command prints, whether a run succeeds, refuses or fails.

use super::support::{Run, circle::Circle};
use ccc_core::encoding::{Kind, header};

/// Bytes of a secret that are looked for together: by chance no output holds them.
const WINDOW: usize = 6;

/// Secrets of a file in the clear, by the objects in it: kind, place in the object, length.
const OBJECTS: [(Kind, usize, usize); 2] = [(Kind::KeyShare, 82, 32), (Kind::ParticipantKeys, 8, 64)];

fn secrets(file: &[u8]) -> Vec<Vec<u8>> {
    let objects = OBJECTS.iter().filter_map(|(kind, place, length)| {
        let at = file.windows(8).position(|window| window == header(*kind))? + place;
        Some(file.get(at..at + length)?.to_vec())
    });
    objects.collect()
}

/// Everything that was printed, and the secrets that must not be in it.
struct Record {
    secrets: Vec<Vec<u8>>,
    printed: Vec<u8>,
}

impl Record {
    fn hear(&mut self, run: &Run) {
        self.printed.extend_from_slice(&run.out);
        self.printed.extend_from_slice(run.stderr.as_bytes());
    }

    fn learn(&mut self, circle: &Circle, name: &str) {
        let found = secrets(&circle.scratch.read(name));
        assert!(!found.is_empty(), "{name} holds a secret");
        self.secrets.extend(found);
    }

    /// Raw, in hexadecimal of either case, and as a list of numbers, which is how `Debug` writes bytes.
    fn check(&self) {
        let printed: String = self.printed.iter().map(|byte| char::from(*byte)).collect();
        let lower = printed.to_lowercase();
        for window in self.secrets.iter().flat_map(|secret| secret.windows(WINDOW)) {
            let raw: String = window.iter().map(|byte| char::from(*byte)).collect();
            let list = window.iter().map(u8::to_string).collect::<Vec<_>>();
            assert!(!printed.contains(&raw) && !lower.contains(&hex::encode(window)));
            assert!(!printed.contains(&list.join(", ")) && !printed.contains(&list.join(",")));
        }
    }
}

/// Every command of a vault's life that reads or writes a share.
fn life(circle: &Circle, record: &mut Record) {
    circle.scratch.write("note.txt", "hello\n");
    for arguments in [
        "encrypt --key vault/committee.ccc --out note.ccc note.txt",
        "share --participant vault/participant-1.ccc --key vault/committee.ccc --out 1.ccc note.ccc",
        "--json share --participant vault/participant-2.ccc --key vault/committee.ccc --out 2.ccc note.ccc",
        "share --participant vault/participant-3.ccc --key vault/committee.ccc --out 3.ccc note.ccc",
        "open --key vault/committee.ccc note.ccc 1.ccc 2.ccc 3.ccc",
        "inspect vault/participant-1.ccc k1.ccc s1 1.ccc vault/committee.ccc",
        "--json inspect vault/participant-1.ccc",
        "verify vault/participant-1.ccc",
        "keygen session --committee vault/committee.ccc --refresh --out refresh.json",
        "repair-share request --committee vault/committee.ccc --keys k4.ccc --helpers 1,2,3 --out request.ccc",
    ] {
        record.hear(&circle.ccc(arguments));
    }
    for i in 1..=3 {
        let participant = format!("--participant vault/participant-{i}.ccc");
        let committee = "--committee vault/committee.ccc";
        let refresh =
            format!("refresh --session refresh.json {committee} {participant} --state r{i} --board rb --out new");
        let assist = format!("repair-share assist {committee} {participant} --request request.ccc --board repair");
        record.hear(&circle.ccc(&format!("--no-passphrase {refresh}")));
        record.hear(&circle.ccc(&assist));
    }
}

/// Altered, truncated and foreign key files: the run fails, and says nothing of what it read.
fn failures(circle: &Circle, record: &mut Record) {
    let file = circle.scratch.read("vault/participant-1.ccc");
    let share = "--json share --participant bad.ccc --key vault/committee.ccc --out bad-share.ccc --force note.ccc";
    let (mut bad, mut failed) = (Vec::new(), 0);
    for at in (0..file.len()).step_by(7) {
        let mut altered = file.clone();
        altered[at] ^= 0xff;
        bad.extend([altered, file[..at].to_vec()]);
    }
    bad.truncate(40);
    bad.push([file.as_slice(), &file].concat());
    bad.push(circle.scratch.read("k2.ccc"));
    for bytes in bad {
        circle.scratch.write_private("bad.ccc", "");
        circle.scratch.write("bad.ccc", bytes);
        let run = circle.scratch.ccc_with(share, &[], &[("RUST_BACKTRACE", "full")]);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        failed += u32::from(run.code != 0);
        record.hear(&run);
    }
    assert!(failed > 30, "{failed} of them fail");
}

#[test]
fn n053_no_output_of_any_run_holds_a_byte_of_a_share() {
    let circle = Circle::with_vault(4);
    let mut record = Record { secrets: Vec::new(), printed: Vec::new() };
    for i in 1..=4 {
        record.learn(&circle, &format!("k{i}.ccc"));
        record.learn(&circle, &format!("vault/participant-{i}.ccc"));
        record.hear(&circle.dkg(i, ""));
    }
    assert_eq!(record.secrets.len(), 12);
    life(&circle, &mut record);
    failures(&circle, &mut record);
    record.check();
}

#[cfg(target_os = "linux")]
mod dumps {
    use rustix::process::{Pid, Signal, getuid, kill_process};
    use std::{
        fs,
        os::unix::{
            fs::{MetadataExt, PermissionsExt},
            process::ExitStatusExt,
        },
        process::{Child, Command, Stdio},
        time::{Duration, Instant},
    };

    const LIMIT: Duration = Duration::from_secs(20);
    const NOBODY: u32 = 65_534;

    /// A directory with the command in it that every user may enter.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("set");
        fs::copy(env!("CARGO_BIN_EXE_ccc"), directory.path().join("ccc")).expect("copied");
        directory
    }

    /// A program under a shell that lets it dump as much as it may, and never as root, of whom `/proc` tells nothing.
    fn start(directory: &tempfile::TempDir, program: &str) -> Child {
        let nobody = format!("setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups");
        let user = if getuid().is_root() { &*nobody } else { "" };
        let script = format!("ulimit -c unlimited; exec {user} {program}");
        let mut command = Command::new("sh");
        command.current_dir(directory.path()).args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null());
        command.spawn().expect("starts")
    }

    /// The limit of its core files is zero, and its memory in `/proc` is root's: so the system marks a process
    /// of another user that may not be dumped.
    fn has_given_up_dumps(child: &Child) -> bool {
        let place = format!("/proc/{}", child.id());
        let limits = fs::read_to_string(format!("{place}/limits")).expect("it runs");
        let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("its line");
        let none = line.split_whitespace().take(2).all(|limit| limit == "0");
        none && fs::metadata(format!("{place}/mem")).expect("it runs").uid() == 0
    }

    fn leaves_a_core(mut child: Child) -> bool {
        kill_process(Pid::from_child(&child), Signal::ABORT).expect("a signal is sent");
        let status = child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
        status.core_dumped()
    }

    #[test]
    fn n053_a_crash_leaves_no_core_dump() {
        let directory = directory();
        let child = start(&directory, "./ccc inspect -");
        let began = Instant::now();
        while !has_given_up_dumps(&child) {
            assert!(began.elapsed() < LIMIT, "it may still be dumped");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!leaves_a_core(child), "a core was dumped");
    }

    /// The control: what the test above looks at is not so of every process.
    #[test]
    fn n053_a_program_that_does_not_give_dumps_up_is_told_apart() {
        let directory = directory();
        let child = start(&directory, "sleep 30");
        std::thread::sleep(Duration::from_millis(300));
        assert!(!has_given_up_dumps(&child));
        println!("it leaves a core: {}", leaves_a_core(child));
    }
}
