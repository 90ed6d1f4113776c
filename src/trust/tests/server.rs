//! A web server on loopback that counts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it does about a request.
#[derive(Debug, Clone)]
pub(super) enum Conduct {
    /// Serve these files, 404 for others.
    Files(BTreeMap<String, Vec<u8>>),
    /// Serve these files, and say nothing about those whose name ends so.
    SilentAbout(&'static str, BTreeMap<String, Vec<u8>>),
    /// Say nothing at all.
    Silent,
    /// Answer with this status.
    Status(u16),
    /// A body without end.
    Endless,
}

#[derive(Debug)]
struct State {
    conduct: Conduct,
    connections: usize,
    requests: Vec<String>,
}

/// It; ends with the test's runtime.
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { conduct, connections: 0, requests: Vec::new() }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/tuf", self.address)
    }

    pub(super) fn behave(&self, conduct: Conduct) {
        self.state.lock().unwrap().conduct = conduct;
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// What was asked for since the last time, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        let Ok(1..) = stream.read_line(&mut request).await else { return };
        loop {
            let mut line = String::new();
            let Ok(1..) = stream.read_line(&mut line).await else { return };
            if line.trim().is_empty() {
                break;
            }
        }
        let name = request.split(' ').nth(1).unwrap().strip_prefix("/tuf/").unwrap().to_owned();
        let conduct = {
            let mut state = state.lock().unwrap();
            state.requests.push(name.clone());
            state.conduct.clone()
        };
        let (status, body) = match conduct {
            Conduct::SilentAbout(end, _) if name.ends_with(end) => std::future::pending().await,
            Conduct::Files(files) | Conduct::SilentAbout(_, files) => {
                files.get(&name).map_or((404, Vec::new()), |body| (200, body.clone()))
            }
            Conduct::Silent => std::future::pending().await,
            Conduct::Status(status) => (status, Vec::new()),
            Conduct::Endless => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
                while stream.write_all(&[b' '; 1 << 16]).await.is_ok() {}
                return;
            }
        };
        let head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}
