//! `Link`: where the next page is (RFC 8288).

use http::HeaderMap;
use http::header::LINK;

/// The target of the first link whose relation is `next`, as it is written.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut text: &str) -> Option<String> {
    while let Some(open) = text.find('<') {
        let (target, rest) = text[open + 1..].split_once('>')?;
        let end = end_of_parameters(rest);
        let (parameters, others) = rest.split_at(end);
        if parameters.split(';').any(is_next) {
            return Some(target.trim().to_owned());
        }
        text = others;
    }
    None
}

/// Parameters end at the first comma outside quotes.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    let comma = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    comma.unwrap_or(text.len())
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        for (text, expected) in [
            (r#"</v2/a/referrers/sha256:x?last=1&n=2>; rel="next""#, Some("/v2/a/referrers/sha256:x?last=1&n=2")),
            ("</a,b>;rel=next", Some("/a,b")),
            (r#"</a>; title="x, y"; rel="prev", </b>; REL="last next""#, Some("/b")),
            (r#"</a>; rel="prev""#, None),
            (r#"</a>; rel="nextish""#, None),
            ("</a", None),
            ("", None),
        ] {
            assert_eq!(next_of(text).as_deref(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = next_of(&text);
        }
    }
}
