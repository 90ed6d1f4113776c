//! What a runtime's image ID says, and what it does not. Never a guess.

use crate::model::{Digest, ImageReference, Repository, RunningImage};

/// Longest image ID that is kept as it was reported.
const LONGEST_KEPT: usize = 256;

/// An image ID, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportedImage {
    /// What runs, as far as it is said.
    pub(super) running: RunningImage,
    /// The repository in it, where it differs from the one of the specification.
    pub(super) repository: Option<String>,
}

/// Reads `imageID` of a container status (or `imageRef` of an image volume's) of something that runs or ran. Where it is empty, what
/// its reference leads to now may be something else than what runs: that is an ID that cannot be read, and not one that is missing.
///
/// * `docker-pullable://repository@digest` (dockershim, cri-dockerd) and `repository@digest` (containerd, CRI-O): a manifest.
/// * `docker://sha256:…`, `sha256:…`, 64 hexadecimal digits: a digest of which it is not said whether it is a manifest's or an image
///   configuration's (Docker and CRI-O report the configuration, containerd where it knows no repository).
/// * anything else is kept as it is.
pub(super) fn read(image_id: &str, reference: &str) -> ReportedImage {
    let named = image_id.strip_prefix("docker-pullable://").or_else(|| image_id.strip_prefix("docker://")).unwrap_or(image_id);
    if let Some((repository, digest)) = named.rsplit_once('@')
        && let Ok(digest) = digest.parse::<Digest>()
        && !repository.is_empty()
        && !repository.contains("://")
    {
        return ReportedImage { running: RunningImage::Manifest(digest), repository: other_repository(repository, reference) };
    }
    let running = match bare_digest(named) {
        Some(digest) => RunningImage::Unqualified(digest),
        None => RunningImage::Unreadable(image_id.chars().take(LONGEST_KEPT).collect()),
    };
    ReportedImage { running, repository: None }
}

fn bare_digest(text: &str) -> Option<Digest> {
    if text.contains(':') { text.parse().ok() } else { format!("sha256:{text}").parse().ok() }
}

/// The reported repository where it is another one; a name that cannot be read says nothing.
fn other_repository(reported: &str, reference: &str) -> Option<String> {
    let reported = reported.parse::<ImageReference>().ok()?.repository().clone();
    let specified: Option<Repository> = reference.parse::<ImageReference>().ok().map(|reference| reference.repository().clone());
    (specified.as_ref() != Some(&reported)).then(|| reported.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925";

    fn digest() -> Digest {
        format!("sha256:{HEX}").parse().unwrap()
    }

    #[test]
    fn a_repository_qualifies_the_digest() {
        for id in [
            format!("docker-pullable://nginx@sha256:{HEX}"),
            format!("docker.io/library/nginx@sha256:{HEX}"),
            format!("index.docker.io/library/nginx@sha256:{HEX}"),
        ] {
            assert_eq!(read(&id, "nginx:1.27"), ReportedImage { running: RunningImage::Manifest(digest()), repository: None }, "{id}");
        }
    }

    #[test]
    fn a_bare_digest_is_not_taken_for_a_manifest() {
        for id in [HEX.to_owned(), format!("sha256:{HEX}"), format!("docker://sha256:{HEX}"), format!("docker-pullable://sha256:{HEX}")] {
            assert_eq!(read(&id, "nginx").running, RunningImage::Unqualified(digest()), "{id}");
        }
    }

    #[test]
    fn what_is_no_digest_stays_what_it_is() {
        for id in [
            "nginx:1.27",
            "docker-pullable://nginx@sha256:abc",
            "sha256:ABC",
            "crun://nginx",
            &format!("oci://x@sha256:{HEX}"),
            "@",
            "",
            &format!("@sha256:{HEX}"),
        ] {
            assert_eq!(read(id, "nginx").running, RunningImage::Unreadable(id.to_owned()), "{id}");
        }
        let RunningImage::Unreadable(kept) = read(&"é".repeat(5000), "nginx").running else { panic!() };
        assert_eq!(kept.chars().count(), LONGEST_KEPT);
    }

    #[test]
    fn another_repository_is_noted() {
        let reported = |reference: &str| read(&format!("mirror.example/nginx@sha256:{HEX}"), reference).repository;
        assert_eq!(reported("nginx:1.27").as_deref(), Some("mirror.example/nginx"));
        assert_eq!(reported("mirror.example/nginx:1.27"), None);
        assert_eq!(reported("Not A Reference").as_deref(), Some("mirror.example/nginx"));
        assert_eq!(read(&format!("<none>@sha256:{HEX}"), "nginx").repository, None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(image_id in "(docker(-pullable)?://|sha256:)?\\PC{0,80}(@sha256:[0-9a-f]{60,66})?", reference in "\\PC{0,40}") {
            let _ = read(&image_id, &reference);
        }
    }
}
