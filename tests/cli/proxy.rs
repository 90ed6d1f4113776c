//! A cluster behind a proxy.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use super::Program;
use super::cluster::pod;
use crate::api_server::Script;

/// A proxy that connects where it is asked to, and tells where that was.
fn proxy() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(client.try_clone().unwrap());
                let mut request = String::new();
                reader.read_line(&mut request).unwrap();
                let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let _ = sender.send(request);
                let Ok(server) = TcpStream::connect(target) else { return };
                (&client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
                let mut back = (server.try_clone().unwrap(), client);
                std::thread::spawn(move || io::copy(&mut back.0, &mut back.1));
                let _ = io::copy(&mut reader, &mut &server);
            });
        }
    });
    (port, asked)
}

#[test]
fn a_cluster_is_reached_through_the_proxy_that_is_named() {
    let server = Script::with([pod("prod", "web")]).start();
    let direct = std::fs::read_to_string(server.kubeconfig("secret-token")).unwrap();
    let mut kubeconfig: serde_json::Value = serde_json::from_str(&direct).unwrap();
    let cluster = &mut kubeconfig["clusters"][0]["cluster"];
    let host = cluster["server"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let (port, asked) = proxy();
    cluster["proxy-url"] = json!(format!("http://127.0.0.1:{port}"));
    let program = Program::new();
    program.file("kubeconfig", &kubeconfig.to_string());
    program.run(&["scan", "control", "C-0075"]).prints(0, &["1 workload"]);
    assert_eq!(asked.try_recv().unwrap().trim_end(), format!("CONNECT {host} HTTP/1.1"));
}
