//! The images of the standing cluster: pushed, and signed in each form.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::attested;
use super::registries::Registry;
use super::signing::Signer;
use super::sigstore::Sigstore;
use super::stack::Stack;

/// An image at a registry.
#[derive(Debug, Clone)]
pub struct Image {
    /// Host and repository.
    pub repository: String,
    /// Its digest.
    pub digest: String,
}

impl Image {
    /// By the tag of the first release.
    pub fn tagged(&self) -> String {
        self.at("v1")
    }

    /// By a tag.
    pub fn at(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository)
    }

    /// By its digest.
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// How an image is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// Not.
    No,
    /// Under the tag `.sig`.
    Tag,
    /// By a bundle that refers to it.
    Bundle,
    /// Not, but attested.
    Attested,
}

/// Whom the policy of the tests trusts.
pub const ALICE: &str = "alice@example.test";
/// Whom it does not.
pub const MALLORY: &str = "mallory@example.test";

/// All images, by their names.
pub struct Images(BTreeMap<&'static str, Image>);

impl Images {
    /// One of them.
    pub fn get(&self, name: &str) -> &Image {
        self.0.get(name).unwrap_or_else(|| panic!("there is no image {name}"))
    }

    /// Pushes and signs them.
    pub fn push(stack: &Stack) -> Self {
        let signer = Signer::new(&stack.servers, stack.docker_configuration());
        let (api, tags) = (&stack.referrers, &stack.fallback);
        let mut wanted = vec![
            ("by-tag", tags, Signed::Tag),
            ("by-fallback", tags, Signed::Bundle),
            ("by-referrer", api, Signed::Bundle),
            ("by-tag-beside-referrers", api, Signed::Tag),
            ("unsigned", api, Signed::No),
            ("unsigned-by-tags", tags, Signed::No),
            ("tool", api, Signed::No),
            ("only-attested", api, Signed::Attested),
            ("moved-signed", api, Signed::Bundle),
            ("moved-unsigned", api, Signed::No),
            ("deleted", api, Signed::No),
            ("deleted-signed", api, Signed::Bundle),
            ("configuration", api, Signed::Bundle),
            ("configuration-moved", api, Signed::Bundle),
            ("release", api, Signed::Bundle),
            ("closed", api, Signed::Bundle),
            ("unauthorized", api, Signed::Bundle),
            ("limited", api, Signed::Bundle),
            ("silent", api, Signed::Bundle),
        ];
        if let Some(private) = &stack.private {
            wanted.extend([("basic", &private.basic, Signed::Bundle), ("token", &private.token, Signed::Tag)]);
        }
        let done: Mutex<BTreeMap<&'static str, Image>> = Mutex::default();
        let queue = Mutex::new(wanted.into_iter());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let Some((name, registry, signed)) = queue.lock().unwrap().next() else { return };
                        let image = make(registry, name, signed, &signer);
                        done.lock().unwrap().insert(name, image);
                    }
                });
            }
        });
        let mut images = Self(done.into_inner().unwrap());
        images.indexes(api, &signer);
        images.copied(tags, &signer);
        if let Some(sigstore) = &stack.sigstore {
            images.vouched_for(stack, &signer, sigstore);
            images.0.extend(attested::push(stack, &signer, sigstore));
        }
        images.seen_through_fronts(stack);
        images
    }

    /// Indexes: signed itself, and with only a child signed.
    fn indexes(&mut self, registry: &Registry, signer: &Signer<'_>) {
        for (name, of_child) in [("index", false), ("index-of-signed", true)] {
            let repository = repository(name);
            let (digest, [first, _]) = registry.index(&repository, "v1", name);
            let image = Image { repository: format!("{}/{repository}", registry.host), digest };
            let signed = if of_child { format!("{}@{first}", image.repository) } else { image.pinned() };
            signer.by_bundle(&signed);
            self.0.insert(name, image);
        }
    }

    /// An image with a signature beside it that was made for another.
    fn copied(&mut self, registry: &Registry, signer: &Signer<'_>) {
        let repository = repository("copied");
        let signed = registry.image(&repository, "other", "other");
        let digest = registry.image(&repository, "v1", "copied");
        let image = Image { repository: format!("{}/{repository}", registry.host), digest };
        signer.by_tag(&format!("{}@{signed}", image.repository));
        let tag = |digest: &str| format!("{}.sig", digest.replace(':', "-"));
        registry.copy_tag(&repository, &tag(&signed), &tag(&image.digest));
        self.0.insert("copied", image);
    }

    /// Images that people signed, and what goes wrong with that.
    fn vouched_for(&mut self, stack: &Stack, signer: &Signer<'_>, sigstore: &Sigstore) {
        let (api, tags) = (&stack.referrers, &stack.fallback);
        let alice = |image: &str| signer.bundle_by(sigstore, ALICE, image);
        let under_tag = |image: &str| signer.tag_by(sigstore, ALICE, image);
        type Sign<'s> = &'s (dyn Fn(&str) + Sync);
        let wanted: [(&'static str, &Registry, Sign<'_>); 11] = [
            ("keyless", api, &alice),
            ("keyless-by-fallback", tags, &alice),
            ("stamped", tags, &under_tag),
            ("stamped-beside-referrers", api, &under_tag),
            ("key-logged", api, &|image| signer.logged(sigstore, image)),
            ("keyless-moved", api, &alice),
            ("by-mallory", api, &|image| signer.bundle_by(sigstore, MALLORY, image)),
            ("stamped-by-mallory", tags, &|image| signer.tag_by(sigstore, MALLORY, image)),
            ("by-revoked-key", api, &|image| signer.by_revoked_key(image)),
            ("unlogged-key", api, &|image| signer.by_bundle(image)),
            ("moved-to-signed", api, &|_| ()),
        ];
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = wanted
                .into_iter()
                .map(|(name, registry, sign)| {
                    scope.spawn(move || {
                        let image = make(registry, name, Signed::No, signer);
                        sign(&image.pinned());
                        (name, image)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        self.0.extend(made);
        // Where its tag will lead.
        let moved = repository("moved-to-signed");
        let next = api.image(&moved, "next", "moved-to-signed, the next");
        alice(&format!("{}/{moved}@{next}", api.host));
        // A true signature of one image beside another.
        for (name, registry) in [("transplanted", api), ("transplanted-tag", tags)] {
            let repository = repository(name);
            let signed = registry.image(&repository, "other", "other");
            let digest = registry.image(&repository, "v1", name);
            let image = Image { repository: format!("{}/{repository}", registry.host), digest };
            let other = format!("{}@{signed}", image.repository);
            if name == "transplanted" {
                alice(&other);
                registry.transplant(&repository, &signed, &image.digest);
            } else {
                under_tag(&other);
                let tag = |digest: &str| format!("{}.sig", digest.replace(':', "-"));
                registry.copy_tag(&repository, &tag(&signed), &tag(&image.digest));
            }
            self.0.insert(name, image);
        }
    }

    /// What fronts stand before is named by the front.
    fn seen_through_fronts(&mut self, stack: &Stack) {
        for (name, (_, seen)) in &stack.fronts {
            let image = self.0.get_mut(name).unwrap();
            image.repository = format!("{}/{}", seen.host, repository(name));
        }
    }
}

/// Everything that needs a login is the team's.
fn repository(name: &str) -> String {
    format!("team/{name}")
}

fn make(registry: &Registry, name: &str, signed: Signed, signer: &Signer<'_>) -> Image {
    let repository = repository(name);
    let digest = registry.image(&repository, "v1", name);
    let image = Image { repository: format!("{}/{repository}", registry.host), digest };
    match signed {
        Signed::No => {}
        Signed::Tag => signer.by_tag(&image.pinned()),
        Signed::Bundle => signer.by_bundle(&image.pinned()),
        Signed::Attested => signer.attest(&image.pinned()),
    }
    image
}
