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

/// A proxy that goes nowhere, and tells where it was to go.
fn dead_end() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let mut request = String::new();
            let _ = BufReader::new(client.try_clone().unwrap()).read_line(&mut request);
            let _ = sender.send(request.split(' ').nth(1).unwrap_or_default().to_owned());
            let _ = (&client).write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (port, asked)
}

#[test]
fn offline_only_the_api_server_and_registries_are_contacted() {
    let server = Script::with([pod("prod", "web")]).start();
    let kubeconfig = std::fs::read_to_string(server.kubeconfig("secret-token")).unwrap();
    let (port, asked) = dead_end();
    let scan = |more: &[&str]| {
        // A cache of its own each time: one attempt an hour is all that a repository gets.
        let program = Program::new();
        program.file("kubeconfig", &kubeconfig);
        let key = format!("{}/fixtures/signatures/trust/p256.pub", env!("CARGO_MANIFEST_DIR"));
        let policy = program.file(
            "policy.yaml",
            &format!(
                "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: p }}\nspec:\n  trustRoots:\n    public-good: {{ sigstore: publicGood }}\n    github: {{ sigstore: github }}\n  authorities:\n    ci: {{ keyless: {{ trustRoot: public-good, issuer: {{ exact: i }}, subject: {{ exact: s }} }} }}\n    gh: {{ keyless: {{ trustRoot: github, issuer: {{ exact: i }}, subject: {{ exact: s }} }} }}\n    ops: {{ key: {{ file: {key} }}, transparencyLog: required, trustRoot: public-good }}\n  images:\n    - {{ match: [\"**\"], require: {{ anyOf: [ci, gh, ops] }} }}\n"
            ),
        );
        let arguments = ["scan", "control", "C-0236", "--registry-timeout", "2s", "--trust-policy", &policy, "-f", "json"];
        let mut command = program.command(&[&arguments[..], more].concat());
        let output = command.env("HTTPS_PROXY", format!("http://127.0.0.1:{port}")).env("NO_PROXY", "127.0.0.1").output().unwrap();
        let ended = super::Ended::from(output);
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        let mut hosts: Vec<_> = asked.try_iter().collect();
        hosts.sort();
        hosts.dedup();
        (hosts, ended.json())
    };
    let (hosts, _) = scan(&[]);
    assert!(hosts.iter().any(|host| host.starts_with("tuf-repo")), "otherwise roots are refreshed: {hosts:?}");
    let (hosts, report) = scan(&["--offline"]);
    assert!(hosts.iter().all(|host| !host.starts_with("tuf-repo")), "{hosts:?}");
    let registries: Vec<_> = report["images"].as_array().unwrap().iter().filter_map(|image| image["reference"].as_str()).collect();
    assert!(hosts.len() <= registries.len(), "{hosts:?} for {registries:?}");
    let roots = report["header"]["trustRoots"].as_array().unwrap();
    assert_eq!(roots.iter().map(|root| root["origin"].clone()).collect::<Vec<_>>(), ["embedded", "embedded"]);
    assert!(roots.iter().all(|root| root["dated"].is_string()), "how old they are is in the report");
}
