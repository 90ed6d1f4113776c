//! Frameworks: named sets of controls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::did_you_mean;
use super::located::Fault;
use super::parameter::ControlParameters;

/// A framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Framework {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: String,
    /// Its version, `MAJOR.MINOR`: within a major one it never gets stricter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its place in the order of milestones, if it is one: it is reached only with all before it, and asking for it asks for those too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    pub milestone: Option<u8>,
    /// Identifiers of its controls.
    pub controls: Vec<String>,
    /// Parameters that it sets, by control; the user's own go before them.
    #[serde(default, deserialize_with = "super::parameter::by_control")]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, super::parameter::Values>>")]
    pub parameters: BTreeMap<String, ControlParameters>,
}

impl Framework {
    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if self.id.is_empty() || !self.id.bytes().all(is_name) {
            return Some(Fault::new(format!("id {:?} is not letters, digits, - _ and .", self.id)).under("id"));
        }
        if self.controls.is_empty() {
            return Some(Fault::new("a framework names at least one control").under("controls"));
        }
        if !self.milestone.is_none_or(|order| (1..=99).contains(&order)) {
            return Some(Fault::new("a milestone has a place in the order from 1 to 99").under("milestone"));
        }
        let twice = self.controls.iter().enumerate().find(|(item, control)| self.controls[..*item].contains(control));
        if let Some((item, control)) = twice {
            return Some(Fault::new(format!("control {control} is named twice")).under(item).under("controls"));
        }
        let stranger = self.parameters.keys().find(|control| !self.controls.contains(control))?;
        let meant = did_you_mean(stranger, self.controls.iter().map(String::as_str));
        let detail = format!("parameters are set for {stranger}, which is not among `controls`{meant}");
        Some(Fault::new(detail).under(stranger.as_str()).under("parameters"))
    }
}
