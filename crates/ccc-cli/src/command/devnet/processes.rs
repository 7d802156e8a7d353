//! Processes of this program: started with a pipe that ends them when this one ends, asked over their operations port.

use serde_json::json;
use std::{
    fs::File,
    io,
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a process may take for an answer about itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest reason that is shown.
const REASON: usize = 200;
/// How long processes have to end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// Whether somebody is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Started, and not heard of yet.
    Starting,
    /// `/readyz` says so.
    Up,
    /// `/readyz` says why not.
    NotReady(String),
    /// Nobody answers there.
    Away,
}

impl State {
    fn words(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Up => "up".to_owned(),
            Self::NotReady(reason) => format!("not ready: {reason}"),
            Self::Away => "away".to_owned(),
        }
    }
}

/// What is started.
pub(super) struct Start<'a> {
    pub(super) name: String,
    pub(super) arguments: &'a [&'a str],
    pub(super) directory: &'a Path,
    pub(super) address: SocketAddr,
    pub(super) operations: SocketAddr,
}

pub(super) struct Process {
    name: String,
    child: Child,
    /// The process ends when this does.
    input: Option<ChildStdin>,
    address: SocketAddr,
    operations: SocketAddr,
    state: State,
}

impl Process {
    pub(super) fn line(&self) -> String {
        let Self { name, child, address, operations, state, .. } = self;
        format!("{name:12} {:>8} {address:21} http://{operations:21} {}", child.id(), state.words())
    }

    pub(super) fn object(&self) -> serde_json::Value {
        let Self { name, child, address, operations, state, .. } = self;
        json!({
            "name": name, "pid": child.id(), "address": address, "operations": operations, "state": state.words(),
        })
    }
}

/// All of them; they end with this.
#[derive(Default)]
pub(super) struct Processes(Vec<Process>);

impl Processes {
    /// Starts one; what it logs goes to a file beside its configuration.
    pub(super) fn start(&mut self, start: Start<'_>) -> io::Result<()> {
        let Start { name, arguments, directory, address, operations } = start;
        let log = File::create(directory.join(format!("{name}.log")))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        for variable in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
            if variable.starts_with("CCC_") {
                command.env_remove(variable);
            }
        }
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        self.0.push(Process { name, child, input, address, operations, state: State::Starting });
        Ok(())
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(Process::line)
    }

    pub(super) fn objects(&self) -> Vec<serde_json::Value> {
        self.0.iter().map(Process::object).collect()
    }

    /// Each one's place and operations address.
    pub(super) fn operations(&self) -> Vec<(usize, SocketAddr)> {
        self.0.iter().map(|process| process.operations).enumerate().collect()
    }

    /// Takes over what was found; those of another state than before.
    pub(super) fn changed(&mut self, states: Vec<(usize, State)>) -> Vec<&Process> {
        let mut changed = Vec::new();
        for (place, state) in states {
            if let Some(process) = self.0.get_mut(place).filter(|process| process.state != state) {
                process.state = state;
                changed.push(place);
            }
        }
        changed.into_iter().filter_map(|place| self.0.get(place)).collect()
    }

    /// One that ended while it should run.
    pub(super) fn ended(&mut self) -> Option<String> {
        let mut processes = self.0.iter_mut();
        let ended =
            processes.find_map(|process| (!matches!(process.child.try_wait(), Ok(None))).then_some(&process.name));
        ended.cloned()
    }

    pub(super) fn all_up(&self) -> bool {
        self.0.iter().all(|process| process.state == State::Up)
    }
}

impl Drop for Processes {
    /// Their inputs end first, so that each can finish; what is left then is killed.
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|process| drop(process.input.take()));
        let end = std::time::Instant::now() + GRACE;
        while std::time::Instant::now() < end
            && self.0.iter_mut().any(|process| matches!(process.child.try_wait(), Ok(None)))
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        for process in &mut self.0 {
            let _ended_already = process.child.kill();
            let _nothing_left = process.child.wait();
        }
    }
}

/// What a process says of itself.
pub(super) async fn ready(operations: SocketAddr) -> State {
    match timeout(PATIENCE, ask(operations)).await {
        Ok(Ok(answer)) => read(&answer),
        Ok(Err(_)) | Err(_) => State::Away,
    }
}

async fn ask(operations: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(operations).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {operations}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn read(answer: &str) -> State {
    let status = answer.split_whitespace().nth(1);
    let reason = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim();
    match status {
        Some("200") => State::Up,
        _ => State::NotReady(reason.chars().take(REASON).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_who_is_up_and_why_not() {
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n"), State::Up);
        let not = read("HTTP/1.1 503 Service Unavailable\r\n\r\nthe chain is not read yet\n");
        assert_eq!(not, State::NotReady("the chain is not read yet".into()));
        assert_eq!(read(""), State::NotReady(String::new()));
    }

    #[tokio::test]
    async fn nobody_who_listens_is_away() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its number");
        drop(listener);
        assert_eq!(ready(address).await, State::Away);
    }
}
