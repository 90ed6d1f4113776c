//! What the user sets: parameters in our own form, and in Kubescape's flat controls-config.

use std::collections::BTreeMap;

use super::Library;
use crate::documents::{
    AttestationLeaf, ClusterLeaf, Control, ControlParameters, DocumentError, OneOrParam, OrParam, ParameterSpec, ParameterType, Parameters,
    RegistryLeaf, Rule, SbomLeaf, SignatureLeaf, SignedBy, VerifiedLeaf, nearest,
};
use crate::model::{Pattern, SourcePattern};

/// Why parameters cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// The controls-config is no flat map of lists.
    #[error(
        "{file}: {detail}; a controls-config is a flat JSON object of lists of texts, such as {{\"imageRepositoryAllowList\": [\"ghcr.io/acme\"]}}"
    )]
    ControlsConfig {
        /// The file.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// A value is no pattern.
    #[error("{control}, parameter {parameter}: {value:?}: {detail}")]
    Value {
        /// The control.
        control: String,
        /// The parameter.
        parameter: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no such control.
    #[error("parameters are set for {control}, and there is no such control{}", nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name}?")))]
    NoSuchControl {
        /// The control.
        control: String,
        /// The nearest.
        nearest: Option<String>,
    },
    /// There is no such parameter.
    #[error("{control} has no parameter {parameter:?}{}", nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name}?")))]
    NoSuchParameter {
        /// The control.
        control: String,
        /// The parameter.
        parameter: String,
        /// The nearest.
        nearest: Option<String>,
    },
    /// A document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Everything that sets parameters, the strongest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Our own typed file.
    own: Parameters,
    /// Kubescape's controls-config.
    kubescape: BTreeMap<String, Vec<String>>,
    /// What the chosen frameworks set.
    frameworks: BTreeMap<String, ControlParameters>,
}

impl Configuration {
    /// Takes in our own typed parameters.
    pub fn set_own(&mut self, parameters: Parameters) {
        self.own = parameters;
    }

    /// Takes in Kubescape's flat controls-config. Keys that belong to controls of other tools are passed over.
    ///
    /// # Errors
    /// When it is no flat map, or a key that is known here holds something else than a list of texts.
    pub fn set_kubescape(&mut self, file: &str, text: &str) -> Result<(), ParametersError> {
        let refuse = |detail: String| ParametersError::ControlsConfig { file: file.to_owned(), detail };
        let flat: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        for (key, value) in flat {
            let list = value.as_array().and_then(|values| values.iter().map(|value| value.as_str().map(str::to_owned)).collect());
            match list {
                Some(list) => drop(self.kubescape.insert(key, list)),
                None => return Err(refuse(format!("{key:?} is not a list of texts"))),
            }
        }
        Ok(())
    }

    /// Takes in what a framework sets; what is set already stays.
    pub fn set_framework(&mut self, parameters: &BTreeMap<String, ControlParameters>) {
        for (control, values) in parameters {
            let known = self.frameworks.entry(control.clone()).or_default();
            for (name, value) in values {
                known.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    /// The values of one control's parameters.
    ///
    /// # Errors
    /// When a value does not fit its type, or a parameter is set that the control does not have.
    pub(super) fn of(&self, control: &Control) -> Result<Values, ParametersError> {
        for set in [self.own.controls.get(&control.id), self.frameworks.get(&control.id)].into_iter().flatten() {
            if let Some(parameter) = set.keys().find(|name| !control.params.contains_key(*name)) {
                return Err(ParametersError::NoSuchParameter {
                    control: control.id.clone(),
                    parameter: parameter.clone(),
                    nearest: nearest(parameter, control.params.keys().map(String::as_str)).map(str::to_owned),
                });
            }
        }
        let mut values = Values::default();
        for (name, spec) in &control.params {
            let own = self.own.controls.get(&control.id).and_then(|set| set.get(name));
            let kubescape = spec.kubescape_key.as_ref().and_then(|key| self.kubescape.get(key));
            let framework = self.frameworks.get(&control.id).and_then(|set| set.get(name));
            let (list, prefixes) = match (own, kubescape, framework.or(spec.default.as_ref())) {
                (Some(list), _, _) => (list, false),
                (None, Some(list), _) => (list, true),
                (None, None, Some(list)) => (list, false),
                (None, None, None) => {
                    values.missing.push(describe(name, spec));
                    continue;
                }
            };
            if spec.default.is_none() && list.is_empty() {
                // It has to be set and says nothing: such a control would fail, or pass, everything.
                values.missing.push(describe(name, spec));
            }
            if let Some(detail) = spec.kind.miscounted(list) {
                let (control, parameter, value) = (control.id.clone(), name.clone(), list.join(", "));
                return Err(ParametersError::Value { control, parameter, value, detail });
            }
            values.written.insert(name.clone(), list.clone());
            match spec.kind {
                ParameterType::Duration | ParameterType::Boolean | ParameterType::Sources => {
                    let refused = list.iter().find_map(|value| Some((value, spec.kind.refuse(value)?)));
                    if let Some((value, detail)) = refused {
                        let (control, parameter) = (control.id.clone(), name.clone());
                        return Err(ParametersError::Value { control, parameter, value: value.clone(), detail });
                    }
                    drop(values.strings.insert(name.clone(), list.clone()));
                }
                ParameterType::Strings => drop(values.strings.insert(name.clone(), list.clone())),
                ParameterType::Patterns => {
                    let patterns =
                        list.iter().map(|text| patterns(text, prefixes).map_err(|detail| (text, detail))).collect::<Result<Vec<_>, _>>();
                    let patterns = patterns.map_err(|(value, detail)| ParametersError::Value {
                        control: control.id.clone(),
                        parameter: name.clone(),
                        value: value.clone(),
                        detail,
                    })?;
                    values.patterns.insert(name.clone(), patterns.concat());
                }
            }
        }
        if values.missing.is_empty() && control.rule.as_ref().is_some_and(|rule| says_nothing(rule, &values)) {
            let unset: Vec<_> = control.params.iter().map(|(name, spec)| describe(name, spec)).collect();
            values.missing = vec![unset.join(" or ")];
        }
        Ok(values)
    }

    /// Checks everything that is set against the controls at hand, chosen or not.
    ///
    /// # Errors
    /// When a control or parameter is set that is not there, or a value does not fit.
    pub fn check(&self, library: &Library) -> Result<(), ParametersError> {
        for id in self.own.controls.keys().chain(self.frameworks.keys()) {
            if library.control(id).map_or(true, |control| control.id != *id) {
                return Err(ParametersError::NoSuchControl {
                    control: id.clone(),
                    nearest: nearest(id, library.controls().map(|control| control.id.as_str())).map(str::to_owned),
                });
            }
        }
        library.controls().try_for_each(|control| self.of(control).map(drop))
    }

    /// Keys of the controls-config that no control at hand reads, sorted; for a note, since one file serves other tools too.
    #[must_use]
    pub fn unread(&self, library: &Library) -> Vec<&str> {
        let read: Vec<_> =
            library.controls().flat_map(|control| control.params.values()).filter_map(|spec| spec.kubescape_key.as_deref()).collect();
        self.kubescape.keys().map(String::as_str).filter(|key| !read.contains(key)).collect()
    }
}

fn describe(name: &str, spec: &ParameterSpec) -> String {
    match &spec.kubescape_key {
        Some(key) => format!("{name} (controls-config: {key})"),
        None => name.to_owned(),
    }
}

/// Whether every leaf compares with a list that is a parameter and is empty: whatever runs, the answer would be the same.
fn says_nothing(rule: &Rule, values: &Values) -> bool {
    let unset = |patterns: &OrParam<Pattern>| patterns.param().is_some() && values.patterns(patterns).is_empty();
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().all(|rule| says_nothing(rule, values)),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => says_nothing(rule, values),
        Rule::Registry(RegistryLeaf::Allowed(patterns) | RegistryLeaf::Denied(patterns)) => unset(patterns),
        Rule::Registry(RegistryLeaf::ViaProxy(via)) => unset(&via.public),
        Rule::Signature(SignatureLeaf::Verified(VerifiedLeaf { by: SignedBy::Authorities(names), .. })) => values.strings(names).is_empty(),
        Rule::Attestation(AttestationLeaf { by: SignedBy::Authorities(names), .. }) => values.strings(names).is_empty(),
        Rule::Sbom(SbomLeaf { by: Some(SignedBy::Authorities(names)), .. }) => values.strings(names).is_empty(),
        Rule::Summary(leaf) => leaf.verifiers.iter().all(|verifier| match &verifier.by {
            SignedBy::Authorities(names) => values.strings(names).is_empty(),
            SignedBy::TrustPolicy(_) => false,
        }),
        Rule::Reference(_)
        | Rule::Running(_)
        | Rule::Signature(_)
        | Rule::Attestation(_)
        | Rule::Slsa(_)
        | Rule::Sbom(_)
        | Rule::Policy(_) => false,
        Rule::Cluster(ClusterLeaf::InventoryComplete(_)) => false,
    }
}

/// Kubescape's values are prefixes: `gcr.io/project` stands for itself and everything below it, and never for `gcr.io/project-x`.
fn patterns(text: &str, prefix: bool) -> Result<Vec<Pattern>, String> {
    let parse = |text: &str| text.parse::<Pattern>().map_err(|error| error.to_string());
    if !prefix {
        return Ok(vec![parse(text)?]);
    }
    let trimmed = text.trim_end_matches('/');
    match trimmed.contains('/') {
        false => Ok(vec![parse(trimmed)?]),
        true => Ok(vec![parse(trimmed)?, parse(&format!("{trimmed}/**"))?]),
    }
}

/// The values of one control's parameters, ready for its rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    patterns: BTreeMap<String, Vec<Pattern>>,
    strings: BTreeMap<String, Vec<String>>,
    /// All of them as they are written, for expressions.
    written: ControlParameters,
    /// Obligatory parameters that nobody set.
    pub(super) missing: Vec<String>,
}

impl Values {
    pub(super) fn patterns<'a>(&'a self, of: &'a OrParam<Pattern>) -> &'a [Pattern] {
        match of {
            OrParam::Values(values) => values,
            OrParam::Param(name) => self.patterns.get(name).map_or(&[], Vec::as_slice),
        }
    }

    /// Patterns over sources. They were read when they were set.
    pub(super) fn sources(&self, of: &OrParam<SourcePattern>) -> Vec<SourcePattern> {
        match of {
            OrParam::Values(values) => values.clone(),
            OrParam::Param(name) => self.strings.get(name).into_iter().flatten().filter_map(|text| text.parse().ok()).collect(),
        }
    }

    /// All of them as they are written.
    pub(super) fn written(&self) -> &ControlParameters {
        &self.written
    }

    /// One value; none where its parameter is not set, which nothing is judged by.
    pub(super) fn one<T: std::str::FromStr + Clone>(&self, of: &OneOrParam<T>) -> Option<T> {
        match of {
            OneOrParam::Value(value) => Some(value.clone()),
            OneOrParam::Param(name) => self.strings.get(&name.param)?.first()?.parse().ok(),
        }
    }

    pub(super) fn strings<'a>(&'a self, of: &'a OrParam<String>) -> &'a [String] {
        match of {
            OrParam::Values(values) => values,
            OrParam::Param(name) => self.strings.get(name).map_or(&[], Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(configuration: &Configuration, id: &str) -> Vec<String> {
        configuration.of(Library::embedded().unwrap().control(id).unwrap()).unwrap().missing
    }

    #[test]
    fn what_is_obligatory_is_named() {
        let mut configuration = Configuration::default();
        assert_eq!(missing(&configuration, "C-0078"), ["allowed (controls-config: imageRepositoryAllowList)"]);
        assert_eq!(missing(&configuration, "SW-0004"), ["proxies"]);
        assert!(missing(&configuration, "C-0075").is_empty() && missing(&configuration, "C-0237").is_empty());
        configuration.set_kubescape("c.json", r#"{"imageRepositoryAllowList": []}"#).unwrap();
        assert_eq!(missing(&configuration, "C-0078").len(), 1, "an empty list allows nothing and says nothing");
        let own = Parameters { controls: BTreeMap::from([("SW-0004".to_owned(), BTreeMap::from([("proxies".to_owned(), Vec::new())]))]) };
        configuration.set_own(own);
        assert_eq!(missing(&configuration, "SW-0004"), ["proxies"], "not even beside another list that is not empty");
    }

    #[test]
    fn one_of_two_lists_of_registries_is_enough() {
        let either = ["public (controls-config: publicRegistries) or untrusted (controls-config: untrustedRegistries)"];
        assert_eq!(missing(&Configuration::default(), "C-0001"), either);
        for (config, expected) in [
            (r#"{"untrustedRegistries": [], "publicRegistries": []}"#, &either[..]),
            (r#"{"publicRegistries": ["docker.io"]}"#, &[]),
            (r#"{"untrustedRegistries": ["evil.example"]}"#, &[]),
        ] {
            let mut configuration = Configuration::default();
            configuration.set_kubescape("c.json", config).unwrap();
            assert_eq!(missing(&configuration, "C-0001"), expected, "{config}");
        }
    }

    #[test]
    fn nothing_that_is_set_is_lost() {
        let library = Library::embedded().unwrap();
        let mut configuration = Configuration::default();
        configuration.set_kubescape("c.json", r#"{"imageRepositoryAllowLst": ["ghcr.io"], "publicRegistries": ["docker.io"]}"#).unwrap();
        assert_eq!(configuration.unread(&library), ["imageRepositoryAllowLst"]);
        for (control, parameter, value, complaint) in [
            ("C-306", "exempt", "ghcr.io", "parameters are set for C-306, and there is no such control; did you mean C-0306?"),
            ("c-0306", "exempt", "ghcr.io", "parameters are set for c-0306, and there is no such control; did you mean C-0306?"),
            ("C-0306", "exempted", "ghcr.io", "C-0306 has no parameter \"exempted\"; did you mean exempt?"),
            (
                "C-0306",
                "exempt",
                "ghcr.io/app:tag",
                "C-0306, parameter exempt: \"ghcr.io/app:tag\": a pattern is matched against host/repository and has no scheme, tag, \
                 digest or white space",
            ),
        ] {
            let values = BTreeMap::from([(parameter.to_owned(), vec![value.to_owned()])]);
            configuration.set_own(Parameters { controls: BTreeMap::from([(control.to_owned(), values)]) });
            assert_eq!(configuration.check(&library).unwrap_err().to_string(), complaint);
        }
        configuration.set_own(Parameters::default());
        assert_eq!(configuration.check(&library), Ok(()));
    }

    #[test]
    fn kubescapes_values_are_prefixes_on_boundaries() {
        let found = patterns("gcr.io/project/", true).unwrap();
        let matches = |repository: &str| found.iter().any(|pattern| pattern.matches(&repository.parse().unwrap()));
        assert!(matches("gcr.io/project") && matches("gcr.io/project/app"));
        assert!(!matches("gcr.io/project-x") && !matches("gcr.io.evil.example/project"));
    }

    #[test]
    fn wrong_values_are_refused() {
        let mut configuration = Configuration::default();
        assert!(configuration.set_kubescape("c.json", "[]").is_err());
        assert!(configuration.set_kubescape("c.json", r#"{"imageRepositoryAllowList": "ghcr.io"}"#).is_err());
        configuration.set_kubescape("c.json", r#"{"imageRepositoryAllowList": ["ghcr.io/app:tag"]}"#).unwrap();
        assert!(configuration.of(Library::embedded().unwrap().control("C-0078").unwrap()).is_err());
        let own = Parameters { controls: BTreeMap::from([("C-0078".to_owned(), BTreeMap::from([("alowed".to_owned(), Vec::new())]))]) };
        configuration.set_own(own);
        let error = configuration.of(Library::embedded().unwrap().control("C-0078").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "C-0078 has no parameter \"alowed\"; did you mean allowed?");
    }
}
