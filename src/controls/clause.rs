//! The clause `where` of leaves about attestations: an expression over one statement, and whoever runs its image.

use serde_json::{Map, Value as Json, json};

use super::evaluate::Subject;
use super::expression::{Bindings, Outcome, evaluate};
use super::parameters::Values;
use crate::documents::{Expression, Variable};
use crate::model::{Cause, ContainerKind, Judgement, Package, Payload, Predicate, Reason, Signer, Statement, SubjectName, SubjectState};
use crate::policy::Attester;

/// Whether an expression reads who runs the image: else it says the same of the same image, whoever does.
pub(super) fn depends_on_workload(expression: &Expression) -> bool {
    [Variable::Workload, Variable::Container].into_iter().any(|variable| expression.uses(variable)) || expression.uses(Variable::Image)
}

/// Whether an expression reads the statement itself.
pub(super) fn reads_payload(expression: &Expression) -> bool {
    [Variable::Statement, Variable::Predicate].into_iter().any(|variable| expression.uses(variable))
}

/// Whether an expression holds of a statement.
pub(super) fn holds(
    expression: &Expression,
    statement: &Statement,
    attester: &Attester<'_>,
    values: &Values,
    subject: &Subject<'_>,
) -> Judgement {
    let read = match reads_payload(expression).then(|| payload(statement)) {
        None => Json::Null,
        Some(Ok(read)) => read,
        Some(Err(judgement)) => return judgement,
    };
    let written = json!({ "type": read["_type"], "predicateType": read["predicateType"], "subject": subjects(&read["subject"]) });
    let (workload, container, image) = (workload(subject), container(subject), image(subject));
    let signer = signer(attester.signer);
    let mut bindings = Bindings::new(subject.trust.as_of.moment, values.written());
    for (variable, value) in [
        (Variable::Workload, &workload),
        (Variable::Container, &container),
        (Variable::Image, &image),
        (Variable::Statement, &written),
        (Variable::Signer, &signer),
    ] {
        bindings = bindings.with(variable, value);
    }
    let bill = match expression.uses(Variable::Sbom).then(|| bill(statement)) {
        None => Json::Null,
        Some(Ok(bill)) => bill,
        Some(Err(judgement)) => return judgement,
    };
    if !bill.is_null() {
        bindings = bindings.with(Variable::Sbom, &bill);
    }
    // What is missing has no value; null would be one.
    if let Some(predicate) = read.get("predicate") {
        bindings = bindings.with(Variable::Predicate, predicate);
    }
    match evaluate(expression, &bindings) {
        Outcome::True => Judgement::pass(),
        Outcome::False { detail } | Outcome::Failed { detail } => Judgement::fail(Reason::PredicateMismatch, detail),
        Outcome::Unknown { cause, detail } => Judgement::Unknown { cause, detail },
    }
}

/// The statement as JSON.
fn payload(statement: &Statement) -> Result<Json, Judgement> {
    match statement.attested.as_deref().map(|attested| &attested.payload) {
        Some(Payload::Kept(bytes)) => serde_json::from_slice(bytes)
            .map_err(|error| Judgement::fail(Reason::Malformed, format!("the statement cannot be read: {error}"))),
        Some(Payload::TooLarge(size)) => {
            Err(Judgement::unknown(Cause::TooLarge, format!("the statement has {size} bytes, more than expressions read")))
        }
        Some(Payload::NotWanted) | None => Err(Judgement::unknown(Cause::NotCaptured, "what the statement says was not kept")),
    }
}

/// The bill of materials in one form, whatever its format.
fn bill(statement: &Statement) -> Result<Json, Judgement> {
    let Some(Ok(Predicate::Sbom(sbom))) = statement.attested.as_deref().map(|attested| &attested.predicate) else {
        return Err(Judgement::fail(Reason::PredicateMismatch, "it is no bill of materials"));
    };
    let Some(packages) = &sbom.packages else {
        return Err(Judgement::unknown(Cause::NotCaptured, "the packages of the bill of materials were not kept"));
    };
    if u32::try_from(packages.len()).unwrap_or(u32::MAX) < sbom.package_count {
        let detail = format!("the bill of materials lists {} packages, more than expressions read", sbom.package_count);
        return Err(Judgement::unknown(Cause::TooLarge, detail));
    }
    let package = |package: &Package| {
        json!({
            "name": package.name, "version": package.version, "purl": package.purl, "supplier": package.supplier, "license": package.license,
        })
    };
    Ok(json!({
        "format": sbom.format.name().to_ascii_lowercase(),
        "specVersion": sbom.spec_version,
        "tool": sbom.generator.as_deref().unwrap_or_default(),
        "created": sbom.created.map(|created| created.to_string()).unwrap_or_default(),
        "packages": packages.iter().map(package).collect::<Vec<_>>(),
    }))
}

/// The subjects with every field that an expression may ask for.
fn subjects(written: &Json) -> Json {
    let each = written.as_array().into_iter().flatten();
    each.map(|subject| {
        let digest: Map<_, _> =
            subject["digest"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        json!({ "name": subject["name"].as_str().unwrap_or_default(), "digest": digest })
    })
    .collect()
}

fn workload(subject: &Subject<'_>) -> Json {
    let key = &subject.workload.key;
    let labels: Map<_, _> = subject.workload.labels.iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
    json!({
        "apiVersion": key.api_version.as_str(), "kind": key.kind.as_str(), "namespace": key.namespace.as_str(), "name": key.name.as_str(),
        "labels": labels,
    })
}

fn container(subject: &Subject<'_>) -> Json {
    let kind = match subject.container.kind {
        ContainerKind::Init => "init",
        ContainerKind::Container => "container",
        ContainerKind::Ephemeral => "ephemeral",
        ContainerKind::ImageVolume => "imageVolume",
    };
    json!({ "name": subject.container.name.as_str(), "kind": kind })
}

fn image(subject: &Subject<'_>) -> Json {
    let reference = subject.reference.as_ref().ok();
    let digest = match subject.evidence.map(|evidence| &evidence.subject) {
        Some(SubjectState::Known(digest)) => digest.to_string(),
        _ => String::new(),
    };
    json!({
        "reference": subject.image.reference.as_str(),
        "registry": reference.map_or("", |reference| reference.repository().registry()),
        "repository": reference.map_or_else(String::new, |reference| reference.repository().to_string()),
        "tag": reference.and_then(|reference| reference.tag()).unwrap_or_default(),
        "digest": digest,
    })
}

fn signer(signer: &Signer) -> Json {
    match signer {
        Signer::Key { fingerprint } => json!({ "issuer": "", "subject": "", "key": fingerprint.to_string(), "extensions": {} }),
        Signer::Certificate(claims) => json!({
            "issuer": claims.issuer.as_deref().unwrap_or_default(),
            "subject": claims.names.first().map_or(claims.subject.as_str(), SubjectName::text),
            "key": claims.key.to_string(),
            "extensions": claims.extensions,
        }),
    }
}
