//! What differs from run to run in the program's output, replaced by text of the same length, so that tables keep their shape.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::Standing;

/// `d` stands for a digit, `h` for a hexadecimal one, all else for itself.
const TIME_SHAPE: &str = "dddd-dd-ddTdd:dd:dd";
/// As people read it.
const PLAIN_TIME_SHAPE: &str = "dddd-dd-dd dd:dd:dd";
const UUID_SHAPE: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
const DIGEST_LENGTH: usize = 64;
/// As people read one.
const SHORT_LENGTH: usize = 12;

/// Registries whose failures are told in words that depend on which of several requests came first.
const UNSTEADY: [&str; 2] = ["limited", "silent"];
/// What is written for those words.
const TOLD: &str = "…";
/// Where the table goes on with a line that was too long.
const CONTINUED: &str = "         ";

/// What to replace.
pub struct Redaction {
    words: BTreeMap<String, String>,
    unsteady: Vec<String>,
    /// Digests that are the same in every run; none: digests are left alone.
    digests: Option<BTreeSet<String>>,
}

impl Redaction {
    /// What differs between two scans of the same cluster: moments, and how a registry failed.
    pub fn of_scans(standing: &Standing) -> Self {
        let unsteady = UNSTEADY.map(|name| standing.stack.fronts[name].1.host.clone()).into();
        Self { words: BTreeMap::new(), unsteady, digests: None }
    }

    /// What differs between two clusters, too: random names, UIDs, and digests of what was signed.
    pub fn of_runs(standing: &Standing) -> Self {
        let mut words = BTreeMap::new();
        for pod in standing.stack.cluster.get("/api/v1/pods")["items"].as_array().unwrap() {
            let metadata = &pod["metadata"];
            let (Some(name), Some(stem)) = (metadata["name"].as_str(), metadata["generateName"].as_str()) else { continue };
            let Some(random) = name.strip_prefix(stem) else { continue };
            let stem = match metadata["labels"]["pod-template-hash"].as_str() {
                Some(hash) => stem.replace(hash, &"h".repeat(hash.len())),
                None => stem.to_owned(),
            };
            words.insert(name.to_owned(), format!("{stem}{}", "x".repeat(random.len())));
        }
        let digests =
            standing.stack.registries().flat_map(|registry| registry.pushed()).map(|digest| digest.replace("sha256:", "")).collect();
        Self { words, digests: Some(digests), ..Self::of_scans(standing) }
    }

    /// The text without what differs.
    pub fn apply(&self, text: &str) -> String {
        let text = self.words.iter().fold(self.steady(text), |text, (word, other)| text.replace(word, other));
        let mut result = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let (length, replaced) = self.redact(rest, result.chars().last()).unwrap_or((first.len_utf8(), first.to_string()));
            result.push_str(&replaced);
            rest = &rest[length..];
        }
        result
    }

    /// Without what is told of the failures of unsteady registries: the value of `detail` in JSON, some paragraphs of the table.
    fn steady(&self, text: &str) -> String {
        let unsteady = |words: &str| self.unsteady.iter().any(|host| words.contains(host));
        let mut result = String::with_capacity(text.len());
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let mut paragraph = line.to_owned();
            if line.starts_with("Unknown:") || line.starts_with("Looked:") {
                while let Some(next) = lines.next_if(|next| next.starts_with(CONTINUED)) {
                    paragraph.push('\n');
                    paragraph.push_str(next);
                }
            }
            let told =
                ["\"detail\": ", "Unknown: C-0237 ", "Looked:  "].into_iter().find_map(|field| Some(paragraph.find(field)? + field.len()));
            match told {
                // Left out where the finding says the same words.
                Some(at) if line.starts_with("Looked:") && unsteady(&paragraph[at..]) => continue,
                Some(at) if unsteady(&paragraph[at..]) => {
                    // The cause that the table ends with is the same each time.
                    let cause = paragraph.rfind(" (").filter(|_| paragraph.ends_with(')')).map_or("", |cause| &paragraph[cause..]);
                    result.push_str(&format!("{}{TOLD}{cause}", &paragraph[..at]));
                }
                _ => result.push_str(&paragraph),
            }
            result.push('\n');
        }
        result
    }

    /// What to write for the beginning of a text, and how much of it that is.
    fn redact(&self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
            return None;
        }
        if has_shape(text, TIME_SHAPE) {
            let fraction = text[TIME_SHAPE.len()..].find('Z')?;
            return Some((TIME_SHAPE.len() + fraction + 1, format!("{}Z", TIME_SHAPE.replace('d', "0"))));
        }
        if has_shape(text, PLAIN_TIME_SHAPE) {
            return Some((PLAIN_TIME_SHAPE.len(), PLAIN_TIME_SHAPE.replace('d', "0")));
        }
        let digests = self.digests.as_ref()?;
        if has_shape(text, UUID_SHAPE) {
            return Some((UUID_SHAPE.len(), UUID_SHAPE.replace('h', "0")));
        }
        let hexadecimal = text.bytes().take_while(u8::is_ascii_hexdigit).count();
        let unknown = match hexadecimal {
            DIGEST_LENGTH => !digests.contains(&text[..DIGEST_LENGTH]),
            SHORT_LENGTH => before == Some(':') && !digests.iter().any(|digest| digest.starts_with(&text[..SHORT_LENGTH])),
            _ => false,
        };
        unknown.then(|| (hexadecimal, "0".repeat(hexadecimal)))
    }
}

fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'h' => byte.is_ascii_hexdigit(),
        _ => byte == shape,
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}
