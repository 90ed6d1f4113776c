//! How large what is read may be, and reading no further than that.

use std::io::{self, Read};

/// Largest `snapshot.json`, in bytes.
pub(super) const HEADER: u64 = 1 << 20;
/// Largest `inventory.json`, in bytes: a hundred thousand workloads with room to spare.
pub(super) const INVENTORY: u64 = 512 << 20;
/// Largest `ledger.jsonl`, in bytes.
pub(super) const LEDGER: u64 = 512 << 20;
/// Largest single blob, in bytes.
pub(super) const BLOB: u64 = 64 << 20;
/// All files together, in bytes.
pub(super) const TOTAL: u64 = 2 << 30;
/// Most entries of an archive, or files of one directory.
pub(super) const ENTRIES: u64 = 4_000_000;

/// Reads at most `limit` bytes; `None` when there are more.
pub(super) fn read(source: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// A reader that fails when more than its limit flows through: what a decompressor makes of a small file is not bounded by the file.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other("it unpacks to more than any snapshot holds"))?;
        Ok(read)
    }
}
