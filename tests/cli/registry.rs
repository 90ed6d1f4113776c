//! Registries that refuse, lie, flood or are silent, seen from the command line.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seaworthy::model::{Digest, OCI_INDEX, OCI_MANIFEST};
use serde_json::Value;

use super::{Ended, Program};
use crate::scripted_registry::{Act, Asked, Reply, ScriptedRegistry};
use crate::world::{BUNDLE, COSIGN_SIGN, bundle, digest_of};

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux"}"#;

/// A registry that serves what is put into it, as the distribution specification has it.
#[derive(Default, Clone)]
pub(super) struct Shelf {
    manifests: Vec<(String, &'static str, String)>,
    blobs: Vec<String>,
    referrers: Vec<(Digest, String)>,
}

impl Shelf {
    fn manifest(config: &str, layers: &str, more: &str) -> String {
        let digest = digest_of(config.as_bytes());
        let size = config.len();
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{size}}},"layers":[{layers}]{more}}}"#
        )
    }

    /// One image with the tag `v1`.
    pub(super) fn unsigned() -> (Self, Digest) {
        let image = Self::manifest(CONFIG, "", "");
        let digest = digest_of(image.as_bytes());
        let shelf = Self {
            manifests: vec![("v1".to_owned(), OCI_MANIFEST, image.clone()), (digest.to_string(), OCI_MANIFEST, image)],
            blobs: vec![CONFIG.to_owned()],
            referrers: Vec::new(),
        };
        (shelf, digest)
    }

    /// The same, with a bundle that refers to it.
    pub(super) fn signed() -> (Self, Digest) {
        let (mut shelf, image) = Self::unsigned();
        let bundle = bundle(COSIGN_SIGN, &image);
        let layer = format!(r#"{{"mediaType":"{BUNDLE}","digest":"{}","size":{}}}"#, digest_of(bundle.as_bytes()), bundle.len());
        let subject = format!(
            r#","artifactType":"{BUNDLE}","subject":{{"mediaType":"{OCI_MANIFEST}","digest":"{image}","size":{}}}"#,
            shelf.manifests[0].2.len()
        );
        let manifest = Self::manifest("{}", &layer, &subject);
        let digest = digest_of(manifest.as_bytes());
        let descriptor =
            format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":{},"artifactType":"{BUNDLE}"}}"#, manifest.len());
        shelf.referrers.push((image.clone(), descriptor));
        shelf.manifests.push((digest.to_string(), OCI_MANIFEST, manifest));
        shelf.blobs.extend([bundle, "{}".to_owned()]);
        (shelf, image)
    }

    /// The bundle that refers to the image.
    pub(super) fn referred(&self) -> &str {
        &self.blobs[1]
    }

    /// A manifest with one layer under a tag.
    pub(super) fn tag(&mut self, tag: &str, media_type: &str, layer: &str) {
        let listed = format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, digest_of(layer.as_bytes()), layer.len());
        let manifest = Self::manifest("{}", &listed, "");
        let digest = digest_of(manifest.as_bytes());
        self.manifests.push((tag.to_owned(), OCI_MANIFEST, manifest.clone()));
        self.manifests.push((digest.to_string(), OCI_MANIFEST, manifest));
        self.blobs.extend([layer.to_owned(), "{}".to_owned()]);
    }

    pub(super) fn answer(&self, asked: &Asked) -> Reply {
        let path = asked.target.split('?').next().unwrap();
        let (kind, last) = path.rsplit_once('/').unwrap();
        if let Some((_, media_type, body)) = self.manifests.iter().find(|(name, ..)| kind.ends_with("/manifests") && name == last) {
            let digest = digest_of(body.as_bytes()).to_string();
            return Reply::new(200).header("docker-content-digest", &digest).body(media_type, body.as_bytes());
        }
        if let Some(blob) = self.blobs.iter().find(|blob| kind.ends_with("/blobs") && digest_of(blob.as_bytes()).to_string() == last) {
            return Reply::new(200).body("application/octet-stream", blob.as_bytes());
        }
        if kind.ends_with("/referrers") {
            let found: Vec<_> =
                self.referrers.iter().filter(|(subject, _)| subject.to_string() == last).map(|(_, found)| found.as_str()).collect();
            return Reply::new(200)
                .body(OCI_INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, found.join(",")));
        }
        Reply::new(404).body("application/json", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
    }
}

/// A registry with a runtime of its own, so that a test can wait for the program.
pub(super) struct Running {
    pub(super) registry: ScriptedRegistry,
    _runtime: tokio::runtime::Runtime,
}

impl Running {
    pub(super) fn new(script: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(ScriptedRegistry::start(script));
        Self { registry, _runtime: runtime }
    }

    pub(super) fn shelf(shelf: Shelf) -> Self {
        Self::new(move |asked| shelf.answer(asked).into())
    }

    /// The same for whoever logs in as alice.
    pub(super) fn of_alice(shelf: Shelf) -> Self {
        Self::new(move |asked| match asked.header("authorization") {
            Some("Basic YWxpY2U6c2VjcmV0") => shelf.answer(asked).into(),
            _ => Reply::new(401).header("www-authenticate", "Basic realm=\"x\"").into(),
        })
    }

    pub(super) fn reference(&self) -> String {
        format!("{}/acme/app:v1", self.registry.host())
    }

    pub(super) fn count(&self) -> usize {
        self.registry.asked().len()
    }
}

pub(super) const LOOPBACK: [&str; 6] = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "1s"];

pub(super) fn judge(program: &Program, reference: &str, more: &[&str]) -> Ended {
    program.run(&[&["scan", "image", reference, "--control", "C-0237"], &LOOPBACK[..], more].concat())
}

pub(super) fn answer(report: &Value) -> &Value {
    &report["findings"][0]["containers"][0]["answer"]
}

/// Without a gate the unknown ends with 3, and its cause is in the report.
#[track_caller]
fn unknown(script: impl Fn(&Asked) -> Act + Send + Sync + 'static, cause: &str) -> (Running, Value) {
    let server = Running::new(script);
    let began = Instant::now();
    let ended = judge(&Program::new(), &server.reference(), &["-f", "json"]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let report = ended.json();
    assert_eq!((answer(&report)["status"].as_str(), answer(&report)["cause"].as_str()), (Some("unknown"), Some(cause)), "{report:#}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    (server, report)
}

#[test]
fn signed_and_unsigned() {
    let server = Running::shelf(Shelf::signed().0);
    let ended = judge(&Program::new(), &server.reference(), &["-f", "json", "--compliance-threshold", "100"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert_eq!(answer(&ended.json())["status"], "passed");
    let server = Running::shelf(Shelf::unsigned().0);
    let ended = judge(&Program::new(), &server.reference(), &["-f", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(answer(&ended.json())["status"], "failed");
    judge(&Program::new(), &server.reference(), &["--compliance-threshold", "1"]).prints(1, &["Gate: missed"]);
}

#[test]
fn refusals_are_unknown() {
    let not_found = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known"}]}"#;
    unknown(move |_| Reply::new(404).body("application/json", not_found).into(), "image-not-found");
    unknown(|_| Reply::new(401).header("www-authenticate", "Basic realm=\"x\"").into(), "unauthorized");
    unknown(|_| Reply::new(403).into(), "forbidden");
    unknown(|_| Reply::new(500).into(), "server-error");
    unknown(|_| Reply::new(429).into(), "rate-limited");
    unknown(|_| Reply::new(429).header("retry-after", "3600").into(), "rate-limited");
}

#[test]
fn lies_are_unknown() {
    let (shelf, digest) = Shelf::unsigned();
    let image = shelf.manifests[0].2.clone();
    let huge = digest.to_string();
    unknown(
        move |_| {
            let mut reply = Reply::new(200).header("docker-content-digest", &huge).body(OCI_MANIFEST, "");
            reply.length = Some(1 << 30);
            reply.into()
        },
        "too-large",
    );
    unknown(|asked| if asked.method == "HEAD" { Reply::new(200).into() } else { Act::Endless }, "too-large");
    unknown(|_| Reply::new(302).header("location", "http://169.254.169.254/latest").into(), "redirect-refused");
    unknown(
        move |_| Reply::new(200).header("docker-content-digest", &digest.to_string()).body(OCI_MANIFEST, format!("{image} ")).into(),
        "invalid-response",
    );
}

#[test]
fn a_loop_of_links_and_a_flood_of_referrers_end() {
    let (shelf, _) = Shelf::unsigned();
    unknown(
        move |asked| {
            let reply = shelf.answer(asked);
            if asked.target.contains("/referrers/") { reply.header("link", &format!("<{}>; rel=\"next\"", asked.target)) } else { reply }
                .into()
        },
        "invalid-response",
    );
    let flood = |numbers: std::ops::Range<u32>, shelf: &mut Shelf, image: &Digest| {
        for number in numbers {
            let digest = digest_of(&number.to_be_bytes());
            let descriptor = format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":7,"artifactType":"{BUNDLE}"}}"#);
            shelf.referrers.push((image.clone(), descriptor));
        }
    };
    // A hundred thousand at once, and in pages.
    let (mut shelf, image) = Shelf::unsigned();
    flood(0..100_000, &mut shelf, &image);
    unknown(move |asked| shelf.answer(asked).into(), "too-large");
    let (shelf, image) = Shelf::unsigned();
    let paged = move |asked: &Asked| {
        if !asked.target.contains("/referrers/") {
            return shelf.answer(asked).into();
        }
        let page: u32 = asked.target.rsplit_once("page=").map_or(0, |(_, page)| page.parse().unwrap());
        let mut listed = Shelf::default();
        flood(page * 1_000..(page + 1) * 1_000, &mut listed, &image);
        let next = format!("</v2/acme/app/referrers/{image}?page={}>; rel=\"next\"", page + 1);
        let reply = listed.answer(asked);
        if page < 99 { reply.header("link", &next).into() } else { reply.into() }
    };
    let (server, report) = unknown(paged, "too-large");
    assert!(server.count() < 100, "{} requests; {:#}", server.count(), answer(&report));
    let (mut shelf, image) = Shelf::unsigned();
    flood(0..10_000, &mut shelf, &image);
    let (server, report) = unknown(move |asked| shelf.answer(asked).into(), "budget");
    assert!(server.count() < 1_100, "{} requests; {:#}", server.count(), answer(&report));
}

#[test]
fn loopback_is_asked_only_where_allowed() {
    let server = Running::shelf(Shelf::signed().0);
    let ended =
        Program::new().run(&["scan", "image", &server.reference(), "--control", "C-0237", "-f", "json", "--plain-http", "127.0.0.1"]);
    assert_eq!(ended.code, Some(3));
    assert_eq!(answer(&ended.json())["cause"], "host-refused");
    judge(&Program::new(), &server.reference(), &["--dry-run"]).prints(0, &[&server.registry.host(), "Nothing was asked"]);
    assert_eq!(server.count(), 0);
}

fn hanging() -> Running {
    let (shelf, _) = Shelf::signed();
    // One image is answered, and one never is.
    Running::new(move |asked| if asked.target.contains("/silent/") { Act::Hang } else { shelf.answer(asked).into() })
}

#[test]
fn a_silent_registry_is_bounded_by_the_time_out_of_a_request() {
    let began = Instant::now();
    unknown(|_| Act::Hang, "timeout");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn the_time_out_of_the_whole_keeps_what_is_known() {
    let server = hanging();
    let (reference, silent) = (server.reference(), format!("{}/silent/app:v1", server.registry.host()));
    let ended = Program::new()
        .run(&[&["scan", "image", &reference, &silent, "--control", "C-0237", "-f", "json", "--timeout", "1s"], &LOOPBACK[..4]].concat());
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    partial(&ended, "timeout");
}

/// One image was judged, the other is unknown, and the header says so.
#[track_caller]
fn partial(ended: &Ended, cause: &str) {
    let report = ended.json();
    assert_eq!(report["header"]["interrupted"], true, "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let mut answers: Vec<_> = findings
        .iter()
        .map(|finding| &finding["containers"][0]["answer"])
        .map(|answer| (answer["status"].as_str(), answer["cause"].as_str()))
        .collect();
    answers.sort();
    assert_eq!(answers, [(Some("passed"), None), (Some("unknown"), Some(cause))], "{report:#}");
}

fn signalled(signal: Signal) -> (Ended, Duration) {
    let server = hanging();
    let silent = format!("{}/silent/app:v1", server.registry.host());
    let program = Program::new();
    let arguments = ["scan", "image", &server.reference(), &silent, "--control", "C-0237", "-f", "json"];
    let child = program.spawn(&[&arguments[..], &LOOPBACK[..4], &["--registry-timeout", "1h"]].concat());
    // It has asked the silent one, and the other is done: six requests are enough for it.
    let began = Instant::now();
    let known = |server: &Running| server.registry.asked().iter().any(|asked| asked.target.contains("/silent/")) && server.count() >= 5;
    while !known(&server) && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(700));
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    let began = Instant::now();
    (child.wait_with_output().unwrap().into(), began.elapsed())
}

#[test]
fn interrupted_it_reports_what_is_known() {
    let (ended, took) = signalled(Signal::SIGINT);
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    partial(&ended, "cancelled");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn terminated_it_ends_within_a_second_and_reports_what_is_known() {
    let (ended, took) = signalled(Signal::SIGTERM);
    assert_eq!(ended.code, Some(143), "{ended:#?}");
    partial(&ended, "cancelled");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn timings_name_each_registry_and_spoil_no_report() {
    let server = Running::shelf(Shelf::signed().0);
    let ended = judge(&Program::new(), &server.reference(), &["-f", "json", "--timings"]);
    ended.says(0, &[&server.registry.host()]);
    ended.json();
}

/// Whatever one request is answered with that is no answer: a signature may be missed then, and nobody says that there is none.
#[test]
fn no_single_nonsense_turns_a_verdict_around() {
    let junk: [(&str, Reply); 9] = [
        ("401", Reply::new(401)),
        ("403", Reply::new(403)),
        ("500", Reply::new(500)),
        ("204", Reply::new(204)),
        ("empty", Reply::new(200)),
        ("html", Reply::new(200).body("text/html", "<html>")),
        ("object", Reply::new(200).body(OCI_MANIFEST, "{}")),
        ("list", Reply::new(200).body(OCI_INDEX, "[]")),
        ("other", Reply::new(200).body(OCI_INDEX, r#"{"manifests":[]}"#)),
    ];
    for (shelf, wrong) in [(Shelf::signed().0, "failed"), (Shelf::unsigned().0, "passed")] {
        let server = Running::shelf(shelf.clone());
        judge(&Program::new(), &server.reference(), &["--no-cache"]).prints(0, &[]);
        let mut requests: Vec<_> = server.registry.asked().iter().map(Asked::line).collect();
        requests.sort();
        requests.dedup();
        for request in requests {
            // What is no index at the referrers API means that there is none, and an empty one that nothing refers.
            let about_referrers = request.contains("/referrers/");
            for (name, reply) in &junk {
                if about_referrers && matches!(*name, "html" | "other" | "empty" | "object") {
                    continue;
                }
                let (shelf, target, reply) = (shelf.clone(), request.clone(), reply.clone());
                let server =
                    Running::new(move |asked| if asked.line() == target { reply.clone().into() } else { shelf.answer(asked).into() });
                let ended = judge(&Program::new(), &server.reference(), &["--no-cache", "-f", "json"]);
                let status = answer(&ended.json())["status"].as_str().unwrap().to_owned();
                assert_ne!(status, wrong, "{request} answered with {name}: {ended:#?}");
            }
        }
    }
}
