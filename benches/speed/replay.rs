//! A plain load generator: the same requests as a scan made, without asking what the answers mean.
//!
//! Lists go page by page, as they must; all else goes out over a fixed number of connections. Bodies are read and dropped.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 64;

/// `replay FILE`: a file of lines `PORT METHOD PATH ACCEPT`, separated by tabs.
pub fn run(requests: &str) {
    let text = std::fs::read_to_string(Path::new(requests)).unwrap();
    let mut pages: BTreeMap<(u16, String), Vec<String>> = BTreeMap::new();
    let mut single: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (port, method, path, accept) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let port: u16 = port.parse().unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: {accept}\r\ncontent-length: 0\r\n\r\n");
        match path.split_once("?limit=") {
            Some((list, _)) => pages.entry((port, list.to_owned())).or_default().push(head),
            None => single.entry(port).or_default().push(head),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for ((port, _), heads) in pages {
            tasks.spawn(send(port, Arc::new(heads), Arc::default()));
        }
        for (port, heads) in single {
            let (heads, next) = (Arc::new(heads), Arc::<AtomicUsize>::default());
            for _ in 0..CONNECTIONS.min(heads.len()) {
                tasks.spawn(send(port, Arc::clone(&heads), Arc::clone(&next)));
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}

/// Sends what is next until nothing is left, over one connection.
async fn send(port: u16, heads: Arc<Vec<String>>, next: Arc<AtomicUsize>) {
    let mut stream = BufReader::with_capacity(64 << 10, TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    while let Some(head) = heads.get(next.fetch_add(1, Ordering::Relaxed)) {
        stream.get_mut().write_all(head.as_bytes()).await.unwrap();
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        if !head.starts_with("HEAD ") {
            tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await.unwrap();
        }
    }
}
