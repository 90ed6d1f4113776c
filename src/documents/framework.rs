//! Frameworks: named sets of controls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::ControlParameters;

/// A framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Framework {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Identifiers of its controls.
    pub controls: Vec<String>,
    /// Parameters that it sets, by control; the user's own go before them.
    #[serde(default)]
    pub parameters: BTreeMap<String, ControlParameters>,
}

impl Framework {
    /// What is wrong with it beyond its shape.
    pub(super) fn fault(&self) -> Option<String> {
        if self.controls.is_empty() {
            return Some("a framework names at least one control".to_owned());
        }
        let mut sorted = self.controls.clone();
        sorted.sort();
        sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| format!("control {} is named twice", pair[0]))
    }
}
