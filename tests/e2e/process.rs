//! Programs that the tests start: servers that stay, and commands that end.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::supervisor::say;

/// Longest wait for anything that the servers do.
const PATIENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(20);
/// File of the process identifiers of servers, one a line.
const RECORD: &str = "processes";

/// Starts servers, each with a log of its own, and remembers them.
pub struct Servers {
    programs: PathBuf,
    run: PathBuf,
}

impl Servers {
    /// Servers from this directory of programs, with their files in `run`.
    pub fn new(programs: PathBuf, run: PathBuf) -> Self {
        Self { programs, run }
    }

    /// Where this program, or directory of files, is.
    pub fn path(&self, program: &str) -> PathBuf {
        self.programs.join(program)
    }

    /// Whether it is there.
    pub fn have(&self, program: &str) -> bool {
        self.path(program).exists()
    }

    /// A program as it is to be called: without anything of the environment but what the tests set.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.run).current_dir(&self.run);
        command.stdin(Stdio::null());
        command
    }

    /// Starts a server that runs until the tests end.
    pub fn start(&self, name: &str, mut command: Command) {
        let log = File::create(self.run.join(format!("{name}.log"))).unwrap();
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut record = OpenOptions::new().create(true).append(true).open(self.run.join(RECORD)).unwrap();
        writeln!(record, "{}", child.id()).unwrap();
        let name = name.to_owned();
        // None ends before the tests do, unless something is wrong with it.
        std::thread::spawn(move || say(&format!("e2e: {name} ended: {:?}", child.wait())));
    }

    /// Runs a command to its end, which has to be a good one, and gives what it printed.
    pub fn output(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} ended with {}:\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Ends the servers of a run. Inside a PID namespace they have ended with it, and their identifiers mean nothing here.
pub fn end_recorded(run: &Path) {
    let Ok(record) = std::fs::read_to_string(run.join(RECORD)) else { return };
    for process in record.lines() {
        // Only what still runs one of our servers in this run: its working directory says so.
        if std::fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|directory| directory == run) {
            signal(process, "KILL");
        }
    }
}

fn signal(process: &str, signal: &str) {
    let _ = Command::new("sh").args(["-c", r#"kill -s "$1" "$0""#, process, signal]).stderr(Stdio::null()).status();
}

/// Sends a signal, by its name without `SIG`, to a child.
pub fn send(child: &Child, name: &str) {
    signal(&child.id().to_string(), name);
}

/// This port of the loopback address if it is free, else any.
pub fn port(wanted: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).or_else(|_| TcpListener::bind(("127.0.0.1", 0))).unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks again and again until there is an answer.
pub fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {} s in vain for {what}", PATIENCE.as_secs());
        std::thread::sleep(INTERVAL);
    }
}

/// What a program did.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Waits for a child whose output is piped.
pub fn finish(mut child: Child) -> Ended {
    let mut error = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        error.read_to_string(&mut text).unwrap();
        text
    });
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    Ended { code: child.wait().unwrap().code(), stdout, stderr: reader.join().unwrap() }
}
