//! A front before a registry: passes everything on, until it is told to fail in one of the ways that registries fail.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How a registry fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens.
    Closed,
    /// Every request gets this status and these header lines.
    Status(&'static str, &'static str),
    /// Connections are accepted, and nothing is ever said.
    Silent,
}

/// The listening front. What connected before a fault stays connected.
pub struct Front {
    /// Where it listens.
    pub port: u16,
    fault: Arc<Mutex<Option<Fault>>>,
    connections: Arc<AtomicUsize>,
}

impl Front {
    /// A front before the server at this port of loopback.
    pub fn before(port: u16, server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (now, count) = (Arc::clone(&fault), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let fault = *now.lock().unwrap();
                if fault == Some(Fault::Closed) {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream, fault, server));
            }
        });
        Self { port, fault, connections }
    }

    /// From now on fails so.
    pub fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
        if fault == Fault::Closed {
            // The listener waits for a connection: this one is its last.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Serves one connection; an error is the end of it and nothing else.
fn serve(stream: TcpStream, fault: Option<Fault>, server: u16) {
    let _ = match fault {
        None | Some(Fault::Closed) => pass_on(&stream, server),
        Some(Fault::Status(status, headers)) => refuse(stream, status, headers),
        Some(Fault::Silent) => drain(stream),
    };
}

fn pass_on(client: &TcpStream, server: u16) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut &server, &mut &*client)?;
    client.shutdown(Shutdown::Write)
}

/// Reads heads of requests (none of the client's has a body) and answers each.
fn refuse(mut stream: TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        seen.extend_from_slice(&buffer[..read]);
        while let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            seen.drain(..end + 4);
            write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n")?;
        }
    }
}

/// Reads until the client gives up.
fn drain(mut stream: TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}
