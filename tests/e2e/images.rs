//! The images of the standing cluster: pushed, and signed in each form.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::registries::Registry;
use super::signing::Signer;
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
