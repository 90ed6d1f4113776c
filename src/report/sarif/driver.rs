//! The program and its rules.

use serde::{Serialize, Serializer};

use super::Text;
use super::invocation::Notice;
use crate::model::{ControlResult, Report, Severity, Stage};
use crate::report::terminal::shown;

const HOME: &str = "https://seaworthy.dev";
/// Longest name of a rule that GitHub takes, in characters.
const LONGEST_NAME: usize = 255;
/// Longest description that GitHub takes, in characters.
const LONGEST_DESCRIPTION: usize = 1024;
/// GitHub shows no more tags of a rule, and refuses a file with twice as many.
const MOST_TAGS: usize = 10;

/// The program.
pub(super) struct Driver<'a> {
    pub(super) report: &'a Report,
}

impl Serialize for Driver<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields<'a> {
            name: &'static str,
            full_name: String,
            semantic_version: &'a str,
            information_uri: &'static str,
            short_description: Text,
            rules: Vec<Rule>,
            notifications: Vec<Descriptor>,
        }
        let version = self.report.header.tool_version.as_str();
        let fields = Fields {
            name: "Seaworthy",
            full_name: format!("Seaworthy {version}"),
            semantic_version: version,
            information_uri: HOME,
            short_description: Text::of("Audits the supply chain of what a Kubernetes cluster really runs."),
            rules: self.report.controls.iter().map(Rule::of).collect(),
            notifications: Notice::ALL.iter().map(|notice| Descriptor::of(*notice)).collect(),
        };
        fields.serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: String,
    short_description: Text,
    full_description: Text,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: Vec<String>,
    precision: &'static str,
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
    /// Absent for a control in preview: what has it can stop a pull request.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<String>,
}

impl Rule {
    fn of(control: &ControlResult) -> Self {
        let title = cut(&control.title, LONGEST_DESCRIPTION);
        let rationale = cut(if control.rationale.is_empty() { &control.title } else { &control.rationale }, LONGEST_DESCRIPTION);
        Self {
            id: shown(&control.id).into_owned(),
            name: pascal_case(&control.title),
            short_description: Text::of(sentence(&title)),
            full_description: Text::of(sentence(&rationale)),
            help: Help::of(control),
            help_uri: control.references.first().and_then(|reference| address(reference)),
            default_configuration: Configuration { level: level(control) },
            properties: Properties::of(control),
        }
    }
}

impl Properties {
    fn of(control: &ControlResult) -> Self {
        let preview = control.stage == Stage::Preview;
        let mut tags = Vec::new();
        if !preview {
            tags.push("security".to_owned());
        }
        tags.extend(["supply-chain", "kubernetes"].map(str::to_owned));
        if preview {
            tags.push("preview".to_owned());
        }
        tags.extend(control.threats.iter().map(|threat| format!("external/slsa/threat-{}", shown(threat).to_lowercase())));
        tags.truncate(MOST_TAGS);
        Self {
            tags,
            precision: "high",
            problem_severity: match level(control) {
                "error" => "error",
                "warning" => "warning",
                _ => "recommendation",
            },
            security_severity: (!preview).then(|| format!("{}.0", control.base_score.clamp(1, 10))),
        }
    }
}

impl Help {
    fn of(control: &ControlResult) -> Self {
        let (rationale, remediation) = (plain(&control.rationale), plain(&control.remediation));
        let mut text = vec![rationale.clone()];
        let mut markdown = vec![rationale];
        if !remediation.is_empty() {
            text.push(format!("How to fix it: {remediation}"));
            markdown.push(format!("**How to fix it:** {remediation}"));
        }
        let links: Vec<_> = control.references.iter().filter_map(|reference| address(reference)).collect();
        text.extend(links.iter().cloned());
        markdown.extend(links.iter().map(|link| format!("- <{link}>")));
        let joined = |parts: Vec<String>| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let (text, markdown) = (joined(text), joined(markdown));
        // Services refuse an empty one.
        if text.is_empty() { Self { text: plain(&control.title), markdown: plain(&control.title) } } else { Self { text, markdown } }
    }
}

/// The level of what fails under a control.
pub(super) fn level(control: &ControlResult) -> &'static str {
    match (control.stage, control.severity) {
        (Stage::Preview, _) | (_, Severity::Low) => "note",
        (Stage::Stable, Severity::Critical | Severity::High) => "error",
        (Stage::Stable, Severity::Medium) => "warning",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
}

impl Descriptor {
    fn of(notice: Notice) -> Self {
        let text = || Text::of(notice.description());
        Self { id: notice.id(), name: notice.name(), short_description: text(), full_description: text(), help: Text::of(notice.help()) }
    }
}

/// A reference as an address: relative ones are those of the documentation.
fn address(reference: &str) -> Option<String> {
    let url = url::Url::parse(reference).or_else(|_| url::Url::parse(HOME)?.join(reference)).ok()?;
    // Addresses of the web hold more than those of RFC 3986, which SARIF asks for.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    (matches!(url.scheme(), "https" | "http") && url.as_str().bytes().all(allowed)).then(|| url.to_string())
}

/// A title as an identifier that is readable (SARIF 3.49.7, in Pascal case as its validator has it: no two capitals in a row).
fn pascal_case(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_alphanumeric());
    // One letter would be a capital beside another one.
    let words = words.filter(|word| word.chars().nth(1).is_some() || word.chars().all(|letter| letter.is_ascii_digit()));
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        first + &letters.as_str().to_lowercase()
    };
    let name: String = words.map(capital).collect::<String>().chars().take(LONGEST_NAME).collect();
    if name.starts_with(|first: char| first.is_alphabetic()) { name } else { format!("Control{name}") }
}

/// A text of a document, whose line breaks are kept.
fn plain(text: &str) -> String {
    text.trim().lines().map(|line| crate::model::escape_control(line).into_owned()).collect::<Vec<_>>().join("\n")
}

fn cut(text: &str, longest: usize) -> String {
    let text = plain(text);
    // Room for a full stop.
    if text.chars().count() < longest { text } else { text.chars().take(longest - 2).chain(['…']).collect() }
}

/// The text with a full stop at its end.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '…', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        assert_eq!(pascal_case("Check if signature exists"), "CheckIfSignatureExists");
        assert_eq!(pascal_case("Built on a platform of SLSA level 3 (or above)"), "BuiltOnPlatformOfSlsaLevel3OrAbove");
        assert_eq!((pascal_case("—").as_str(), pascal_case("3 tags").as_str()), ("Control", "Control3Tags"));
        assert_eq!(pascal_case(&"word ".repeat(100)).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn references_are_addresses_or_left_out() {
        assert_eq!(address("https://hub.armosec.io/docs/c-0237").as_deref(), Some("https://hub.armosec.io/docs/c-0237"));
        assert_eq!(address("docs/controls.md#sw-0001").as_deref(), Some("https://seaworthy.dev/docs/controls.md#sw-0001"));
        assert_eq!(address("javascript:alert(1)"), None);
        assert_eq!(address("https://evil.example/[a](b)|"), None);
    }

    #[test]
    fn descriptions_fit() {
        assert_eq!(sentence(&cut(&"x".repeat(5000), LONGEST_DESCRIPTION)).chars().count(), LONGEST_DESCRIPTION - 1);
        assert_eq!(sentence(&cut(&"x".repeat(1023), LONGEST_DESCRIPTION)).chars().count(), LONGEST_DESCRIPTION);
    }
}
