//! The controls and frameworks that are at hand.

use std::collections::BTreeMap;

use super::embedded;
use super::parameters::{Configuration, ParametersError};
use super::verified::consults_builders;
use crate::documents::{BuilderTrust, Control, Document, DocumentError, Framework, nearest, parse};

/// Why controls cannot be loaded or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// A document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Two documents have one identifier.
    #[error("{kind} {id} is defined twice: in {first} and in {second}")]
    Twice {
        /// Its kind.
        kind: &'static str,
        /// The identifier.
        id: String,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// A document of a kind that does not belong here.
    #[error("{file}: holds {kind}, where controls and frameworks are wanted")]
    Kind {
        /// The file.
        file: String,
        /// What it holds.
        kind: &'static str,
    },
    /// A framework names a control that is not there.
    #[error("{file}: framework {framework} names control {control}, which is not there{}", did_you_mean(nearest.as_deref()))]
    MissingControl {
        /// The file.
        file: String,
        /// The framework.
        framework: String,
        /// The control.
        control: String,
        /// The nearest that is there.
        nearest: Option<String>,
    },
    /// A framework sets a parameter that is not there, or to what does not fit.
    #[error("{file}: framework {framework}: {detail}")]
    FrameworkParameters {
        /// The file.
        file: String,
        /// The framework.
        framework: String,
        /// What is wrong.
        detail: Box<ParametersError>,
    },
    /// A parameters file sets what is not there, or to what does not fit.
    #[error("{file}: {detail}")]
    Parameters {
        /// The file.
        file: String,
        /// What is wrong.
        detail: Box<ParametersError>,
    },
    /// A test is about a control that is not there.
    #[error("{file}: {detail}")]
    Test {
        /// The file.
        file: String,
        /// What is wrong.
        detail: Box<LibraryError>,
    },
    /// There is none by this identifier.
    #[error("there is no {kind} {id:?}{}; see `seaworthy list {kind}s`", did_you_mean(nearest.as_deref()))]
    NotFound {
        /// `control` or `framework`.
        kind: &'static str,
        /// The identifier as it was asked for.
        id: String,
        /// The nearest that is there.
        nearest: Option<String>,
    },
}

impl LibraryError {
    /// The file that it is about, the later one of two.
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Self::Document(error) => Some(&error.file),
            Self::Twice { second: file, .. }
            | Self::Kind { file, .. }
            | Self::MissingControl { file, .. }
            | Self::FrameworkParameters { file, .. }
            | Self::Test { file, .. }
            | Self::Parameters { file, .. } => Some(file),
            Self::NotFound { .. } => None,
        }
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}

/// One control or framework with the file it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<T> {
    file: String,
    text: String,
    document: T,
}

/// A document of builders that are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuilderDocument<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says.
    pub trust: &'a BuilderTrust,
    /// The file that it was read from: what it names by file lies beside that.
    pub file: &'a str,
    /// The text of that file.
    pub text: &'a str,
    /// Whether it is part of this program.
    pub comes_along: bool,
}

/// Controls and frameworks by identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    builders: BTreeMap<String, Entry<BuilderTrust>>,
    controls: BTreeMap<String, Entry<Control>>,
    frameworks: BTreeMap<String, Entry<Framework>>,
}

impl Library {
    /// Those that are part of the binary.
    ///
    /// # Errors
    /// Never for a released binary: a test loads them.
    pub fn embedded() -> Result<Self, LibraryError> {
        Self::default().with(&embedded::FILES.map(|(name, text)| (name.to_owned(), text.to_owned())))
    }

    /// Of those that are part of the binary only what these names need: reading all of them, expressions above all, costs more than a small
    /// scan. `levels` where builders are wanted though no control asks for them. None where that cannot be told by names: one that is not
    /// there, or a milestone, which has others before it.
    ///
    /// # Errors
    /// Never for a released binary: a test loads them.
    pub fn embedded_for(controls: &[String], frameworks: &[String], levels: bool) -> Result<Option<Self>, LibraryError> {
        let mut library = Self::default();
        let mut needed: Vec<String> = controls.to_vec();
        for id in frameworks {
            if !library.add_embedded(&format!("frameworks/{}.yaml", id.to_ascii_lowercase()))? {
                return Ok(None);
            }
            match library.framework(id) {
                Ok(framework) if framework.milestone.is_none() => needed.extend(framework.controls.iter().cloned()),
                _ => return Ok(None),
            }
        }
        for id in needed {
            if library.control(&id).is_err() {
                library.add_embedded(&format!("{}.yaml", id.to_ascii_lowercase()))?;
            }
            if library.control(&id).is_err() {
                return Ok(None);
            }
        }
        if levels || library.controls().any(consults_builders) {
            for (file, _) in embedded::FILES.iter().filter(|(file, _)| file.starts_with("builders/")) {
                library.add_embedded(file)?;
            }
        }
        Ok(Some(library))
    }

    /// Adds what one file of the binary holds; whether there is such a file.
    fn add_embedded(&mut self, name: &str) -> Result<bool, LibraryError> {
        let Some((file, text)) = embedded::FILES.iter().find(|(file, _)| *file == name) else { return Ok(false) };
        for document in parse(file, text)? {
            self.add(file, text, document)?;
        }
        Ok(true)
    }

    /// Adds documents; each file as its name and text.
    ///
    /// # Errors
    /// When one is wrong, defined twice, or a framework names what is not there.
    pub fn with(mut self, files: &[(String, String)]) -> Result<Self, LibraryError> {
        for (file, text) in files {
            for document in parse(file, text)? {
                self.add(file, text, document)?;
            }
        }
        self.framework_faults(&self).into_iter().next().map_or(Ok(self), Err)
    }

    /// The same for files that name controls of another library, or hold trust policies and parameters beside controls.
    ///
    /// # Errors
    /// When one is wrong, or defined twice.
    pub fn with_any(mut self, files: &[(String, String)]) -> Result<Self, LibraryError> {
        for (file, text) in files {
            for document in parse(file, text)? {
                if matches!(document, Document::BuilderTrust(_) | Document::Control(_) | Document::Framework(_)) {
                    self.add(file, text, document)?;
                }
            }
        }
        Ok(self)
    }

    /// Adds one document of a file.
    pub(super) fn add(&mut self, file: &str, text: &str, document: Document) -> Result<(), LibraryError> {
        match document {
            Document::BuilderTrust(named) => add(&mut self.builders, "builders", named.name.clone(), file, text, named.trust),
            Document::Control(control) => add(&mut self.controls, "control", control.id.clone(), file, text, *control),
            Document::Framework(framework) => add(&mut self.frameworks, "framework", framework.id.clone(), file, text, framework),
            // Run by themselves; beside controls they are no mistake.
            Document::ControlTest(_) => Ok(()),
            Document::Exception(_) => Err(LibraryError::Kind { file: file.to_owned(), kind: "an Exception" }),
            Document::ExceptionPolicy(_) => Err(LibraryError::Kind { file: file.to_owned(), kind: "an ExceptionPolicy" }),
            Document::Parameters(_) => Err(LibraryError::Kind { file: file.to_owned(), kind: "Parameters" }),
            Document::TrustPolicy(_) => Err(LibraryError::Kind { file: file.to_owned(), kind: "a TrustPolicy" }),
        }
    }

    /// These controls and frameworks, and behind them those of another library.
    #[must_use]
    pub fn backed_by(&self, other: &Self) -> Self {
        let mut both = other.clone();
        both.builders.extend(self.builders.clone());
        both.controls.extend(self.controls.clone());
        both.frameworks.extend(self.frameworks.clone());
        both
    }

    /// What frameworks name that is not at hand: controls, and parameters of controls.
    pub(super) fn framework_faults(&self, at_hand: &Self) -> Vec<LibraryError> {
        let mut faults = Vec::new();
        for (id, entry) in &self.frameworks {
            let missing = entry.document.controls.iter().filter(|control| !at_hand.controls.contains_key(*control));
            let before = faults.len();
            faults.extend(missing.map(|control| LibraryError::MissingControl {
                file: entry.file.clone(),
                framework: id.clone(),
                control: control.clone(),
                nearest: nearest(control, at_hand.controls.keys().map(String::as_str)).map(str::to_owned),
            }));
            if faults.len() == before {
                let mut configuration = Configuration::default();
                configuration.set_framework(&entry.document.parameters);
                let fault = configuration.check(at_hand).err();
                faults.extend(fault.map(|fault| LibraryError::FrameworkParameters {
                    file: entry.file.clone(),
                    framework: id.clone(),
                    detail: Box::new(fault),
                }));
            }
        }
        faults
    }

    /// The control of this identifier; upper and lower case are one.
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub fn control(&self, id: &str) -> Result<&Control, LibraryError> {
        find(&self.controls, "control", id).map(|entry| &entry.document)
    }

    /// The framework of this identifier.
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub fn framework(&self, id: &str) -> Result<&Framework, LibraryError> {
        find(&self.frameworks, "framework", id).map(|entry| &entry.document)
    }

    /// The file name and text of a control or framework, for its digest.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<(&str, &str)> {
        let control = self.controls.get(id).map(|entry| (entry.file.as_str(), entry.text.as_str()));
        control.or_else(|| self.frameworks.get(id).map(|entry| (entry.file.as_str(), entry.text.as_str())))
    }

    /// All controls, by identifier.
    pub fn controls(&self) -> impl Iterator<Item = &Control> {
        self.controls.values().map(|entry| &entry.document)
    }

    /// All documents of builders that are trusted, by name.
    pub fn builders(&self) -> impl Iterator<Item = BuilderDocument<'_>> {
        self.builders.iter().map(|(name, Entry { document, file, text, .. })| {
            let comes_along = embedded::FILES.contains(&(file.as_str(), text.as_str()));
            BuilderDocument { name, trust: document, file, text, comes_along }
        })
    }

    /// All frameworks, by identifier.
    pub fn frameworks(&self) -> impl Iterator<Item = &Framework> {
        self.frameworks.values().map(|entry| &entry.document)
    }
}

fn add<T>(
    to: &mut BTreeMap<String, Entry<T>>,
    kind: &'static str,
    id: String,
    file: &str,
    text: &str,
    document: T,
) -> Result<(), LibraryError> {
    if let Some(known) = to.get(&id) {
        return Err(LibraryError::Twice { kind, id, first: known.file.clone(), second: file.to_owned() });
    }
    to.insert(id, Entry { file: file.to_owned(), text: text.to_owned(), document });
    Ok(())
}

fn find<'a, T>(among: &'a BTreeMap<String, Entry<T>>, kind: &'static str, id: &str) -> Result<&'a Entry<T>, LibraryError> {
    among.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, entry)| entry).ok_or_else(|| LibraryError::NotFound {
        kind,
        id: id.to_owned(),
        nearest: nearest(id, among.keys().map(String::as_str)).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_ones_load() {
        let library = Library::embedded().unwrap();
        assert!(library.controls().count() + library.frameworks().count() + library.builders().count() == embedded::FILES.len());
        assert_eq!(library.framework("supply-chain").unwrap().controls.len(), 15);
        assert_eq!(library.control("c-0237").unwrap().severity, 7);
    }

    #[test]
    fn what_names_need_is_the_same_as_in_the_whole() {
        let whole = Library::embedded().unwrap();
        for control in whole.controls() {
            let part = Library::embedded_for(&[control.id.to_lowercase()], &[], false).unwrap().unwrap();
            assert_eq!(part.control(&control.id), Ok(control));
            assert_eq!((part.controls().count(), part.source(&control.id)), (1, whole.source(&control.id)));
            assert_eq!(part.builders().count(), if consults_builders(control) { whole.builders().count() } else { 0 });
        }
        for framework in whole.frameworks() {
            let part = Library::embedded_for(&[], std::slice::from_ref(&framework.id), false).unwrap();
            assert_eq!(part.is_some(), framework.milestone.is_none(), "{}", framework.id);
            let Some(part) = part else { continue };
            assert_eq!(part.framework(&framework.id), Ok(framework));
            assert!(framework.controls.iter().all(|id| part.control(id) == whole.control(id)));
        }
        for unknown in [&["C-9999"][..], &["C-0237", "x"], &["frameworks/supply-chain"], &["builders/google-cloud-build"]] {
            let unknown: Vec<_> = unknown.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(Library::embedded_for(&unknown, &[], false), Ok(None), "{unknown:?}");
        }
        let builders = Library::embedded_for(&["C-0237".to_owned()], &[], true).unwrap().unwrap();
        assert_eq!(builders.builders().count(), whole.builders().count());
    }

    #[test]
    fn what_is_not_there_is_named_with_its_nearest() {
        let library = Library::embedded().unwrap();
        assert_eq!(
            library.control("C-237").unwrap_err().to_string(),
            "there is no control \"C-237\"; did you mean C-0237?; see `seaworthy list controls`"
        );
    }

    #[test]
    fn a_control_that_is_defined_twice_is_refused() {
        let (_, text) = embedded::FILES.into_iter().find(|(name, _)| *name == "c-0001.yaml").unwrap();
        let error = Library::embedded().unwrap().with(&[("mine.yaml".to_owned(), text.to_owned())]).unwrap_err();
        assert_eq!(error.to_string(), "control C-0001 is defined twice: in c-0001.yaml and in mine.yaml");
    }
}
