//! A registry of synthetic images, each with signatures.

use std::collections::HashMap;
use std::time::Duration;

use hyper::StatusCode;

use super::content::{self, Content, Form};
use super::server::{self, Answer, Asked};

/// `serve-registry --images N --form tag|bundle|attested --key FILE [--pieces N] [--padding BYTES] [--delay-ms N]`
pub fn serve(options: &[&str]) {
    let images = super::option(options, "--images").unwrap();
    let form = super::option(options, "--form").unwrap();
    let delay = Duration::from_millis(super::option(options, "--delay-ms").unwrap_or(0));
    let pieces = super::option(options, "--pieces").unwrap_or(1);
    let padding = super::option(options, "--padding").unwrap_or(0);
    let key: std::path::PathBuf = super::option(options, "--key").unwrap();
    let registry = Registry::new(images, form, pieces, padding, &content::Signer::read(&key));
    server::serve(delay, Box::new(move |asked| registry.answer(asked)));
}

struct Registry {
    manifests: HashMap<String, Content>,
    blobs: HashMap<String, Content>,
    referrers: HashMap<String, Content>,
}

impl Registry {
    fn new(images: usize, form: Form, pieces: usize, padding: usize, signer: &content::Signer) -> Self {
        let mut registry = Self { manifests: HashMap::new(), blobs: HashMap::new(), referrers: HashMap::new() };
        for number in 0..images {
            let repository = content::repository(number);
            let image = content::image(number);
            let signatures = content::signatures(&image, form, pieces, padding, signer);
            let digest = image.manifest.digest.clone();
            for (suffix, manifest) in form.tags().iter().zip(&signatures.manifests) {
                let tag = format!("{}.{suffix}", digest.replace(':', "-"));
                registry.manifests.insert(format!("{repository}/manifests/{tag}"), manifest.clone());
            }
            registry.manifests.insert(format!("{repository}/manifests/v1"), image.manifest.clone());
            for manifest in signatures.manifests.into_iter().chain([image.manifest]) {
                registry.manifests.insert(format!("{repository}/manifests/{}", manifest.digest), manifest);
            }
            for blob in signatures.blobs.into_iter().chain([image.config]) {
                registry.blobs.insert(format!("{repository}/blobs/{}", blob.digest), blob);
            }
            registry.referrers.insert(format!("{repository}/referrers/{digest}"), signatures.referrers);
        }
        registry
    }

    fn answer(&self, asked: &Asked<'_>) -> Answer {
        let Some(name) = asked.path.strip_prefix("/v2/") else { return unknown() };
        if name.is_empty() {
            return Answer::json("{}");
        }
        if let Some(repository) = name.strip_suffix("/tags/list") {
            return Answer::json(format!(r#"{{"name":"{repository}","tags":["v1"]}}"#));
        }
        if let Some(found) = self.manifests.get(name) {
            return told(found, found.media_type, true);
        }
        if let Some(found) = self.blobs.get(name) {
            return told(found, "application/octet-stream", true);
        }
        self.referrers.get(name).map_or_else(unknown, |found| told(found, found.media_type, false))
    }
}

fn told(content: &Content, media_type: &'static str, with_digest: bool) -> Answer {
    Answer { status: StatusCode::OK, media_type, digest: with_digest.then(|| content.digest.clone()), body: content.bytes.clone() }
}

fn unknown() -> Answer {
    Answer::not_found(r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not known"}]}"#)
}
