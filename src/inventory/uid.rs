//! UIDs, kept small.

use std::sync::Arc;

/// UID of an object: its sixteen bytes where it is a UUID as API servers write them, and its text else. Equal where the texts are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Uid {
    Uuid([u8; 16]),
    Text(Arc<str>),
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }
}

/// The bytes of `8-4-4-4-12` lower-case hexadecimal digits (RFC 9562, section 4); any other way of writing them stays text.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|at| text.get(*at) != Some(&b'-')) {
        return None;
    }
    let mut digits = text.iter().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23)).map(|(_, digit)| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    });
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn only_the_usual_form_is_kept_as_bytes() {
        assert_eq!(
            Uid::from("00112233-4455-6677-8899-aabbccddeeff"),
            Uid::Uuid(std::array::from_fn(|at| u8::try_from(at * 0x11).unwrap()))
        );
        for text in [
            "",
            "u",
            "00112233-4455-6677-8899-AABBCCDDEEFF",
            "00112233445566778899aabbccddeeff",
            "0011223-34455-6677-8899-aabbccddeeff",
            "é0112233-4455-6677-8899-aabbccddee",
        ] {
            assert_eq!(Uid::from(text), Uid::Text(text.into()));
        }
    }

    proptest! {
        #[test]
        fn different_texts_are_different(left in "[0-9a-fA-F-]{34,38}", right in any::<[u8; 16]>()) {
            let text = right.iter().enumerate().fold(String::new(), |text, (at, byte)| {
                format!("{text}{}{byte:02x}", if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" })
            });
            assert_eq!(Uid::from(text.as_str()), Uid::Uuid(right));
            assert_eq!(Uid::from(left.as_str()) == Uid::from(text.as_str()), left == text);
        }
    }
}
