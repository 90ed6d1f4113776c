//! Label selectors by the grammar of Kubernetes (`k8s.io/apimachinery/pkg/labels`), equality- and set-based.

use std::str::FromStr;

/// Why a text is no label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("label selector {selector:?} is not valid: {problem}; write for example app=web,tier!=test,stage in (prod, canary),!legacy")]
pub struct SelectorError {
    selector: String,
    problem: String,
}

/// A label selector: every requirement must hold. Empty selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    /// Holds too where the label is missing, as in Kubernetes.
    NotIn(Vec<String>),
    Exists,
    Missing,
    Greater(i64),
    Less(i64),
}

impl Selector {
    /// Whether the labels are selected.
    pub(super) fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| {
            let value = label(&requirement.key);
            match (&requirement.test, value) {
                (Test::In(values), Some(value)) => values.iter().any(|one| one == value),
                (Test::NotIn(values), Some(value)) => values.iter().all(|one| one != value),
                (Test::Exists, value) => value.is_some(),
                (Test::Missing, value) => value.is_none(),
                (Test::Greater(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value > *bound),
                (Test::Less(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value < *bound),
                (Test::NotIn(_), None) => true,
                (Test::In(_) | Test::Greater(_) | Test::Less(_), None) => false,
            }
        })
    }

    /// Whether it selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let refuse = |problem: String| SelectorError { selector: text.to_owned(), problem };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        split_outside_parentheses(text)
            .map_err(refuse)?
            .into_iter()
            .map(|part| requirement(part.trim()).map_err(refuse))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn split_outside_parentheses(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' if inside => return Err("a parenthesis inside another".to_owned()),
            '(' => inside = true,
            ')' if !inside => return Err("a closing parenthesis without an opening one".to_owned()),
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("a parenthesis is not closed".to_owned());
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, String> {
    if text.is_empty() {
        return Err("a requirement is empty".to_owned());
    }
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement { key: label_key(key)?, test: Test::Missing });
    }
    if let Some((key, values)) = text.split_once('(') {
        return set_based(key.trim(), values);
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement { key: label_key(key)?, test: Test::NotIn(vec![label_value(value)?]) });
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Ok(Requirement { key: label_key(key)?, test: Test::In(vec![label_value(value)?]) });
    }
    if let Some((key, bound)) = text.split_once('>') {
        return Ok(Requirement { key: label_key(key)?, test: Test::Greater(integer(bound)?) });
    }
    if let Some((key, bound)) = text.split_once('<') {
        return Ok(Requirement { key: label_key(key)?, test: Test::Less(integer(bound)?) });
    }
    Ok(Requirement { key: label_key(text)?, test: Test::Exists })
}

fn set_based(front: &str, values: &str) -> Result<Requirement, String> {
    let values = values.strip_suffix(')').ok_or_else(|| format!("something follows the parenthesis after {front:?}"))?;
    let values = values.split(',').map(label_value).collect::<Result<Vec<_>, _>>()?;
    let (key, operator) = front.rsplit_once(char::is_whitespace).ok_or_else(|| format!("{front:?} has no operator (in, notin)"))?;
    let test = match operator {
        "in" => Test::In(values),
        "notin" => Test::NotIn(values),
        other => return Err(format!("operator {other:?} is not one of in, notin")),
    };
    Ok(Requirement { key: label_key(key)?, test })
}

fn integer(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{:?} is not an integer", text.trim()))
}

/// `[prefix/]name`: the name up to 63, the prefix (a DNS name) up to 253 characters.
fn label_key(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let prefix_holds = prefix.is_none_or(|prefix| {
        !prefix.is_empty()
            && prefix.len() <= 253
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
    });
    if name.is_empty() || !is_label_text(name) || !prefix_holds {
        return Err(format!("{text:?} is not a label key"));
    }
    Ok(text.to_owned())
}

fn label_value(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_label_text(text) { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a label value")) }
}

fn is_label_text(text: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && ends(bytes.first())
        && ends(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &'static str)]) -> bool {
        let selector: Selector = selector.parse().unwrap();
        selector.matches(|key| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value))
    }

    #[test]
    fn requirements_hold_as_in_kubernetes() {
        let web = [("app", "web"), ("stage", "prod"), ("example.com/rank", "7")];
        for yes in [
            "",
            "app",
            "app=web",
            "app==web",
            "app!=db",
            "other!=x",
            "!other",
            "stage in (prod, canary)",
            "stage notin (test)",
            "other notin (a,b)",
            "app=web,stage=prod",
            "example.com/rank>6",
            "example.com/rank<8",
            " app = web ",
        ] {
            assert!(selects(yes, &web), "{yes}");
        }
        for no in [
            "other",
            "app=db",
            "app!=web",
            "!app",
            "stage in (test)",
            "stage notin (prod,test)",
            "app=web,stage=test",
            "example.com/rank>7",
            "other>1",
            "app<3",
        ] {
            assert!(!selects(no, &web), "{no}");
        }
        assert!(selects("empty=", &[("empty", "")]));
    }

    #[test]
    fn what_is_no_selector_is_refused_with_its_part() {
        for (text, part) in [
            ("app=web,", "empty"),
            ("a b", "\"a b\""),
            ("app in web", "\"app in web\""),
            ("app in (web", "not closed"),
            ("app on (web)", "\"on\""),
            ("app in (web) x", "follows"),
            ("app=we b", "\"we b\""),
            ("=web", "\"\""),
            ("app>x", "\"x\""),
            ("app)", "closing"),
            ("-app=web", "\"-app\""),
        ] {
            let error = text.parse::<Selector>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<Selector>();
        }
    }
}
