//! Knowing less never makes an image better, nor certainly worse: rulings over made-up worlds, of which pieces are taken away.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::{at, digest, image, key, policy, statement};
use crate::model::{
    AuthorityMaterial, Cause, ImageEvidence, IndexAbove, LogRecord, ManifestPresence, PlaceOutcome, Proof, ProvenTime, Reason, Relation,
    Signer, Statement, StatementFormat, Step, StepOutcome, SubjectName, TimeSource, Trial, TriedWith, TrustRoot, UnknownAnswer, Verdict,
};
use crate::policy::{AsOf, Asked, NamedPolicy, TrustPolicies};

const TIMES: [&str; 3] = ["2026-03-01T00:00:00Z", "2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z"];
const AUTHORITIES: &str = "  trustRoots: { a: { file: a.json }, b: { file: b.json } }\n  authorities:\n";
const OPS: &str = "    ops: { key: { file: ops.pub }";
const RELEASE: &str = "    release: { keyless: { trustRoot: a, issuer: { exact: i }, subject: { exact: good } }";
const CA: &str = "    ca: { certificate: { roots: { file: ca.pem }, subject: { exact: good } }";

/// What a proof beside a signature comes to, under a root that can be loaded.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Witness {
    Missing,
    Failed,
    Unknown,
    /// At one of the times; by root `b` only where it says so.
    Held(usize, bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Key(u8),
    /// A certificate of the root's authority, or of one's own, for a key; whether it is for the good name, and whether it is valid now.
    Certificate {
        fulcio: bool,
        key: u8,
        good: bool,
        valid_now: bool,
    },
    /// Notation, say.
    Unsupported,
    Malformed,
    /// Of another image.
    Foreign,
}

#[derive(Debug, Clone, Copy)]
struct Signature {
    by: By,
    log: Witness,
    stamp: Witness,
}

#[derive(Debug, Clone)]
struct World {
    policy: usize,
    asked: usize,
    rewound: bool,
    signatures: Vec<Signature>,
    index: bool,
    lost: BTreeSet<Piece>,
}

/// What can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Root(usize),
    Authority(&'static str),
    Place,
    Index,
    Manifest,
    Log(usize),
    Stamp(usize),
    Everything(usize),
}

fn specs() -> Vec<String> {
    let one =
        |ops: &str, release: &str, ca: &str, rest: &str| format!("{AUTHORITIES}{OPS}{ops} }}\n{RELEASE}{release} }}\n{CA}{ca} }}\n{rest}");
    let any = |name: &str| format!("  images: [{{ match: ['**'], require: {{ anyOf: [{name}] }} }}]");
    let until = ", validUntil: 2026-06-30";
    vec![
        one("", "", "", &any("ops")),
        one(", transparencyLog: required", "", "", &any("ops")),
        one(", provenTime: required", "", "", &any("ops")),
        one(", transparencyLog: unsafeIgnore, provenTime: required", "", "", &any("ops")),
        one(until, "", "", &any("ops")),
        one("", "", "", &format!("{}\n  revocations: [{{ key: '{}', since: 2026-06-30, reason: r }}]", any("ops"), digest(1))),
        one("", "", "", &format!("{}\n  revocations: [{{ imageDigest: '{}', reason: r }}]", any("ops"), digest(50))),
        one("", "", "", &any("release")),
        one("", ", transparencyLog: optional", "", &any("release")),
        one("", ", transparencyLog: unsafeIgnore, provenTime: optional", "", &any("release")),
        one("", until, "", &any("release")),
        one("", "", "", &any("ca")),
        one("", "", ", transparencyLog: required", &any("ca")),
        one("", "", until, &any("ca")),
        one(until, "", "", &any("ops, release, ca")),
        one("", "", "", "  images: [{ match: ['**'], require: { atLeast: 2, of: [ops, release, ca] } }]"),
        one("", ", transparencyLog: optional", "", "  images: [{ match: ['**'], require: { allOf: [ops, release] } }]"),
        one(
            "",
            "",
            "",
            "  images: [{ match: ['**'], strength: mandatory, require: { anyOf: [ops] } }, { match: ['registry.test/app'], require: { anyOf: [release, ca] } }]",
        ),
        one("", "", "", "  images: [{ match: ['other.test/**'], require: { anyOf: [ops] } }]"),
    ]
}

/// Read once: that is what costs most.
static POLICIES: LazyLock<Vec<NamedPolicy>> = LazyLock::new(|| specs().iter().map(|spec| policy("p", spec, &[], &["a", "b"])).collect());

fn asked(number: usize) -> Asked<'static> {
    [
        Asked::BY_POLICY,
        Asked { transparency_log: true, ..Asked::BY_POLICY },
        Asked { proven_time: true, ..Asked::BY_POLICY },
        Asked { keyless_only: true, ..Asked::BY_POLICY },
        Asked { at_least: Some(2), ..Asked::BY_POLICY },
    ][number]
}

const ASKED: usize = 5;

fn no_answer() -> UnknownAnswer {
    UnknownAnswer { cause: Cause::TrustRootUnavailable, detail: "taken away".to_owned() }
}

impl World {
    fn policies(&self) -> TrustPolicies {
        let lost = |name: &'static str| self.lost.contains(&Piece::Authority(name));
        let of = |name: &'static str, material: AuthorityMaterial| {
            (name, if lost(name) { AuthorityMaterial::Unavailable(no_answer()) } else { material })
        };
        let keys = AuthorityMaterial::Keys(vec![key(1), key(2)]);
        let own = AuthorityMaterial::Certificates(vec![Arc::from([9_u8])]);
        let material = [of("ops", keys), of("ca", own), of("release", AuthorityMaterial::Keyless)];
        let mut named = POLICIES[self.policy].clone();
        named.material.authorities = material.into_iter().map(|(name, material)| (name.to_owned(), material)).collect();
        for (position, name) in ["a", "b"].into_iter().enumerate() {
            if self.lost.contains(&Piece::Root(position))
                && let Some(root) = named.material.roots.get_mut(name)
            {
                *root = Arc::new(TrustRoot { content: Err(no_answer()), ..TrustRoot::clone(root) });
            }
        }
        TrustPolicies::new(vec![named])
    }

    fn evidence(&self, policies: &TrustPolicies) -> ImageEvidence {
        let statements = self.signatures.iter().enumerate().map(|(position, signature)| self.statement(policies, position, signature));
        let mut evidence = image(statements.collect());
        if self.lost.contains(&Piece::Place) {
            evidence.places[0].outcome = PlaceOutcome::Unknown(no_answer());
        }
        if self.lost.contains(&Piece::Manifest) {
            evidence.manifest = ManifestPresence::Unknown(no_answer());
        }
        if self.index {
            evidence.index = IndexAbove::Lists(digest(50));
        }
        if self.lost.contains(&Piece::Index) {
            evidence.index = IndexAbove::Unknown(no_answer());
            evidence.places[0].outcome = PlaceOutcome::Unknown(no_answer());
        }
        evidence
    }

    fn statement(&self, policies: &TrustPolicies, position: usize, signature: &Signature) -> Statement {
        let trials = policies.trials().iter().zip(0_u32..);
        let proofs = trials.filter_map(|(trial, number)| self.tried(position, signature, trial, number)).collect();
        let plain = statement(proofs);
        match signature.by {
            By::Malformed => Statement { relation: Relation::Malformed("torn".to_owned()), ..plain },
            By::Foreign => Statement { relation: Relation::NamesOthers(vec![digest(77)]), ..plain },
            By::Unsupported => Statement { format: StatementFormat::Notation { envelope: "jws".to_owned() }, ..plain },
            By::Key(_) | By::Certificate { .. } => plain,
        }
    }

    /// What the verifier gives (`verify/sigstore/attempt.rs`), in short.
    fn tried(&self, position: usize, signature: &Signature, trial: &Trial, number: u32) -> Option<Proof> {
        let mut proof = Proof {
            trial: number,
            with: TriedWith::Root(String::new()),
            root: None,
            signer: None,
            steps: Vec::new(),
            times: Vec::new(),
            log: None,
        };
        let held =
            |proof: &mut Proof, steps: &[Step]| proof.steps.extend(steps.iter().map(|step| (*step, StepOutcome::Held(String::new()))));
        if self.lost.contains(&Piece::Everything(position)) {
            proof.steps.push((Step::Form, StepOutcome::Unknown(no_answer())));
            return Some(proof);
        }
        let root = match trial {
            Trial::Keyless { root } => Some(root),
            Trial::Key { root, .. } | Trial::Certificate { root, .. } => root.as_ref(),
        };
        let lost_root = root.is_some_and(|root| root.content.is_err());
        held(&mut proof, &[Step::Form, Step::Subject]);
        match (trial, signature.by) {
            (Trial::Key { key, .. }, By::Key(seed)) => {
                proof.signer = Some(Signer::Key { fingerprint: key.fingerprint.clone() });
                if key.fingerprint == digest(seed) {
                    held(&mut proof, &[Step::Signature]);
                    self.witness(position, signature, root, &mut proof);
                } else {
                    proof.steps.push((Step::Signature, StepOutcome::failed(Reason::KeyMismatch, "")));
                    if lost_root {
                        proof.steps.extend([Step::LogInclusion, Step::TimeStamp].map(|step| (step, StepOutcome::Unknown(no_answer()))));
                    }
                }
            }
            (Trial::Keyless { .. } | Trial::Certificate { .. }, By::Certificate { fulcio, key, good, valid_now }) => {
                let name = if good { "good" } else { "other" };
                let issuer = fulcio.then(|| "i".to_owned());
                let own = super::own_certificate(number, name, key);
                let Some(Signer::Certificate(mut claims)) = own.signer else { return None };
                (claims.issuer, claims.names) = (issuer, vec![SubjectName::Email(name.to_owned())]);
                proof.signer = Some(Signer::Certificate(claims));
                let keyless = matches!(trial, Trial::Keyless { .. });
                if lost_root {
                    proof.steps.push((Step::CertificateChain, StepOutcome::Unknown(no_answer())));
                } else if keyless != fulcio {
                    proof.steps.push((Step::CertificateChain, StepOutcome::failed(Reason::CertificateUntrusted, "")));
                } else {
                    self.witness(position, signature, root, &mut proof);
                    match (proof.times.is_empty(), keyless, valid_now) {
                        (true, true, _) => {
                            proof.steps.retain(|(step, outcome)| *step != Step::TimeStamp || *outcome != StepOutcome::Missing);
                            proof.steps.push((Step::TimeStamp, StepOutcome::failed(Reason::TimestampMissing, "")));
                        }
                        (true, false, false) => {
                            let expired = StepOutcome::failed(Reason::CertificateExpiredAtSigning, "");
                            proof.steps.push((Step::CertificateValidity, expired));
                        }
                        _ => held(&mut proof, &[Step::CertificateChain, Step::CertificateLog, Step::CertificateValidity, Step::Signature]),
                    }
                }
            }
            (_, By::Key(_) | By::Certificate { .. } | By::Unsupported | By::Malformed) => return None,
            (_, By::Foreign) => {}
        }
        Some(proof)
    }

    /// Log and time stamp of one signature under one root.
    fn witness(&self, position: usize, signature: &Signature, root: Option<&Arc<TrustRoot>>, proof: &mut Proof) {
        let Some(root) = root else { return };
        let seen = |witness: Witness, lost: Piece| match witness {
            _ if root.content.is_err() || self.lost.contains(&lost) => Witness::Unknown,
            Witness::Held(_, true) if root.name != "b" => Witness::Failed,
            witness => witness,
        };
        let outcome = |witness: Witness, reason: Reason| match witness {
            Witness::Missing => StepOutcome::Missing,
            Witness::Failed => StepOutcome::failed(reason, ""),
            Witness::Unknown => StepOutcome::Unknown(no_answer()),
            Witness::Held(..) => StepOutcome::Held(String::new()),
        };
        let log = seen(signature.log, Piece::Log(position));
        let stamp = seen(signature.stamp, Piece::Stamp(position));
        if matches!(log, Witness::Held(..) | Witness::Missing) {
            proof.steps.push((Step::LogEntry, outcome(log, Reason::LogEntryInconsistent)));
        }
        proof.steps.push((Step::LogInclusion, outcome(log, Reason::LogSignatureInvalid)));
        proof.steps.push((Step::TimeStamp, outcome(stamp, Reason::TimestampInvalid)));
        for (witness, by) in [(log, TimeSource::Log), (stamp, TimeSource::TimeStampAuthority)] {
            if let Witness::Held(time, _) = witness {
                proof.times.push(ProvenTime { at: at(TIMES[time]), by });
            }
        }
        proof.times.sort();
        proof.log = matches!(log, Witness::Held(..)).then(|| LogRecord { index: 1, log: String::new(), address: None });
    }

    fn verdict(&self) -> Option<Verdict> {
        let policies = self.policies();
        let moment = if self.rewound { "2026-06-01T00:00:00Z" } else { "2027-01-01T00:00:00Z" };
        let as_of = AsOf { rewound: self.rewound, ..AsOf::exactly(at(moment)) };
        policies.judge(&self.evidence(&policies), &asked(self.asked), as_of).verdict()
    }

    /// Everything that can still be taken away.
    fn pieces(&self) -> Vec<Piece> {
        let each =
            (0..self.signatures.len()).flat_map(|position| [Piece::Log(position), Piece::Stamp(position), Piece::Everything(position)]);
        let rest = [Piece::Root(0), Piece::Root(1), Piece::Place, Piece::Index, Piece::Manifest];
        let authorities = ["ops", "release", "ca"].map(Piece::Authority);
        each.chain(rest).chain(authorities).filter(|piece| !self.lost.contains(piece)).collect()
    }
}

fn witness() -> impl Strategy<Value = Witness> {
    prop_oneof![
        1 => Just(Witness::Missing),
        1 => Just(Witness::Failed),
        1 => Just(Witness::Unknown),
        5 => (0..TIMES.len(), any::<bool>()).prop_map(|(time, only)| Witness::Held(time, only)),
    ]
}

fn signature() -> impl Strategy<Value = Signature> {
    let by = prop_oneof![
        6 => (1_u8..4).prop_map(By::Key),
        6 => (any::<bool>(), 1_u8..4, any::<bool>(), any::<bool>())
            .prop_map(|(fulcio, key, good, valid_now)| By::Certificate { fulcio, key, good, valid_now }),
        1 => Just(By::Unsupported),
        1 => Just(By::Malformed),
        1 => Just(By::Foreign),
    ];
    (by, witness(), witness()).prop_map(|(by, log, stamp)| Signature { by, log, stamp })
}

fn world() -> impl Strategy<Value = World> {
    let signatures = proptest::collection::vec(signature(), 0..4);
    (0..POLICIES.len(), 0..ASKED, any::<bool>(), any::<bool>(), signatures).prop_flat_map(|(policy, asked, rewound, index, signatures)| {
        let world = World { policy, asked, rewound, signatures, index, lost: BTreeSet::new() };
        let pieces = world.pieces();
        proptest::sample::subsequence(pieces, 0..3).prop_map(move |lost| World { lost: lost.into_iter().collect(), ..world.clone() })
    })
}

fn is_certainly_not(verdict: Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::Rejected(_) | Verdict::Absent))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 1_000, max_shrink_iters: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn knowing_less_neither_verifies_nor_rejects(world in world()) {
        let before = world.verdict();
        for piece in world.pieces() {
            let mut less = world.clone();
            less.lost.insert(piece);
            let after = less.verdict();
            prop_assert!(after != Some(Verdict::Verified) || before == after, "without {piece:?}: {before:?} became {after:?}");
            prop_assert!(!is_certainly_not(after) || is_certainly_not(before), "without {piece:?}: {before:?} became {after:?}");
        }
    }

    #[test]
    fn one_more_signature_takes_nothing_away(world in world(), more in signature()) {
        if world.verdict() == Some(Verdict::Verified) {
            let mut grown = world.clone();
            grown.signatures.push(more);
            let verdict = grown.verdict();
            prop_assert!(verdict == Some(Verdict::Verified), "{verdict:?}");
        }
    }
}
