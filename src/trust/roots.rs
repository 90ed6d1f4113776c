//! The trust roots of a policy.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;

use super::document;
use super::file;
use super::need::{Effort, needed};
use super::options::TrustOptions;
use super::repository::{Obtained, TufRepository};
use super::{About, MATERIAL_LIMIT, PUBLIC_GOOD, Warning, unavailable};
use crate::documents::{SigstoreInstance, TrustPolicy, TrustRootSource};
use crate::model::{RootOrigin, TrustRoot};

/// TUF repositories that were asked already, how hard, and what came of it.
pub(super) type AlreadyObtained = Vec<(TufRepository, Effort, Obtained)>;

/// Loads the trust roots that an authority can use, all at once; a TUF repository that has several names is asked once.
pub(super) async fn load(
    policy: &TrustPolicy,
    directory: &Path,
    options: &TrustOptions,
    already: &mut AlreadyObtained,
) -> (BTreeMap<String, Arc<TrustRoot>>, Vec<Warning>) {
    let mut direct = Vec::new();
    let mut asked: Vec<(TufRepository, Effort, Vec<Wanted>)> = Vec::new();
    for (name, effort) in needed(policy) {
        let (source, without_logs) = match (policy.trust_roots.get(name), name) {
            (Some(source), _) => (self::source(name, source, directory), source.lacks_logs()),
            (None, PUBLIC_GOOD) => (Ok(Source::Tuf(TufRepository::of(SigstoreInstance::PublicGood))), false),
            (None, _) => (Err((nowhere(name), "the policy does not define it".to_owned())), false),
        };
        let wanted = Wanted { name: name.to_owned(), without_logs };
        match source {
            Ok(Source::Tuf(repository)) => match asked.iter_mut().find(|(known, _, _)| *known == repository) {
                Some((_, known, names)) => {
                    *known = effort.max(*known);
                    names.push(wanted);
                }
                None => asked.push((repository, effort, vec![wanted])),
            },
            Ok(Source::Document(origin, bytes)) => direct.push((wanted, of_document(origin, bytes))),
            Err((origin, text)) => direct.push((wanted, Obtained::failed(origin, &text))),
        }
    }
    let known = &*already;
    let answers = join_all(asked.into_iter().map(|(repository, effort, names)| async move {
        let before = known.iter().find(|(asked, spent, _)| *asked == repository && *spent >= effort);
        let obtained = match before {
            Some((_, _, obtained)) => obtained.clone(),
            None => repository.obtain(effort, options).await,
        };
        ((repository, effort, obtained), names)
    }));
    let mut obtained = Vec::new();
    for (answer, names) in answers.await {
        obtained.extend(names.into_iter().map(|wanted| (wanted, answer.2.clone())));
        already.push(answer);
    }
    let all = direct.into_iter().chain(obtained);
    let (mut roots, mut warnings) = (BTreeMap::new(), Vec::new());
    for (Wanted { name, without_logs }, Obtained { origin, dated, content, warning }) in all {
        warnings.extend(warning.map(|text| Warning { about: About::Root(name.clone()), text }));
        let content = content.map_err(|unknown| unavailable(&format!("trust root {name:?}: {}", unknown.detail)));
        roots.insert(name.clone(), Arc::new(TrustRoot { name, origin, dated, without_logs, content }));
    }
    (roots, warnings)
}

/// A trust root as an authority wants it.
struct Wanted {
    name: String,
    without_logs: bool,
}

/// Where it comes from.
enum Source {
    Tuf(TufRepository),
    Document(RootOrigin, Vec<u8>),
}

/// The origin of what stands in the policy itself, or nowhere.
fn nowhere(name: &str) -> RootOrigin {
    RootOrigin::File { path: format!("trustRoots.{name}") }
}

fn source(name: &str, source: &TrustRootSource, directory: &Path) -> Result<Source, (RootOrigin, String)> {
    match (source.sigstore, &source.file, &source.data, &source.tuf) {
        (Some(instance), None, None, None) => Ok(Source::Tuf(TufRepository::of(instance))),
        (None, Some(path), None, None) => {
            let origin = RootOrigin::File { path: path.clone() };
            match file::read(&directory.join(path), MATERIAL_LIMIT) {
                Ok(bytes) => Ok(Source::Document(origin, bytes)),
                Err(text) => Err((origin, text)),
            }
        }
        (None, None, Some(text), None) => Ok(Source::Document(nowhere(name), text.clone().into_bytes())),
        (None, None, None, Some(mirror)) => TufRepository::mirror(mirror, directory)
            .map(Source::Tuf)
            .map_err(|text| (RootOrigin::TufCache { url: mirror.url.clone() }, format!("TUF repository: {text}"))),
        _ => Err((nowhere(name), "it must have exactly one of `sigstore`, `file`, `data` and `tuf`".to_owned())),
    }
}

fn of_document(origin: RootOrigin, bytes: Vec<u8>) -> Obtained {
    match (document::check(&bytes), &origin) {
        (Ok(()), _) => Obtained { origin, dated: None, content: Ok(Arc::from(bytes)), warning: None },
        (Err(error), RootOrigin::File { path }) => {
            let text = format!("{path}: {error}");
            Obtained::failed(origin, &text)
        }
        (Err(error), _) => Obtained::failed(origin, &error.to_string()),
    }
}
