//! `fixtures/signatures/` as it is kept, or as it is written anew.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cases::{self, Stage};
use super::{attested, trust};

/// The directory of the fixtures; written first where that is asked for.
pub fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signatures");
        if std::env::var_os("SEAWORTHY_WRITE_FIXTURES").is_some() {
            write(&directory);
        }
        directory
    })
}

/// The directory of attestations; their fixtures are written first where that is asked for.
pub fn attestations() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/attestations");
        if std::env::var_os("SEAWORTHY_WRITE_FIXTURES").is_some() {
            for old in names(&directory).into_iter().filter(|name| !attested::NO_LAYOUTS.contains(&name.as_str())) {
                std::fs::remove_dir_all(directory.join(old)).unwrap();
            }
            let stage = Stage::new();
            let root = format!("{:#}\n", stage.sigstore.trusted_root());
            std::fs::write(directory.join("trust/trusted_root.json"), root).unwrap();
            for (name, layout) in attested::cases(&stage) {
                layout.write(&directory.join(name));
            }
        }
        directory
    })
}

/// The directory of what signers as people use them made.
pub fn signers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signers")
}

fn write(directory: &Path) {
    for old in names(directory) {
        std::fs::remove_dir_all(directory.join(old)).unwrap();
    }
    let stage = Stage::new();
    trust::write(&stage, &directory.join("trust"));
    for (name, layout) in cases::all(&stage) {
        layout.write(&directory.join(name));
    }
}

/// Names of the directories in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
