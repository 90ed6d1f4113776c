//! Texts in YAML.

/// A text in double quotes (YAML 1.2, 5.7 and 7.3.1): what is no printable character is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut told = String::with_capacity(text.len() + 2);
    told.push('"');
    for letter in text.chars() {
        match letter {
            '"' => told.push_str("\\\""),
            '\\' => told.push_str("\\\\"),
            ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'.. => told.push(letter),
            _ => told.push_str(&format!("\\u{:04x}", u32::from(letter))),
        }
    }
    told.push('"');
    told
}

#[cfg(test)]
mod tests {
    use super::quoted;

    proptest::proptest! {
        #[test]
        fn a_reader_gets_the_same_text(text in "\\PC*|[\\x00-\\xff]*|.*") {
            let read: String = serde_saphyr::from_str(&quoted(&text)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }
}
