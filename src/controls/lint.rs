//! Checking documents without judging anything: every problem of every file, not only the first.

use std::collections::BTreeMap;

use super::library::{Library, LibraryError};
use super::parameters::Configuration;
use crate::documents::{Document, parse_each};

/// What checking gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linted {
    /// Documents that were read.
    pub documents: usize,
    /// What is wrong, in the order of the files.
    pub problems: Vec<LibraryError>,
}

/// Checks files (name and text): each document for itself, and what they say about each other.
///
/// Frameworks and parameters may name controls of the files themselves and of `known`.
#[must_use]
pub fn lint(files: &[(String, String)], known: &Library) -> Linted {
    let mut linted = Linted::default();
    let mut library = Library::default();
    let mut parameters = Vec::new();
    let mut tests = Vec::new();
    for (file, text) in files {
        for document in parse_each(file, text) {
            linted.documents += usize::from(document.is_ok());
            match document {
                Ok(Document::Parameters(set)) => parameters.push((file, set)),
                Ok(Document::TrustPolicy(_) | Document::Exception(_) | Document::ExceptionPolicy(_)) => {}
                Ok(Document::ControlTest(test)) => tests.push((file, test)),
                Ok(document) => linted.problems.extend(library.add(file, text, document).err()),
                Err(error) => linted.problems.push(error.into()),
            }
        }
    }
    let at_hand = library.backed_by(known);
    linted.problems.extend(library.framework_faults(&at_hand));
    for (file, set) in parameters {
        let mut configuration = Configuration::default();
        configuration.set_own(set);
        let fault = configuration.check(&at_hand).err();
        linted.problems.extend(fault.map(|fault| LibraryError::Parameters { file: file.clone(), detail: Box::new(fault) }));
    }
    for (file, test) in tests {
        let fault = at_hand.control(&test.control).err();
        linted.problems.extend(fault.map(|fault| LibraryError::Test { file: file.clone(), detail: Box::new(fault) }));
    }
    sort_by_file(&mut linted.problems, files);
    linted
}

/// In the order of the files; within a file as they were found.
fn sort_by_file(problems: &mut [LibraryError], files: &[(String, String)]) {
    let positions: BTreeMap<&str, usize> = files.iter().enumerate().map(|(position, (file, _))| (file.as_str(), position)).collect();
    problems.sort_by_key(|problem| problem.file().and_then(|file| positions.get(file).copied()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> (usize, String) {
        let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        let linted = lint(&files, &Library::embedded().unwrap());
        let shown = linted.problems.iter().map(|problem| format!("{problem}\n")).collect();
        (linted.documents, shown)
    }

    fn document(kind: &str, spec: &str) -> String {
        format!("apiVersion: seaworthy.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: mine }}\nspec: {spec}\n")
    }

    fn control(id: &str) -> String {
        document("Control", &format!("{{ id: {id}, title: T, severity: 5, rationale: R, rule: {{ signature: {{ exists: {{}} }} }} }}"))
    }

    #[test]
    fn what_is_embedded_has_no_problem() {
        let files: Vec<_> = super::super::embedded::FILES.to_vec();
        assert_eq!(problems(&files), (files.len(), String::new()));
    }

    #[test]
    fn every_problem_is_named_not_only_the_first() {
        let two = format!("{}---\n{}---\n{}", control("acme"), control("ACME-1"), control("ACME-2").replace("severity: 5", "severity: 12"));
        let frameworks = [
            document("Framework", "{ id: fine, title: T, controls: [ACME-1, C-0237] }"),
            document("Framework", "{ id: lost, title: T, controls: [ACME-9, C-237] }"),
            document("Framework", "{ id: wrong, title: T, controls: [C-0306], parameters: { C-0306: { exempted: [ghcr.io] } } }"),
        ];
        let parameters = [
            document("Parameters", "{ controls: { C-0078: { allowed: [\"ghcr.io/a:tag\"] } } }"),
            document("Parameters", "{ controls: { C-078: { allowed: [ghcr.io] } } }"),
        ];
        let (documents, shown) = problems(&[
            ("a.yaml", &two),
            ("b.yaml", &control("ACME-1")),
            ("frameworks.yaml", &frameworks.join("---\n")),
            ("parameters.yaml", &parameters.join("---\n")),
            ("policy.yaml", &document("TrustPolicy", "{ evidence: [] }")),
        ]);
        assert_eq!(documents, 8);
        insta::assert_snapshot!(shown);
    }
}
