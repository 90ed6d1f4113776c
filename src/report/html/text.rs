//! Text as HTML has it.

use std::borrow::Cow;

use crate::model::escape_control;
use crate::report::terminal::shown;

/// A hostile text: cut where it is very long, without what a reader could be fooled by, and without markup.
pub(super) fn escaped(text: &str) -> String {
    entities(&shown(text)).into_owned()
}

/// A text of several lines, of a control say: each line on its own.
pub(super) fn lines(text: &str) -> String {
    text.trim().lines().map(|line| entities(&escape_control(line)).into_owned()).collect::<Vec<_>>().join("\n")
}

/// Without markup; also in an attribute between quotes.
pub(super) fn entities(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '`']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '`' => safe.push_str("&#96;"),
            _ => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// A link where it is one of the web, else the text alone.
pub(super) fn link(reference: &str) -> String {
    let text = escaped(reference);
    let web = reference.starts_with("https://") || reference.starts_with("http://");
    let whole = escape_control(reference);
    if web && whole == reference { format!("<a href=\"{}\" rel=\"noopener noreferrer\">{text}</a>", entities(reference)) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("</script><img src=x onerror='a'>\"&`"), "&lt;/script&gt;&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp;&#96;");
        assert_eq!(escaped("evil\u{202e}gnp"), "evil\\u{202e}gnp");
        assert_eq!(lines(" cosign sign <a>\n  b\u{1b} "), "cosign sign &lt;a&gt;\n  b\\u{1b}");
    }

    #[test]
    fn only_the_web_is_linked() {
        assert_eq!(link("https://a.test/\"x"), "<a href=\"https://a.test/&quot;x\" rel=\"noopener noreferrer\">https://a.test/&quot;x</a>");
        for other in ["javascript:alert(1)", "data:text/html,x", " https://a.test", "https://a.test/\u{202e}"] {
            assert!(!link(other).contains("<a"), "{other}");
        }
    }
}
