//! The outer process: makes the programs, and runs this test binary again where its servers disturb nobody.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use tempfile::TempDir;

use super::process;

/// Directory of the programs, for the inner process.
pub const PROGRAMS: &str = "SEAWORTHY_E2E_PROGRAMS";
/// Directory of the run, for the inner process.
pub const RUN: &str = "SEAWORTHY_E2E_RUN";

/// Set for the inner process where it is alone in a network namespace.
pub const ISOLATED: &str = "SEAWORTHY_E2E_ISOLATED";

/// Without these there is nothing to test. The others have their own tests, which are skipped by name.
const NEEDED: [&str; 6] = ["etcd", "pki", "ociserve", "cosign", "kube-apiserver", "kube-controller-manager"];

/// Every test shares the servers and mostly waits for them.
const THREADS: &str = "4";

const NAMESPACE: [&str; 5] = ["-rn", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// The first words of a shell in a fresh network namespace. The shell stays as its first process: it passes nothing on,
/// but a signal from the terminal ends what it waits for, and its end ends everything else inside. Ports of servers that are
/// still to be started are kept from connections that want just any port.
const INSIDE: &str = r#"PATH="$PATH:/usr/sbin:/sbin"; echo 43100-43149 2>/dev/null >/proc/sys/net/ipv4/ip_local_reserved_ports
    ip link set lo up && "$0" "$@""#;

/// Runs the end-to-end tests, or says why not.
pub fn run() {
    let Some(wanted) = std::env::var_os("SEAWORTHY_E2E") else {
        say("skipped: e2e (make e2e, or SEAWORTHY_E2E=1)");
        return;
    };
    let strict = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    let programs = Programs::make();
    for (name, why) in &programs.missing {
        say(&format!("skipped: {name}: {why}"));
    }
    assert!(!strict || programs.missing.is_empty(), "CI=true and programs are missing: {:?}", programs.missing);
    if NEEDED.iter().any(|name| programs.missing.contains_key(*name)) {
        say("skipped: e2e (nothing can be tested without the programs above)");
        return;
    }
    let isolated = can_isolate();
    if !isolated {
        say("e2e: no network namespace can be made here (unshare -rn): using free ports of this machine");
        assert!(!strict, "CI=true and no network namespace can be made: what a private Sigstore signs would not be tested");
    }
    let directory = tempfile::Builder::new().prefix("seaworthy-e2e-").tempdir().unwrap();
    let ended = again(&wanted, &programs.directory, directory.path(), isolated);
    process::end_recorded(directory.path());
    if !ended.success() {
        let kept = directory.keep();
        panic!("end-to-end tests failed ({ended}); the logs of the servers are in {}", kept.display());
    }
    drop::<TempDir>(directory);
}

/// To the terminal, also where the output of tests is captured.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs this binary again. It ends when its standard input does, so also with this process.
fn again(wanted: &OsString, programs: &Path, run: &Path, isolated: bool) -> ExitStatus {
    let this = std::env::current_exe().unwrap();
    let mut command = if isolated {
        let mut command = Command::new("unshare");
        command.args(NAMESPACE).args(["sh", "-c", INSIDE]).arg(this).env(ISOLATED, "1");
        command
    } else {
        Command::new(this)
    };
    let filter = if wanted == "1" { OsString::from("e2e::") } else { wanted.clone() };
    command.arg(filter).args(["--ignored", "--test-threads", THREADS]).env(PROGRAMS, programs).env(RUN, run).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lifeline = child.stdin.take();
    let ended = child.wait().unwrap();
    drop(lifeline);
    ended
}

/// Ends this process when the outer one is gone.
pub fn end_with_supervisor(run: PathBuf) {
    std::thread::spawn(move || {
        // Nothing is ever written to it: an answer of any kind is its end.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        process::end_recorded(&run);
        std::process::exit(1);
    });
}

fn can_isolate() -> bool {
    let tried = Command::new("unshare").args(NAMESPACE).args(["sh", "-c", INSIDE, "true"]).stdin(Stdio::null()).output();
    tried.is_ok_and(|output| output.status.success())
}

/// What `stack/build` made.
struct Programs {
    directory: PathBuf,
    missing: BTreeMap<String, String>,
}

impl Programs {
    fn make() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/stack/build");
        say("e2e: the servers are built with Go if they are not there yet (some minutes, once)");
        let output = Command::new("bash").arg(script).env_remove("CI").stderr(Stdio::inherit()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "tests/e2e/stack/build ended with {}:\n{text}", output.status);
        let mut programs = Self { directory: PathBuf::new(), missing: BTreeMap::new() };
        for line in text.lines() {
            match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
                ["bin", "-", directory] => programs.directory = directory.into(),
                [name, "missing", why] => _ = programs.missing.insert(name.to_owned(), why.to_owned()),
                _ => {}
            }
        }
        programs
    }
}
