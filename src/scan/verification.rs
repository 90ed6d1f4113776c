//! Verifying what was gathered: the one bridge between asynchronous fetching and parallel computing.
//!
//! Each statement is tried once, however many images, repositories and workloads lead to it, and the results are shared. The bridge is
//! bounded: a scan that fetches faster than it verifies waits here, and holds no more than it can work on.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OnceCell, Semaphore, oneshot};

use serde::Serialize;

use super::gather::SignedBytes;
use crate::model::{Attested, Digest, ImageEvidence, Proof, Wanted};
use crate::registry::DiskCache;
use crate::verify::{Signed, Verifier, attested};

/// Statements for each thread that wait for it, beside the one that it works on.
const WAITING: usize = 16;

/// What a result depends on, but for the trust material and the moment, which are the same for a whole scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
struct Key {
    subject: Digest,
    content: Digest,
    annotations: Option<Digest>,
    media_type: String,
}

/// What verifying and reading a statement gave.
#[derive(Debug, Clone, Default)]
struct Examined {
    proofs: Arc<[Proof]>,
    attested: Option<Arc<Attested>>,
}

type Shared = Arc<OnceCell<Examined>>;

/// Tries and reads statements, each once.
pub struct Verification {
    trier: Arc<Trier>,
    threads: rayon::ThreadPool,
    bound: Semaphore,
    done: Mutex<HashMap<Key, Shared>>,
}

impl Verification {
    /// With one thread for each processor, or so many. Results are kept in and taken from `kept`, if there is one; what attestations say is
    /// read as far as it is wanted, and never kept.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(
        verifier: Verifier,
        threads: Option<NonZeroUsize>,
        kept: Option<DiskCache>,
        wanted: Wanted,
    ) -> Result<Self, VerificationError> {
        let threads = threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("verify-{number}")).build()?;
        Ok(Self {
            trier: Arc::new(Trier { verifier, kept, wanted }),
            threads: pool,
            bound: Semaphore::new(threads * (WAITING + 1)),
            done: Mutex::default(),
        })
    }

    /// How many statements were tried: each once.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.done().len()
    }

    fn done(&self) -> MutexGuard<'_, HashMap<Key, Shared>> {
        // Nothing inside the lock can panic half-way through a change.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, evidence: &ImageEvidence, signed: &SignedBytes) -> Option<(Key, Shared)> {
        let statement = evidence.statements.get(signed.statement)?;
        let key = Key {
            subject: signed.subject.clone(),
            content: statement.content.clone(),
            annotations: statement.annotations.clone(),
            media_type: signed.layer.media_type.clone(),
        };
        let shared = Arc::clone(self.done().entry(key.clone()).or_default());
        Some((key, shared))
    }

    /// Adds to an image's statements what they prove and say.
    pub async fn prove(&self, evidence: &mut ImageEvidence, signed: Vec<SignedBytes>) {
        let each = signed.into_iter().filter_map(|signed| Some((signed.statement, self.slot(evidence, &signed)?, signed)));
        let each = each.map(|(position, (key, slot), signed)| async move {
            let examined = slot.get_or_init(|| self.compute(key, signed)).await;
            (position, examined.clone())
        });
        for (position, examined) in futures::future::join_all(each).await {
            add(evidence, position, examined);
        }
    }

    /// The same where nothing has to be waited for: many images at once, in parallel.
    pub fn prove_all(&self, images: Vec<(&mut ImageEvidence, Vec<SignedBytes>)>) {
        use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
        self.threads.install(|| {
            images.into_par_iter().for_each(|(evidence, signed)| {
                for signed in signed {
                    let Some((key, slot)) = self.slot(evidence, &signed) else { continue };
                    let examined = match slot.get() {
                        Some(examined) => examined.clone(),
                        None => {
                            let examined = self.trier.examine(&key, &signed);
                            // Another thread may have been first: the results are the same.
                            let _ = slot.set(examined.clone());
                            examined
                        }
                    };
                    add(evidence, signed.statement, examined);
                }
            });
        });
    }

    async fn compute(&self, key: Key, signed: SignedBytes) -> Examined {
        // The semaphore is never closed.
        let _permit = self.bound.acquire().await;
        let (sender, receiver) = oneshot::channel();
        let trier = Arc::clone(&self.trier);
        self.threads.spawn(move || {
            // Nobody waits any more where the scan was ended.
            let _ = sender.send(trier.examine(&key, &signed));
        });
        // The thread sends, or is gone with the whole program.
        receiver.await.unwrap_or_default()
    }
}

/// Who tries: the verifier, or what it found before.
struct Trier {
    verifier: Verifier,
    kept: Option<DiskCache>,
    wanted: Wanted,
}

impl Trier {
    fn examine(&self, key: &Key, signed: &SignedBytes) -> Examined {
        let attested = attested(&signed.layer, &signed.bytes, &self.wanted).map(Arc::new);
        Examined { proofs: self.proofs(key, signed), attested }
    }

    fn proofs(&self, key: &Key, signed: &SignedBytes) -> Arc<[Proof]> {
        let name = self.kept.as_ref().and_then(|_| self.name(key));
        let found = self.kept.as_ref().zip(name.as_ref()).and_then(|(kept, name)| kept.get_result(name));
        if let Some(proofs) = found.and_then(|bytes| serde_json::from_slice::<Vec<Proof>>(&bytes).ok()) {
            return proofs.into();
        }
        let signed = Signed { layer: &signed.layer, bytes: &signed.bytes, subject: &signed.subject, artifact: None };
        let proofs = self.verifier.verify(&signed);
        if let (Some(kept), Some(name)) = (&self.kept, name)
            && proofs.iter().all(Proof::is_lasting)
            && let Ok(bytes) = serde_json::to_vec(&proofs)
        {
            kept.put_result(&name, &bytes);
        }
        proofs.into()
    }

    /// Everything that a result depends on: the statement, the trust material as of the moment, and who computed it.
    fn name(&self, key: &Key) -> Option<Vec<u8>> {
        serde_json::to_vec(&("proofs", env!("CARGO_PKG_VERSION"), self.verifier.material(), key)).ok()
    }
}

fn add(evidence: &mut ImageEvidence, position: usize, examined: Examined) {
    if let Some(statement) = evidence.statements.get_mut(position) {
        statement.proofs = examined.proofs;
        statement.attested = examined.attested;
    }
}

/// Why nothing can be verified.
#[derive(Debug, thiserror::Error)]
#[error("no threads to verify signatures with: {0}")]
pub struct VerificationError(#[from] rayon::ThreadPoolBuildError);
