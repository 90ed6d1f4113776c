//! Trying statements with trust material. Pure: bytes, material and a moment in, facts out.

use std::sync::Arc;

use jiff::Timestamp;

use super::sigstore::{Root, Tried};
use super::{Signed, sigstore};
use crate::model::{Algorithm, Digest, Proof, PublicKey, Step, Trial, TriedWith, TrustRoot, UnknownAnswer};

/// Every trial of a scan, made ready once: keys parsed, certificates read, as of one moment.
///
/// The time as of which is also the boundary of what the material holds: keys and authorities that begin later are not there. Proven
/// times are compared with it by the policy.
pub struct Verifier {
    trials: Vec<Prepared>,
    as_of: Timestamp,
    material: Digest,
}

/// A root, or why it cannot be used.
type Ready = Result<Arc<Root>, UnknownAnswer>;

struct Prepared {
    with: TriedWith,
    root_name: Option<String>,
    material: Result<Material, UnknownAnswer>,
}

enum Material {
    Keyless(Arc<Root>),
    Key(PublicKey, Option<Arc<Root>>, Option<UnknownAnswer>),
    Certificate(Arc<Root>, Option<UnknownAnswer>),
}

impl Verifier {
    /// Makes trials ready. A root that cannot be used makes what needs it unknown, and nothing else.
    #[must_use]
    pub fn new(trials: &[Trial], as_of: Timestamp) -> Self {
        let mut roots: Vec<(Arc<TrustRoot>, Ready)> = Vec::new();
        let mut ready = |root: &Arc<TrustRoot>| -> Ready {
            if let Some((_, known)) = roots.iter().find(|(known, _)| Arc::ptr_eq(known, root) || known == root) {
                return known.clone();
            }
            let read = Root::read(root, as_of).map(Arc::new);
            roots.push((Arc::clone(root), read.clone()));
            read
        };
        let trials: Vec<Prepared> = trials
            .iter()
            .map(|trial| match trial {
                Trial::Keyless { root } => Prepared {
                    with: TriedWith::Root(root.name.clone()),
                    root_name: Some(root.name.clone()),
                    material: ready(root).map(Material::Keyless),
                },
                Trial::Key { key, root } => {
                    let (usable, unknown) = match root.as_ref().map(&mut ready) {
                        Some(Ok(root)) => (Some(root), None),
                        Some(Err(unknown)) => (None, Some(unknown)),
                        None => (None, None),
                    };
                    Prepared {
                        with: TriedWith::Key(key.fingerprint.clone()),
                        root_name: root.as_ref().map(|root| root.name.clone()),
                        material: Ok(Material::Key(key.clone(), usable, unknown)),
                    }
                }
                Trial::Certificate { authorities, root } => {
                    let own = |root: Option<&TrustRoot>| Root::of_own(authorities, root, as_of).map(Arc::new);
                    let material = match own(root.as_deref()) {
                        Ok(root) => Ok(Material::Certificate(root, None)),
                        // The authorities are the user's own, and need no root.
                        Err(unknown) => own(None).map(|own| Material::Certificate(own, Some(unknown))),
                    };
                    Prepared {
                        with: TriedWith::Authorities(Digest::of(Algorithm::Sha256, &authorities.concat())),
                        root_name: root.as_ref().map(|root| root.name.clone()),
                        material,
                    }
                }
            })
            .collect();
        let material = digest_of(&trials);
        Self { trials, as_of, material }
    }

    /// The digest of everything that its results rest on but for the statement: each trial, as of the moment. Two verifiers with the same
    /// digest give the same proofs, where those are lasting.
    #[must_use]
    pub fn material(&self) -> &Digest {
        &self.material
    }

    /// Tries a statement with every trial that fits its kind of signer. Nothing for what is no signature by a certificate or a key (a
    /// Notation signature), and for what cannot be read at all.
    #[must_use]
    pub fn verify(&self, signed: &Signed<'_>) -> Vec<Proof> {
        let Some(content) = sigstore::content(signed) else { return Vec::new() };
        let position = 0_u32..;
        let trials = self.trials.iter().zip(position);
        match content {
            // Whoever signed it: it cannot be tried.
            Err(outcome) => trials.map(|(trial, position)| trial.proof(position, Tried::refused(outcome.clone()))).collect(),
            Ok(content) => trials
                .filter_map(|(trial, position)| {
                    let mut tried = trial.attempt(&content, self.as_of)?;
                    tried.note(Step::Subject, content.names_subject());
                    Some(trial.proof(position, tried))
                })
                .collect(),
        }
    }
}

/// One digest over all trials; the fields of each with their lengths, so that no two lists are written alike.
fn digest_of(trials: &[Prepared]) -> Digest {
    let mut written = Vec::new();
    let mut write = |field: &[u8]| {
        written.extend((field.len() as u64).to_be_bytes());
        written.extend(field);
    };
    for trial in trials {
        write(format!("{:?}", trial.with).as_bytes());
        write(trial.root_name.as_deref().unwrap_or_default().as_bytes());
        match &trial.material {
            Ok(Material::Keyless(root) | Material::Certificate(root, _)) => write(root.material().as_bytes()),
            Ok(Material::Key(_, Some(root), _)) => write(root.material().as_bytes()),
            Ok(Material::Key(_, None, _)) | Err(_) => write(b"none"),
        }
    }
    Digest::of(Algorithm::Sha256, &written)
}

impl Prepared {
    /// Nothing where the signature is by another kind of signer than the trial is for.
    fn attempt(&self, content: &sigstore::Statement, as_of: Timestamp) -> Option<Tried> {
        match &self.material {
            Ok(Material::Keyless(root)) => content.by_certificate(root, false, as_of),
            Ok(Material::Certificate(root, None)) => content.by_certificate(root, true, as_of),
            Ok(Material::Certificate(root, Some(unknown))) => {
                let mut tried = content.by_certificate_alone(root, as_of)?;
                tried.note_unchecked(unknown);
                Some(tried)
            }
            Ok(Material::Key(key, root, unknown)) => {
                let mut tried = content.by_key(key, root.as_deref(), as_of)?;
                if let Some(unknown) = unknown {
                    tried.note_unchecked(unknown);
                }
                Some(tried)
            }
            Err(unknown) => content.has_certificate().then(|| content.untried(unknown)),
        }
    }

    fn proof(&self, position: u32, mut tried: Tried) -> Proof {
        tried.steps.sort_by_key(|(step, _)| *step);
        Proof {
            trial: position,
            with: self.with.clone(),
            root: self.root_name.clone(),
            signer: tried.signer,
            steps: tried.steps,
            times: tried.times,
            log: tried.log,
        }
    }
}
