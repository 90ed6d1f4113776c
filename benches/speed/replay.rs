//! A plain load generator: the same requests as a scan made, without asking what the answers mean.
//!
//! Lists go page by page, as they must; all else goes out over a fixed number of connections. Bodies are read and dropped. Once over
//! plain sockets, the least that a program can do, and once by the HTTP library that the scan uses.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 64;

/// By what the requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Sockets, and nothing between.
    Sockets,
    /// The library that the scan uses.
    Library,
}

/// One request.
struct Line {
    port: u16,
    method: String,
    path: String,
    accept: String,
}

/// `replay sockets|library FILE`: a file of lines `PORT METHOD PATH ACCEPT`, separated by tabs.
pub fn run(by: By, requests: &str) {
    let text = std::fs::read_to_string(Path::new(requests)).unwrap();
    let mut pages: BTreeMap<(u16, String), Vec<Line>> = BTreeMap::new();
    let mut single: BTreeMap<u16, Vec<Line>> = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split('\t').map(str::to_owned);
        let port: u16 = fields.next().unwrap().parse().unwrap();
        let line = Line { port, method: fields.next().unwrap(), path: fields.next().unwrap(), accept: fields.next().unwrap() };
        match line.path.split_once("?limit=") {
            Some((list, _)) => pages.entry((port, list.to_owned())).or_default().push(line),
            None => single.entry(port).or_default().push(line),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut tasks = JoinSet::new();
        let mut start = |lines: Vec<Line>, connections: usize| {
            let (lines, next) = (Arc::new(lines), Arc::<AtomicUsize>::default());
            for _ in 0..connections.min(lines.len()) {
                let (lines, next) = (Arc::clone(&lines), Arc::clone(&next));
                match by {
                    By::Sockets => tasks.spawn(send(lines, next)),
                    By::Library => tasks.spawn(send_by_library(client.clone(), lines, next)),
                };
            }
        };
        for lines in pages.into_values() {
            start(lines, 1);
        }
        for lines in single.into_values() {
            start(lines, CONNECTIONS);
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}

/// Sends what is next until nothing is left.
async fn send_by_library(client: reqwest::Client, lines: Arc<Vec<Line>>, next: Arc<AtomicUsize>) {
    while let Some(Line { port, method, path, accept }) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = client.request(method.parse().unwrap(), format!("http://127.0.0.1:{port}{path}")).header("accept", accept);
        let mut response = request.send().await.unwrap();
        while response.chunk().await.unwrap().is_some() {}
    }
}

/// The same, over one connection.
async fn send(lines: Arc<Vec<Line>>, next: Arc<AtomicUsize>) {
    let mut stream = BufReader::with_capacity(64 << 10, TcpStream::connect(("127.0.0.1", lines[0].port)).await.unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    while let Some(Line { port, method, path, accept }) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: {accept}\r\ncontent-length: 0\r\n\r\n");
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
        if method != "HEAD" {
            tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await.unwrap();
        }
    }
}
