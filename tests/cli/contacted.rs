//! Who is contacted by a live scan, seen by whom every address leads to: in a network namespace of its own all of them are loopback.

use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::Program;
use super::registry::{LOOPBACK, Running, Shelf};
use crate::api_server::Script;

/// Every address is this machine's: what is contacted anywhere arrives here.
const INSIDE: &str = r#"PATH="$PATH:/usr/sbin:/sbin"; ip link set lo up && ip route add local default dev lo && ip -6 route add local default dev lo && "$0" "$@""#;
const NAMESPACE: [&str; 6] = ["-rn", "--fork", "--kill-child", "sh", "-c", INSIDE];

const POLICY: &str = "apiVersion: seaworthy.dev/v1alpha1
kind: TrustPolicy
metadata: { name: production }
spec:
  trustRoots: { public: { sigstore: publicGood }, github: { sigstore: github } }
  authorities:
    release: { keyless: { trustRoot: public, issuer: { exact: 'https://issuer.test' }, subject: { exact: 'https://signer.test' } } }
    attested: { keyless: { trustRoot: github, issuer: { exact: 'https://issuer.test' }, subject: { exact: 'https://signer.test' } } }
  images: [{ match: ['**'], require: { anyOf: [release, attested] } }]
";

#[test]
fn offline_only_the_api_server_and_the_registries_are_contacted() {
    let unshare = |program: &str, arguments: &[&str]| {
        Command::new("unshare").args(NAMESPACE).arg(program).args(arguments).stdin(Stdio::null()).output().unwrap()
    };
    if !unshare("true", &[]).status.success() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true and no network namespace can be made (unshare -rn)");
        eprintln!("skipped: who is contacted (no network namespace can be made: unshare -rn)");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let ended = unshare(this.to_str().unwrap(), &["--exact", "cli::contacted::alone_in_a_namespace", "--ignored", "--nocapture"]);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
#[ignore = "run by cli::contacted::offline_only_the_api_server_and_the_registries_are_contacted"]
fn alone_in_a_namespace() {
    let (names, servers) = (UdpSocket::bind("0.0.0.0:53").unwrap(), TcpListener::bind("0.0.0.0:443").unwrap());
    names.set_nonblocking(true).unwrap();
    servers.set_nonblocking(true).unwrap();
    let (shelf, image) = Shelf::signed();
    let registry = Running::shelf(shelf);
    let mut pod = super::cluster::pod("prod", "web");
    pod["spec"]["containers"][0]["image"] = json!(registry.reference());
    pod["status"]["containerStatuses"][0]["imageID"] = json!(format!("{}@{image}", registry.reference().trim_end_matches(":v1")));
    let cluster = Script::with([pod]).start();
    let kubeconfig = cluster.kubeconfig("token");
    let program = Program::new();
    let policy = program.file("policy.yaml", POLICY);
    let arguments = ["scan", "control", "C-0236", "--no-cache", "--trust-policy", &policy, "--kubeconfig", kubeconfig.to_str().unwrap()];
    let arguments = [&arguments[..], &LOOPBACK].concat();
    let offline = program.run(&[&arguments[..], &["--offline"]].concat());
    assert!(offline.out.contains("C-0236"), "{offline:#?}");
    assert!(registry.count() > 0 && !cluster.requests().is_empty());
    assert!(names.recv_from(&mut [0; 512]).is_err(), "a name was asked for");
    assert!(servers.accept().is_err(), "somebody was contacted");
    let port = |address: &str| address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let api = std::fs::read_to_string(&kubeconfig).unwrap();
    let api = api.split("http://").nth(1).unwrap().split(['"', '\'', '\n', '/', ',']).next().unwrap().to_owned();
    let known = BTreeSet::from([port(&registry.registry.host()), port(&api)]);
    assert_eq!(contacted(), known, "ports of loopback");
    // Otherwise the repositories of the trust roots would have been asked for by name.
    let mut online = program.spawn(&arguments);
    names.set_nonblocking(false).unwrap();
    names.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(names.recv_from(&mut [0; 512]).is_ok(), "nobody asked for the name of a trust root's repository");
    online.kill().unwrap();
    online.wait().unwrap();
}

/// Ports of servers to which there were connections in the last minute: what is closed is remembered for so long.
fn contacted() -> BTreeSet<u16> {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.rsplit_once(':').unwrap().1, 16).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let listening: BTreeSet<u16> = rows.iter().filter(|row| row[3] == "0A").map(|row| port(row[1])).collect();
    let connections = rows.iter().filter(|row| row[3] != "0A");
    // One end of each connection is a server's port: one that is listened on, or one of nobody here.
    connections
        .map(|row| (port(row[1]), port(row[2])))
        .map(|(local, remote)| if listening.contains(&local) { local } else { remote })
        .filter(|port| *port != 0)
        .collect()
}
