//! The whole program: exit codes, what is said on both streams, and what is left on disk.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

mod cluster;
mod configuration;
mod contacted;
mod exceptions;
mod gates;
mod github;
mod interrupted;
mod kept;
mod pinning;
mod proxy;
mod registry;
mod sbom;
mod slsa;
mod stored;
mod summaries;
mod text;
mod verify;
mod writing;

/// A program run with an environment of its own.
pub struct Program {
    home: TempDir,
}

impl Program {
    pub fn new() -> Self {
        Self { home: tempfile::Builder::new().prefix("home-").tempdir().unwrap() }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn cache(&self) -> std::path::PathBuf {
        self.home().join("cache")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("XDG_CACHE_HOME", self.cache())
            .env("KUBECONFIG", self.home().join("kubeconfig"))
            .env("COLUMNS", "120")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// The same as in a CI.
    pub fn run_in_ci(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).env("CI", "true").output().unwrap().into()
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A file in the home directory.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// How the program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ended {
    /// It ended with this code, and all of this is on standard error.
    #[track_caller]
    fn says(&self, code: i32, on_stderr: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in on_stderr {
            assert!(self.err.contains(part), "{part:?} is missing on standard error: {self:#?}");
        }
    }

    /// It ended with this code, and all of this is on standard output.
    #[track_caller]
    fn prints(&self, code: i32, on_stdout: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in on_stdout {
            assert!(self.out.contains(part), "{part:?} is missing on standard output: {self:#?}");
        }
    }

    pub fn out(&self) -> &str {
        &self.out
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
