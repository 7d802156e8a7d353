//! A scratch directory and the command, run in it.

pub(crate) mod circle;
pub(crate) mod liar;

use assert_cmd::Command;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Settings of whoever runs the tests.
const OF_CHAINS: [&str; 11] = [
    "CCC_ACCOUNT_KEY",
    "CCC_COMMITTEE",
    "CCC_CONFIG",
    "CCC_RPC_CA",
    "CCC_RPC_URL",
    "CCC_CHAIN_ID",
    "CCC_DEPLOYMENT",
    "CCC_PRIVATE_KEY_FILE",
    "CCC_PRIVATE_KEY",
    "CCC_KEYSTORE",
    "CCC_KEYSTORE_PASSPHRASE",
];

/// A directory that is removed at the end.
pub(crate) struct Scratch(tempfile::TempDir);

/// What a run printed and how it ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a scratch directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// A file that only its owner reads.
    pub(crate) fn write_private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        set_mode(&path, 0o600);
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("read")
    }

    /// Runs `ccc` with arguments separated by spaces.
    pub(crate) fn ccc(&self, arguments: &str) -> Run {
        self.ccc_with(arguments, &[], &[])
    }

    /// As [`Self::ccc`], with bytes on standard input.
    pub(crate) fn ccc_stdin(&self, arguments: &str, stdin: &[u8]) -> Run {
        self.ccc_with(arguments, stdin, &[])
    }

    pub(crate) fn ccc_with(&self, arguments: &str, stdin: &[u8], environment: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccc"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace()).write_stdin(stdin);
        for name in ["CCC_PASSPHRASE", "CCC_PASSPHRASE_FILE", "COLUMNS", "NO_COLOR"].into_iter().chain(OF_CHAINS) {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let output = command.output().expect("the command runs");
        Run {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            out: output.stdout,
        }
    }

    /// Runs `ccc`, which must succeed.
    pub(crate) fn done(&self, arguments: &str) -> Run {
        let run = self.ccc(arguments);
        assert_eq!(run.code, 0, "ccc {arguments}\n{}{}", run.stdout, run.stderr);
        run
    }

    /// Every file below the directory with its bytes, to see that nothing changed.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files.sort();
        files
    }
}

impl Run {
    /// The run ended with this exit code and this stable error code, one `error:` line and one `hint:` line.
    pub(crate) fn fails(&self, exit: i32, sentence: &str) -> &Self {
        assert_eq!(self.code, exit, "{}{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert_eq!(lines.len(), 2, "{}", self.stderr);
        assert!(lines[0].starts_with("error: ") && lines[0].contains(sentence), "{}", self.stderr);
        assert!(lines[1].starts_with("hint: ") && lines[1].len() > 12, "{}", self.stderr);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("one JSON object on standard output")
    }

    pub(crate) fn json_error(&self) -> serde_json::Value {
        serde_json::from_str(&self.stderr).expect("one JSON object on standard error")
    }
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_symlink() {
            files.push((path, b"link".to_vec()));
        } else if path.is_dir() {
            collect(&path, files);
        } else {
            files.push((path.clone(), fs::read(&path).expect("read")));
        }
    }
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode set");
}

#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A pool as the path by hand makes it, with key files in the clear.
pub(crate) struct Story {
    pub(crate) scratch: Scratch,
}

impl Story {
    /// Keys, pool, deposits, one standing order; the first round is not run yet.
    pub(crate) fn funded() -> Self {
        Self::founded(Scratch::new(), "")
    }

    /// As [`Self::stocked`], in a pool whose operator has the key `operator.ccc`.
    pub(crate) fn operated() -> Self {
        let scratch = Scratch::new();
        let operator = scratch.done("--no-passphrase keygen account --out operator.ccc").stdout;
        Self::founded(scratch, &format!("--operator {}", operator.trim())).settled()
    }

    /// As [`Self::funded`], in this directory and with further flags of `table init`.
    pub(crate) fn founded(scratch: Scratch, flags: &str) -> Self {
        scratch.done("--no-passphrase keygen dkg -n 4 --out keys");
        let reserve = scratch.done("--no-passphrase keygen account --out reserve.ccc").stdout;
        scratch.done("--no-passphrase keygen account --out maker.ccc");
        scratch.done("--no-passphrase keygen agent --out agent.ccc");
        let reserve = reserve.trim();
        let story = Self { scratch };
        story.done(&format!(
            "--no-passphrase table init --committee keys/committee.ccc --reserve {reserve} --agent-key agent.pub --out pool {flags}"
        ));
        story.done("table deposit --pool pool --account-key reserve.ccc --asset quote --amount 500000000000");
        story.done("table deposit --pool pool --account-key maker.ccc --asset base --amount 500000000");
        story.done("encrypt-order --pool pool --standing --account-key maker.ccc --size 400000000 --spread 50");
        story
    }

    /// As [`Self::funded`], with the deposits credited and the order's reservation made.
    pub(crate) fn stocked() -> Self {
        Self::funded().settled()
    }

    fn settled(self) -> Self {
        self.attempt("intake", "", &[1, 2, 3]);
        self.done("fill run --pool pool --attempt intake");
        self
    }

    pub(crate) fn done(&self, arguments: &str) -> Run {
        self.scratch.done(arguments)
    }

    pub(crate) fn ccc(&self, arguments: &str) -> Run {
        self.scratch.ccc(arguments)
    }

    /// Prepares an attempt and lets participants answer.
    pub(crate) fn attempt(&self, name: &str, flags: &str, participants: &[u16]) {
        self.done(&format!("--no-passphrase fill prepare --pool pool --out {name} {flags}"));
        for i in participants {
            self.done(&format!("reencrypt --participant keys/participant-{i}.ccc --pool pool --attempt {name}"));
        }
    }

    /// Price observations that a round at the present accepts.
    pub(crate) fn prices(&self) {
        let now = now();
        let seen = |round: u64, answer: u64, age: u64| serde_json::json!({ "round": round, "answer": answer, "updated_at": now - age });
        let list = [seen(1, 9_700_000_000_000, 1500), seen(2, 9_710_000_000_000, 700), seen(3, 9_705_000_000_000, 60)];
        self.scratch.write("prices.json", serde_json::to_vec(&list).expect("JSON"));
    }

    pub(crate) fn statement(&self, reserves: u64, liabilities: u64) {
        let text = format!(
            r#"{{"account":"cold","unit":"satoshi","time":{},"reserves":{reserves},"liabilities":{liabilities}}}"#,
            now() - 5
        );
        self.scratch.write("statement.json", text);
    }

    pub(crate) fn balance(&self, owner: &str) -> serde_json::Value {
        self.done(&format!("--json table balance --pool pool --account-key {owner}.ccc")).json()
    }
}
