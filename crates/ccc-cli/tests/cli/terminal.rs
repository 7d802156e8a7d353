//! What is typed on a terminal. The terminal is the test's own: a pseudo-terminal that `setsid` of util-linux makes the
//! controlling one of the command.

use super::support::Scratch;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::Path,
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Terminal {
    name: String,
    keyboard: File,
    screen: Receiver<u8>,
    seen: String,
    child: Child,
}

impl Terminal {
    /// Starts a program whose terminal this is.
    fn start(scratch: &Scratch, program: &Path, arguments: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, vec![]).expect("named").into_string().expect("text");
        let end = || File::options().read(true).write(true).open(&name).expect("opens");
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(arguments.split_whitespace())
            .current_dir(scratch.path("."))
            .env_remove("CCC_PASSPHRASE_FILE")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("setsid of util-linux is there");
        let keyboard = File::from(master);
        let (shown, screen) = channel();
        let reader = BufReader::new(keyboard.try_clone().expect("a second handle"));
        // reading a terminal that everybody has left is an error, and the end
        spawn(move || reader.bytes().map_while(Result::ok).try_for_each(|byte| shown.send(byte)));
        Self { name, keyboard, screen, seen: String::new(), child }
    }

    /// Waits until a text is on the screen, and forgets what stood before its end.
    fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let byte = self.screen.recv_timeout(left);
            let shown = byte.map_err(|_| format!("{text:?} does not come after {:?}", self.seen));
            self.seen.push(char::from(shown.expect("in time")));
        }
        std::mem::take(&mut self.seen)
    }

    /// Waits until the terminal does not echo: what is typed ahead of that, it shows itself.
    fn wait_for_silence(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let stty =
                Command::new("stty").args(["-F", &self.name, "-a"]).output().expect("stty of coreutils is there");
            if String::from_utf8_lossy(&stty.stdout).split_whitespace().any(|word| word == "-echo") {
                return;
            }
            assert!(Instant::now() < until, "the terminal still echoes");
            sleep(Duration::from_millis(10));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// Everything shown until the program ended, and its exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let code = self.child.wait().expect("ended").code();
        while let Ok(byte) = self.screen.recv_timeout(Duration::from_millis(200)) {
            self.seen.push(char::from(byte));
        }
        (self.seen, code)
    }
}

/// The terminal echoes what is typed at a program that does not ask otherwise, so the silence below is the command's.
#[test]
fn n152_a_typed_passphrase_is_not_echoed() {
    let scratch = Scratch::new();
    let mut cat = Terminal::start(&scratch, Path::new("cat"), "");
    cat.press("words of a passphrase\n");
    cat.wait_for("words of a passphrase");
    cat.press("\u{4}");
    assert_eq!(cat.end().1, Some(0));

    let mut keygen = Terminal::start(&scratch, Path::new(env!("CARGO_BIN_EXE_ccc")), "keygen account --out key.ccc");
    let mut shown = String::new();
    for prompt in ["new passphrase: ", "the same again: "] {
        shown += &keygen.wait_for(prompt);
        keygen.wait_for_silence();
        keygen.press("words of a passphrase\n");
    }
    let (rest, code) = keygen.end();
    shown += &rest;
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("words") && !shown.contains("passphrase of"), "{shown}");
    assert!(!scratch.read("key.ccc").is_empty());
}
