//! Provenance against the certificate that signed it.

use super::Lack;
use crate::model::{CertificateClaims, Provenance, Reason, Source, SubjectName};

/// Where GitHub's first attestations had the kind of runner as their builder.
const RUNNER: &str = "https://github.com/actions/runner/";

/// What provenance says otherwise than its certificate, where that says anything (Fulcio's extensions .9, .11 to .14 and .21, and the
/// deprecated .3, .5 and .6 of GitHub's older certificates).
pub(super) fn contradiction(provenance: &Provenance, claims: &CertificateClaims) -> Option<Lack> {
    let extension = |name: &str| claims.extensions.get(name).map(String::as_str);
    if let Some(certified) = other_builder(&provenance.builder, claims) {
        let built = format!("the provenance says that {} built it, and its certificate names {certified}", provenance.builder);
        return Some((Reason::BuilderUntrusted, built));
    }
    let differs = |what: &str, said: &str, certified: &str| {
        Some((
            Reason::SourceMismatch,
            format!("the provenance says that it was built from {what} {said}, and its certificate names {certified}"),
        ))
    };
    if let Some(source) = &provenance.source {
        let certified = certified_source(claims);
        if let Some(repository) = certified.repository.filter(|repository| *repository != source.repository) {
            return differs("source", &source.repository, &repository);
        }
        if let (Some(said), Some(certified)) = (&source.commit, certified.commit)
            && said != certified
        {
            return differs("commit", said, certified);
        }
        if let (Some(said), Some(certified)) = (&source.reference, certified.reference)
            && said != certified
        {
            return differs("ref", said, certified);
        }
    }
    let (run, said) = (extension("runInvocationUri")?, provenance.invocation.as_deref()?);
    (!is_run(said, run))
        .then(|| (Reason::PredicateMismatch, format!("the provenance says that it is of run {said}, and its certificate names {run}")))
}

/// The builder that a certificate carries, where provenance names another one of the same kind.
///
/// A builder may have an identifier of its own, which no certificate has: then it is the map of builders that says who signs for it. What
/// claims to be a workflow of the host that the certificate's is of has to be that one.
fn other_builder<'c>(builder: &str, claims: &'c CertificateClaims) -> Option<&'c str> {
    let extension = |name: &str| claims.extensions.get(name).map(String::as_str).filter(|text| !text.is_empty());
    if let Some(runner) = builder.strip_prefix(RUNNER) {
        return extension("runnerEnvironment").filter(|certified| *certified != runner);
    }
    let name = match claims.names.as_slice() {
        [SubjectName::Uri(uri)] => Some(uri.as_str()),
        _ => None,
    };
    // Before there was an extension for it, the workflow was the name alone.
    let certified = extension("buildSignerUri").or_else(|| name.filter(|_| extension("githubWorkflowRepository").is_some()))?;
    let same_kind = host(certified).is_some() && host(certified) == host(builder) || name == Some(builder);
    (certified != builder && same_kind).then_some(certified)
}

fn host(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    rest.split(['/', '?', '#']).next().map(str::to_ascii_lowercase)
}

/// What a certificate says of the source.
struct CertifiedSource<'a> {
    repository: Option<String>,
    commit: Option<&'a str>,
    reference: Option<&'a str>,
}

fn certified_source(claims: &CertificateClaims) -> CertifiedSource<'_> {
    let extension = |name: &str| claims.extensions.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let old =
        || extension("githubWorkflowRepository").map(|repository| Source::of_uri(&format!("https://github.com/{repository}")).repository);
    CertifiedSource {
        repository: extension("sourceRepositoryUri").map(|uri| Source::of_uri(uri).repository).or_else(old),
        commit: extension("sourceRepositoryDigest").or_else(|| extension("githubWorkflowSha")),
        reference: extension("sourceRepositoryRef").or_else(|| extension("githubWorkflowRef")),
    }
}

/// Whether a run is meant: by its address, or as slsa-github-generator writes it, `RUN-ATTEMPT`. What is of another form is not compared.
fn is_run(said: &str, certified: &str) -> bool {
    if said == certified {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match said.split_once('-') {
        Some((run, attempt)) if digits(run) && digits(attempt) => certified.ends_with(&format!("/runs/{run}/attempts/{attempt}")),
        _ => !said.contains("://"),
    }
}
