//! `scan --vsa-out`: what the scan found, said about each image.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::arguments::SummaryOptions;
use super::exceptions::EXCEPTION;
use super::library::read_file;
use super::output::{Target, write};
use crate::controls::{Trust, verifies_image_alone};
use crate::documents::{Control, TrustPolicy};
use crate::model::{Algorithm, Digest, Report, VerifiedImage};
use crate::scan::{Summarized, summarize};
use crate::sign::{SigningKey, Verification, VerifiedBy, bundle, summary};

/// Images without a summary that are told by name.
const NAMED: usize = 5;

/// Where summaries go, and who signs them.
pub(super) struct Summaries {
    directory: PathBuf,
    key: Option<SigningKey>,
    verifier: String,
    /// Policies that the command line stands for: no document holds them.
    options: Vec<u8>,
}

impl Summaries {
    /// Checks, before anything is asked, that summaries can be made and written; none where nobody wants any.
    pub(super) fn prepare(options: &SummaryOptions, controls: &[&Control], policies: &[TrustPolicy]) -> anyhow::Result<Option<Self>> {
        let Some(directory) = &options.vsa_out else { return Ok(None) };
        anyhow::ensure!(
            controls.iter().any(|control| verifies_image_alone(control)),
            "--vsa-out needs a control that verifies what was signed or attested, and asks nothing else: scan framework slsa-build-l2 --vsa-out {}",
            directory.display()
        );
        let context = || format!("cannot write summaries into {}", directory.display());
        std::fs::create_dir_all(directory).with_context(context)?;
        // What lies there from another scan would pass for a result of this one.
        let first = std::fs::read_dir(directory).with_context(context)?.next();
        anyhow::ensure!(first.is_none(), "{}: it is not empty; name a new directory", context());
        tempfile::NamedTempFile::new_in(directory).map_err(|error| anyhow::anyhow!("{}: {}", context(), error.kind()))?;
        let read = |file: &PathBuf| -> anyhow::Result<SigningKey> {
            SigningKey::read(&read_file(file)?, password).with_context(|| format!("cannot sign with {}", file.display()))
        };
        let key = options.vsa_key.as_ref().map(read).transpose()?;
        let options_policies = serde_json::to_vec(policies)?;
        Ok(Some(Self { directory: directory.clone(), key, verifier: options.vsa_verifier.clone(), options: options_policies }))
    }

    /// Writes a summary of each image whose result is known, and tells of the others.
    pub(super) fn write(&self, report: &Report, controls: &[&Control], trust: Trust<'_>) -> anyhow::Result<()> {
        let Summarized { controls, images, left_out } = summarize(report, controls, trust.policies, trust.as_of);
        let verification = Verification {
            by: VerifiedBy { id: self.verifier.clone(), version: report.header.tool_version.clone() },
            time: report.header.as_of,
            policy: format!("seaworthy:controls/{}", controls.join(",")),
            policy_digest: self.policy_digest(report),
        };
        for image in &images {
            let statement = summary(&verification, image);
            let (text, suffix) = match &self.key {
                Some(key) => (bundle(key, statement)?.into_bytes(), "vsa.sigstore.json"),
                None => (statement, "vsa.json"),
            };
            let file = self.file(image, suffix);
            if let Some(directory) = file.parent() {
                std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
            }
            write(&Target::File(file), |out| out.write_all(&text))?;
        }
        self.tell(&images, &left_out);
        Ok(())
    }

    /// A directory for each part of the repository's name. No host has an underscore, so that no two names meet.
    fn file(&self, image: &VerifiedImage, suffix: &str) -> PathBuf {
        let repository = image.repository.to_string().replace(':', "_");
        self.directory.join(Path::new(&repository)).join(format!("{}-{}.{suffix}", image.digest.algorithm().name(), image.digest.hex()))
    }

    /// Over all documents that went into it, one a line: what the report lists, then what the command line stands for. A summary does not
    /// rest on an exception.
    fn policy_digest(&self, report: &Report) -> Digest {
        let documents = report.header.documents.iter().filter(|document| document.kind != EXCEPTION);
        let mut text: Vec<u8> =
            documents.flat_map(|document| format!("{} {} {}\n", document.kind, document.name, document.digest).into_bytes()).collect();
        text.extend(&self.options);
        Digest::of(Algorithm::Sha256, &text)
    }

    fn tell(&self, images: &[VerifiedImage], left_out: &[(String, String)]) {
        let form = if self.key.is_some() { "signed" } else { "unsigned" };
        let directory = self.directory.display();
        super::note(&format!("verification summaries: {} {form} in {directory}; images without one: {}", images.len(), left_out.len()));
        for (image, why) in left_out.iter().take(NAMED) {
            super::note(&format!("  none of {image}: {why}"));
        }
        if left_out.len() > NAMED {
            super::note(&format!("  and {} more, which the report lists as unknown", left_out.len() - NAMED));
        }
    }
}

/// The password of an encrypted key, where cosign's users keep it; else the person at the terminal is asked.
fn password() -> Option<String> {
    if let Ok(password) = std::env::var("COSIGN_PASSWORD") {
        return Some(password);
    }
    let mut terminal = console::Term::stderr();
    if !console::user_attended() || !terminal.is_term() {
        return None;
    }
    terminal.write_all(b"Password of the signing key: ").ok()?;
    terminal.read_secure_line().ok()
}
