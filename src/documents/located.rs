//! A document as a tree whose nodes know where they stand, and what is wrong somewhere in it.
//!
//! The parser names the place of what breaks the shape of a document; this names the place of what its shape alone allows.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// One step downwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the value of a key.
    Key(String),
    /// Into an item of a list.
    Item(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

/// Something that is wrong beyond the shape, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The innermost step first.
    path: Vec<Step>,
    pub(super) detail: String,
}

impl Fault {
    /// Something wrong right here.
    pub(super) fn new(detail: impl Into<String>) -> Self {
        Self { path: Vec::new(), detail: detail.into() }
    }

    /// The same, seen from one step further up.
    pub(super) fn under(mut self, step: impl Into<Step>) -> Self {
        self.path.push(step.into());
        self
    }

    /// The steps from above.
    pub(super) fn path(&self) -> impl Iterator<Item = &Step> {
        self.path.iter().rev()
    }
}

/// Line and column, from 1.
pub(super) type Position = (u64, u64);

/// A node and where it stands.
#[derive(Debug)]
pub(super) struct Located {
    at: Position,
    node: Node,
}

#[derive(Debug)]
enum Node {
    Map(Vec<(String, Position, Located)>),
    List(Vec<Located>),
    Text(String),
    /// A number, a truth value, or nothing.
    Other,
}

impl Located {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _, _)| name == key).map(|(_, _, value)| value)
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where the last step of a path stands, as far as the path can be walked: a key where it is written, an item where it begins.
    pub(super) fn position<'a>(&self, path: impl IntoIterator<Item = &'a Step>) -> Position {
        let (mut here, mut at) = (self, self.at);
        for step in path {
            let next = match (step, &here.node) {
                (Step::Key(key), Node::Map(entries)) => {
                    entries.iter().find(|(name, _, _)| name == key).map(|(_, position, value)| (value, *position))
                }
                (Step::Item(item), Node::List(items)) => items.get(*item).map(|item| (item, item.at)),
                _ => None,
            };
            let Some((value, position)) = next else { break };
            (here, at) = (value, position);
        }
        at
    }

    /// Where the value that a path leads to begins, as far as the path can be walked.
    pub(super) fn value_position<'a>(&self, path: impl IntoIterator<Item = &'a Step>) -> Position {
        let mut here = self;
        for step in path {
            let next = match (step, &here.node) {
                (Step::Key(key), Node::Map(_)) => here.get(key),
                (Step::Item(item), Node::List(items)) => items.get(*item),
                _ => None,
            };
            let Some(value) = next else { break };
            here = value;
        }
        here.at
    }

    fn entries(&self) -> &[(String, Position, Self)] {
        match &self.node {
            Node::Map(entries) => entries,
            _ => &[],
        }
    }
}

fn position(location: Location) -> Position {
    (location.line(), location.column())
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        Ok(Self { at: position(spanned.referenced), node: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a document")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    entries.push((key.value, position(key.referenced), map.next_value()?));
                }
                Ok(Node::Map(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_bytes<E>(self, _: &[u8]) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Other)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
                Node::deserialize(deserializer)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_items_know_where_they_stand() {
        let tree: Located = serde_saphyr::from_str("a: 1\nspec:\n  rule:\n    all:\n      - x: {}\n      - { y: [one, two] }\n").unwrap();
        let at = |path: &[Step]| tree.position(path);
        let spec = || vec![Step::from("spec"), "rule".into(), "all".into()];
        assert_eq!(at(&[]), (1, 1));
        assert_eq!(at(&spec()), (4, 5));
        let item = |steps: &[Step]| [spec(), steps.to_vec()].concat();
        assert_eq!(at(&item(&[0.into(), "x".into()])), (5, 9));
        assert_eq!(at(&item(&[1.into(), "y".into()])), (6, 11));
        assert_eq!(at(&item(&[1.into(), "y".into(), 1.into()])), (6, 20));
        assert_eq!(at(&item(&[1.into(), "nothing".into(), 1.into()])), (6, 9), "as far as it can be walked");
    }
}
