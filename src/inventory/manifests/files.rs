//! Finds and reads files, within limits.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{ManifestError, ManifestSource};

/// Largest file.
const LARGEST_FILE: u64 = 64 << 20;
/// Largest sum of all files.
const LARGEST_SUM: u64 = 512 << 20;
/// Most files.
const MOST_FILES: usize = 50_000;
/// Deepest directory below a named one.
const DEEPEST: usize = 32;

/// The text of a file.
pub(super) struct Text {
    /// Its path as it was given, or found below one that was given.
    pub(super) file: String,
    pub(super) content: String,
    /// Whether the user named this file, rather than a directory above it.
    pub(super) is_named: bool,
}

/// One thing that was found.
pub(super) enum Found {
    Text(Text),
    /// It cannot be read, and the rest can.
    Problem {
        file: String,
        detail: String,
    },
}

enum Pending {
    Named(ManifestSource),
    Below(PathBuf, usize),
}

/// Reads one text after the other, so that one is held at a time.
pub(super) struct Texts<'a> {
    pending: VecDeque<Pending>,
    named: Vec<String>,
    stdin: &'a mut dyn Read,
    directories: BTreeSet<PathBuf>,
    files: usize,
    sum: u64,
}

impl<'a> Texts<'a> {
    pub(super) fn new(sources: &[ManifestSource], stdin: &'a mut dyn Read) -> Self {
        let named = sources.iter().map(name).collect();
        let pending = sources.iter().cloned().map(Pending::Named).collect();
        Self { pending, named, stdin, directories: BTreeSet::new(), files: 0, sum: 0 }
    }

    /// What the user named, for a message.
    pub(super) fn named(&self) -> String {
        self.named.join(", ")
    }

    /// The next text, or a problem with one file. An error ends the reading: what the user named is not there.
    pub(super) fn next(&mut self) -> Result<Option<Found>, ManifestError> {
        while let Some(pending) = self.pending.pop_front() {
            let (path, depth, is_named) = match pending {
                Pending::Named(ManifestSource::Stdin) => {
                    let text =
                        read_limited(&mut *self.stdin).map_err(|source| ManifestError::Unreadable { path: "-".to_owned(), source })?;
                    return Ok(Some(self.text("-".to_owned(), text, true)));
                }
                Pending::Named(ManifestSource::Path(path)) => (path, 0, true),
                Pending::Below(path, depth) => (path, depth, false),
            };
            let file = path.display().to_string();
            match self.open(&path, depth, is_named) {
                Ok(None) => {}
                Ok(Some(bytes)) => return Ok(Some(self.text(file, bytes, is_named))),
                Err(source) if is_named => return Err(ManifestError::Unreadable { path: file, source }),
                Err(source) => return Ok(Some(Found::Problem { file, detail: source.to_string() })),
            }
        }
        Ok(None)
    }

    /// Reads a file, or queues what is in a directory.
    fn open(&mut self, path: &Path, depth: usize, is_named: bool) -> std::io::Result<Option<Vec<u8>>> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            if depth > DEEPEST {
                return Err(std::io::Error::other(format!("more than {DEEPEST} directories deep")));
            }
            // A link that leads back up would never end.
            if self.directories.insert(path.canonicalize()?) {
                self.queue(path, depth)?;
            }
            return Ok(None);
        }
        // A named pipe below a directory would wait for its writer; one that the user names (`<(helm template …)`) has one.
        if !is_named && !metadata.is_file() {
            return Ok(None);
        }
        read_limited(&mut File::open(path)?).map(Some)
    }

    fn queue(&mut self, directory: &Path, depth: usize) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && (path.is_dir() || is_manifest(&path)) {
                entries.push(path);
            }
        }
        entries.sort_unstable_by(|left, right| right.cmp(left));
        for path in entries {
            self.pending.push_front(Pending::Below(path, depth + 1));
        }
        Ok(())
    }

    fn text(&mut self, file: String, bytes: Vec<u8>, is_named: bool) -> Found {
        self.files += 1;
        self.sum += bytes.len() as u64;
        let problem = |detail: String| Found::Problem { file: file.clone(), detail };
        if bytes.len() as u64 > LARGEST_FILE {
            return problem(format!("larger than {} MiB", LARGEST_FILE >> 20));
        }
        if self.sum > LARGEST_SUM || self.files > MOST_FILES {
            self.pending.clear();
            return problem(format!("the files are more than {MOST_FILES}, or {} MiB together; the rest was not read", LARGEST_SUM >> 20));
        }
        match String::from_utf8(bytes) {
            Ok(content) => Found::Text(Text { file, content, is_named }),
            Err(error) => problem(format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to())),
        }
    }
}

fn name(source: &ManifestSource) -> String {
    match source {
        ManifestSource::Path(path) => path.display().to_string(),
        ManifestSource::Stdin => "standard input".to_owned(),
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// One byte more than is allowed, so that the excess shows.
fn read_limited(from: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
