//! Parameters of controls: declared by the control, set by the user.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::age::Age;
use super::located::Fault;
use crate::model::{Pattern, SourcePattern};

/// The type of a parameter. All are lists; those of one value hold exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ParameterType {
    /// Patterns over `host/repository`.
    Patterns,
    /// Texts, compared as they are.
    Strings,
    /// Patterns over source repositories, `host/owner/repository`.
    Sources,
    /// One length of time, such as `30d`.
    Duration,
    /// One of `true` and `false`.
    Boolean,
}

impl ParameterType {
    /// What a rule asks for where it takes a parameter of this type.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Patterns => "patterns are wanted",
            Self::Strings => "strings are wanted",
            Self::Sources => "sources are wanted",
            Self::Duration => "a duration is wanted",
            Self::Boolean => "a boolean is wanted",
        }
    }

    /// What is wrong with one value.
    #[must_use]
    pub fn refuse(self, value: &str) -> Option<String> {
        match self {
            Self::Strings => None,
            Self::Sources => value.parse::<SourcePattern>().err().map(|error| error.to_string()),
            Self::Patterns => value.parse::<Pattern>().err().map(|error| format!("{value:?}: {error}")),
            Self::Duration => value.parse::<Age>().err().map(|error| error.to_string()),
            Self::Boolean => value.parse::<bool>().err().map(|_| format!("{value:?} is neither true nor false")),
        }
    }

    /// What is wrong with how many values there are.
    #[must_use]
    pub fn miscounted(self, values: &[String]) -> Option<String> {
        let single = matches!(self, Self::Duration | Self::Boolean);
        (single && values.len() != 1).then(|| format!("a {} is one value, such as 30d or true; here are {}", self.name(), values.len()))
    }

    /// Its name, as a control writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Patterns => "patterns",
            Self::Strings => "strings",
            Self::Sources => "sources",
            Self::Duration => "duration",
            Self::Boolean => "boolean",
        }
    }
}

/// A parameter as a control declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterSpec {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// What holds where nobody sets it. Without a default it is obligatory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Vec<String>>,
    /// Key of Kubescape's controls-config that sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubescape_key: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl ParameterSpec {
    /// What is wrong with its default.
    pub(super) fn fault(&self) -> Option<Fault> {
        let default = self.default.as_ref()?;
        if let Some(detail) = self.kind.miscounted(default) {
            return Some(Fault::new(detail).under("default"));
        }
        let wrong = default.iter().enumerate().find_map(|(item, value)| Some((item, self.kind.refuse(value)?)));
        wrong.map(|(item, detail)| Fault::new(detail).under(item).under("default"))
    }
}

/// Values of one control's parameters, by name.
pub type ControlParameters = BTreeMap<String, Vec<String>>;

/// Our own typed parameters file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameters {
    /// By control identifier, then by parameter: a list, or one value.
    #[serde(deserialize_with = "by_control")]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Values>>")]
    pub controls: BTreeMap<String, ControlParameters>,
}

/// Values of a parameter as they are written: a list, or one of them.
pub(super) struct Values(Vec<String>);

impl JsonSchema for Values {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ParameterValues".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = serde_json::json!({ "type": ["string", "boolean"] });
        schemars::json_schema!({ "oneOf": [{ "type": "array", "items": one }, one] })
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = Values;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of values, or one value")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

fn listed(written: BTreeMap<String, Values>) -> ControlParameters {
    written.into_iter().map(|(name, values)| (name, values.0)).collect()
}

/// Reads values of one control's parameters.
pub(super) fn of_control<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ControlParameters, D::Error> {
    Ok(listed(BTreeMap::deserialize(deserializer)?))
}

/// Reads values of parameters by control.
pub(super) fn by_control<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, ControlParameters>, D::Error> {
    let written = BTreeMap::<String, BTreeMap<String, Values>>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|(control, values)| (control, listed(values))).collect())
}

/// A list, or the name of the parameter that holds it: `[a, b]` or `{ param: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrParam<T> {
    /// Written out.
    Values(Vec<T>),
    /// By parameter.
    Param(String),
}

/// A value, or the name of the parameter that holds it: `30d` or `{ param: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OneOrParam<T> {
    /// By parameter.
    Param(ParamName),
    /// Written out.
    Value(T),
}

/// `{ param: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParamName {
    /// The name.
    pub param: String,
}

impl<T> OneOrParam<T> {
    /// The parameter that it names.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Value(_) => None,
            Self::Param(name) => Some(&name.param),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrParam<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);

        // By hand, so that what is wrong with a value is said of the value.
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrParam<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value, or { param: NAME }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(OneOrParam::Value)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(OneOrParam::Value)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                ParamName::deserialize(de::value::MapAccessDeserializer::new(map)).map(OneOrParam::Param)
            }
        }

        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrParam<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrParam", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        let param = generator.subschema_for::<ParamName>();
        schemars::json_schema!({ "oneOf": [value, param] })
    }
}

impl<T> Default for OrParam<T> {
    fn default() -> Self {
        Self::Values(Vec::new())
    }
}

impl<T> OrParam<T> {
    /// The parameter that it names.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Values(_) => None,
            Self::Param(name) => Some(name),
        }
    }
}

impl<T: Serialize> Serialize for OrParam<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => values.serialize(serializer),
            Self::Param(name) => BTreeMap::from([("param", name)]).serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrParam<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OrParam<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list, or { param: NAME }")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    values.push(value);
                }
                Ok(OrParam::Values(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut name = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "param" if name.is_none() => name = Some(map.next_value()?),
                        "param" => return Err(de::Error::duplicate_field("param")),
                        other => return Err(de::Error::unknown_field(other, &["param"])),
                    }
                }
                name.map(OrParam::Param).ok_or_else(|| de::Error::missing_field("param"))
            }
        }

        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OrParam<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}sOrParam", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let item = generator.subschema_for::<T>();
        schemars::json_schema!({ "oneOf": [
            { "type": "array", "items": item },
            { "type": "object", "properties": { "param": { "type": "string" } }, "required": ["param"], "additionalProperties": false }
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_needs_no_brackets() {
        let read = |text: &str| serde_saphyr::from_str::<Parameters>(text).map(|read| read.controls);
        let written = read("controls: { SW-0020: { acceptUnsigned: true, firstParty: 'ghcr.io/**' }, SW-0032: { maxAge: 30d } }").unwrap();
        assert_eq!(written["SW-0020"]["acceptUnsigned"], ["true"]);
        assert_eq!(written["SW-0020"]["firstParty"], ["ghcr.io/**"]);
        assert_eq!(written["SW-0032"]["maxAge"], ["30d"]);
        let listed = read("controls: { SW-0020: { acceptUnsigned: [true], firstParty: [a, b] } }").unwrap();
        assert_eq!((listed["SW-0020"]["acceptUnsigned"].as_slice(), listed["SW-0020"]["firstParty"].len()), (&["true".to_owned()][..], 2));
        for wrong in ["{ a: { b: { c: d } } }", "{ a: { b: } }", "{ a: { b: 7 } }", "{ a: { b: [[c]] } }"] {
            assert!(read(&format!("controls: {wrong}")).is_err(), "{wrong}");
        }
    }
}
