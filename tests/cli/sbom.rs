//! `sbom get`: which document is written, and what is said of it; and bills that are too large.

use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seaworthy::model::Digest;

use super::registry::{LOOPBACK, Running, Shelf, answer, judge};
use super::{Ended, Program};
use crate::world::{digest_of, key};

pub(super) const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
pub(super) const DOCUMENT: &str =
    r#"{"spdxVersion":"SPDX-2.3","creationInfo":{"created":"2026-10-01T08:00:00Z","creators":["Tool: syft-1"]},"packages":[{"name":"a"}]}"#;

/// The public key of the test's signer.
pub(super) fn public_key(program: &Program) -> String {
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], key().public_key().as_ref()].concat();
    program.file("signer.pub", &format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der)))
}

fn statement(image: &Digest, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","subject":[{{"name":"app","digest":{{"sha256":"{}"}}}}],"predicateType":"https://spdx.dev/Document","predicate":{predicate}}}"#,
        image.hex()
    )
}

/// An envelope as `cosign attest --key` writes it.
pub(super) fn envelope(image: &Digest, predicate: &str) -> String {
    let payload = statement(image, predicate);
    let kind = "application/vnd.in-toto+json";
    let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let signature = STANDARD.encode(key().sign(signed.as_bytes()));
    format!(r#"{{"payloadType":"{kind}","payload":"{}","signatures":[{{"keyid":"","sig":"{signature}"}}]}}"#, STANDARD.encode(payload))
}

pub(super) fn beside(image: &Digest, suffix: &str) -> String {
    format!("sha256-{}.{suffix}", image.hex())
}

fn get(program: &Program, reference: &str, more: &[&str]) -> Ended {
    program.run(&[&["sbom", "get", reference], &LOOPBACK[..], more].concat())
}

#[track_caller]
fn gives(ended: &Ended, code: i32, document: &str, said: &[&str]) {
    ended.says(code, said);
    assert_eq!(ended.out(), document, "{ended:#?}");
}

#[test]
fn an_attested_document_is_written_as_it_is_and_told_apart() {
    let (mut shelf, image) = Shelf::unsigned();
    shelf.tag(&beside(&image, "att"), DSSE, &envelope(&image, DOCUMENT));
    let attached = DOCUMENT.replace("syft-1", "other-1");
    shelf.tag(&beside(&image, "sbom"), "text/spdx+json", &attached);
    let server = Running::shelf(shelf);
    let program = Program::new();
    let (reference, ours) = (server.reference(), public_key(&program));
    let verified = get(&program, &reference, &["--key", &ours]);
    gives(&verified, 0, DOCUMENT, &["VERIFIED: attested by key sha256:", "SPDX 2.3, 1 package, by syft-1, of 2026-10-01T08:00:00Z"]);
    gives(&get(&program, &reference, &[]), 1, DOCUMENT, &["NOT VERIFIED: it is in a signed statement; whom to trust is not said"]);
    let stranger = get(&program, &reference, &["--key", "fixtures/signatures/trust/p256.pub"]);
    gives(&stranger, 1, DOCUMENT, &["NOT VERIFIED: it is in a signed statement (key-mismatch"]);
    gives(&get(&program, &reference, &["--format", "cyclonedx"]), 1, "", &["has no SBOM in CycloneDX, attested or attached"]);
    let file = program.home().join("sbom.json");
    gives(&get(&program, &reference, &["--key", &ours, "-o", file.to_str().unwrap()]), 0, "", &["VERIFIED"]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), DOCUMENT);
}

#[test]
fn what_cosign_wraps_is_unwrapped_and_what_nobody_signed_is_said_to_be_that() {
    let program = Program::new();
    let text = serde_json::to_string(DOCUMENT).unwrap();
    for predicate in [text.clone(), format!(r#"{{"Data":{text},"Timestamp":"2026-10-01T00:00:00Z"}}"#)] {
        let (mut shelf, image) = Shelf::unsigned();
        shelf.tag(&beside(&image, "att"), DSSE, &envelope(&image, &predicate));
        let server = Running::shelf(shelf);
        gives(&get(&program, &server.reference(), &["--key", &public_key(&program)]), 0, DOCUMENT, &["VERIFIED"]);
    }
    let (mut shelf, image) = Shelf::unsigned();
    shelf.tag(&beside(&image, "att"), "application/vnd.in-toto+json", &statement(&image, DOCUMENT));
    let unsigned = Running::shelf(shelf);
    gives(
        &get(&program, &unsigned.reference(), &["--key", &public_key(&program)]),
        1,
        DOCUMENT,
        &["UNSIGNED: it is in a statement that nobody signed"],
    );
    let (mut shelf, image) = Shelf::unsigned();
    shelf.tag(&beside(&image, "sbom"), "text/spdx+json", DOCUMENT);
    let attached = Running::shelf(shelf);
    gives(&get(&program, &attached.reference(), &[]), 1, DOCUMENT, &["UNSIGNED: it is attached to the image", "SPDX 2.3, 1 package"]);
    let (shelf, _) = Shelf::unsigned();
    let none = Running::shelf(shelf);
    gives(&get(&program, &none.reference(), &[]), 1, "", &["has no SBOM, attested or attached: looked everywhere"]);
    gives(&get(&program, "Not A Reference", &[]), 1, "", &["cannot be parsed"]);
    get(&program, &none.reference(), &["-o", "/missing/directory/x"]).says(2, &["cannot write to"]);
}

/// What is said of a document is one line, whatever its tools are called; the document itself is written as it is.
#[test]
fn tools_with_hostile_names_move_no_cursor() {
    let hostile = DOCUMENT.replace("syft-1", r"\u001b[2K\r\n\u202eoverboard\u2066\u007f\u009b1A");
    let (mut shelf, image) = Shelf::unsigned();
    shelf.tag(&beside(&image, "att"), DSSE, &envelope(&image, &hostile));
    let server = Running::shelf(shelf);
    let program = Program::new();
    let ended = get(&program, &server.reference(), &["--key", &public_key(&program)]);
    gives(&ended, 0, &hostile, &["overboard", "VERIFIED"]);
    let moves =
        |letter: &char| letter.is_control() && *letter != '\n' || matches!(*letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(ended.err.chars().find(moves), None, "{:?}", ended.err);
}

/// A registry that has an attested bill of 50 MB.
fn with_large_bill(shelf: Shelf, bill: &str) -> Running {
    let digest = digest_of(bill.as_bytes()).to_string();
    Running::new(move |asked| {
        let mut reply = shelf.answer(asked);
        if asked.target.contains("/blobs/") && asked.target.ends_with(&digest) {
            reply.length = Some(50 << 20);
        }
        reply.into()
    })
}

#[test]
fn a_bill_that_is_too_large_is_not_known_and_says_nothing_about_signatures() {
    let (mut shelf, image) = Shelf::unsigned();
    let bill = envelope(&image, DOCUMENT);
    shelf.tag(&beside(&image, "att"), DSSE, &bill);
    let server = with_large_bill(shelf, &bill);
    let program = Program::new();
    let ours = public_key(&program);
    gives(&get(&program, &server.reference(), &["--key", &ours]), 3, "", &["is not known (too-large:"]);
    let signatures = judge(&program, &server.reference(), &["-f", "json"]);
    assert_eq!(answer(&signatures.json())["status"], "failed", "{signatures:#?}");
    let arguments = ["scan", "image", &server.reference(), "--control", "SW-0030", "--key", &ours, "-f", "json"];
    let bills = program.run(&[&arguments[..], &LOOPBACK[..]].concat());
    assert_eq!(answer(&bills.json())["cause"], "too-large", "{bills:#?}");
    // A referrer may be a signature: that it was none is not known.
    let (shelf, _) = Shelf::signed();
    let bundle = shelf.referred().to_owned();
    let server = with_large_bill(shelf, &bundle);
    let signatures = judge(&program, &server.reference(), &["-f", "json"]);
    assert_eq!(answer(&signatures.json())["cause"], "too-large", "{signatures:#?}");
}

/// Ways in which 50 MB come: said before, sent, and without end or length.
#[test]
fn a_bill_of_fifty_megabytes_is_not_known_however_it_comes() {
    let (_, image) = Shelf::unsigned();
    let package = r#"{"name":"a","versionInfo":"1.2.3","supplier":"Organization: Acme"},"#;
    let packages = package.repeat((38 << 20) / package.len());
    let document = format!(r#"{{"spdxVersion":"SPDX-2.3","packages":[{}]}}"#, packages.trim_end_matches(','));
    let bill = envelope(&image, &document);
    assert!(bill.len() > 50 << 20);
    let program = Program::new();
    let ours = public_key(&program);
    let unknown = |reference: &str, more: &[&str]| {
        let get = program.run(&[&["sbom", "get", reference, "--key", &ours], &LOOPBACK[..], more].concat());
        gives(&get, 3, "", &["is not known (too-large:"]);
        let scan = ["scan", "image", reference, "--control", "SW-0030", "--key", &ours, "-f", "json"];
        let scan = program.run(&[&scan[..], &LOOPBACK[..], more].concat()).json();
        assert_eq!((answer(&scan)["status"].as_str(), answer(&scan)["cause"].as_str()), (Some("unknown"), Some("too-large")), "{scan:#}");
    };
    let shelf = || {
        let (mut shelf, _) = Shelf::unsigned();
        shelf.tag(&beside(&image, "att"), DSSE, &bill);
        shelf
    };
    let sent = Running::shelf(shelf());
    unknown(&sent.reference(), &[]);
    let digest = digest_of(bill.as_bytes()).to_string();
    let endless = shelf();
    let endless = Running::new(move |asked| match asked.target.contains("/blobs/") && asked.target.ends_with(&digest) {
        true => crate::scripted_registry::Act::Endless,
        false => endless.answer(asked).into(),
    });
    unknown(&endless.reference(), &[]);
    // On disk, beside an image that is in a registry.
    let laid_down = |name: &str, envelopes: &[&str]| {
        let mut layout = crate::forge::layout::Layout::default();
        let layers: Vec<_> = envelopes.iter().map(|envelope| crate::forge::cosign::Layer::plain(DSSE, *envelope)).collect();
        layout.attest_by_tag(&image, &layers);
        let directory = program.home().join(name);
        layout.write(&directory);
        directory.to_str().unwrap().to_owned()
    };
    let plain = Running::shelf(Shelf::unsigned().0);
    unknown(&plain.reference(), &["--layout", &laid_down("alone", &[&bill])]);
    // One that is ours is enough; one that nobody signed leaves it to the one that was not read.
    let (small, nobodys) =
        (envelope(&image, DOCUMENT), envelope(&image, DOCUMENT).replace(r#"{"keyid":"","sig":"#, r#"{"keyid":"","sig":"","x":"#));
    let both = laid_down("both", &[&bill, &small]);
    gives(&get(&program, &plain.reference(), &["--key", &ours, "--layout", &both]), 0, DOCUMENT, &["VERIFIED"]);
    let scan = |layout: &str| {
        let arguments = ["scan", "image", &plain.reference(), "--control", "SW-0030", "--key", &ours, "--layout", layout, "-f", "json"];
        let report = program.run(&[&arguments[..], &LOOPBACK].concat()).json();
        [&answer(&report)["status"], &answer(&report)["cause"]].map(|word| word.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(scan(&both), ["passed", ""]);
    assert_eq!(scan(&laid_down("beside-one-that-nobody-signed", &[&bill, &nobodys])), ["unknown", "too-large"]);
    // A snapshot says the same, and asks nobody.
    let snapshot = program.home().join("snapshot");
    let taken = ["snapshot", "--image", &sent.reference(), "--output", snapshot.to_str().unwrap()];
    let taken = program.run(&[&taken[..], &LOOPBACK].concat());
    assert!(matches!(taken.code, Some(0 | 3)), "{taken:#?}");
    drop(sent);
    let again = ["scan", "--snapshot", snapshot.to_str().unwrap(), "--control", "SW-0030", "--key", &ours, "-f", "json"];
    let again = program.run(&again).json();
    assert_eq!((answer(&again)["status"].as_str(), answer(&again)["cause"].as_str()), (Some("unknown"), Some("too-large")), "{again:#}");
}
