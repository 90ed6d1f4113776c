//! "N of M": distinct signers on distinct signatures.

use std::collections::BTreeMap;

use crate::model::{Signer, SubjectName};

/// By what a signer is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// A key by its fingerprint, where no certificate names its holder.
    Key(String),
    /// A name with its issuer.
    Name(String, String),
}

/// What one accepted signature shows of its signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Position of the statement.
    pub(super) statement: usize,
    /// Fingerprint of the key that signed.
    key: String,
    /// Who its holder is.
    identity: Identity,
}

impl Shown {
    pub(super) fn of(statement: usize, signer: &Signer) -> Self {
        match signer {
            Signer::Key { fingerprint } => {
                let key = fingerprint.to_string();
                Self { statement, identity: Identity::Key(key.clone()), key }
            }
            Signer::Certificate(claims) => {
                let names: Vec<_> = claims.names.iter().map(SubjectName::text).collect();
                let name = if names.is_empty() { claims.subject.clone() } else { names.join("\n") };
                let identity = Identity::Name(claims.issuer.clone().unwrap_or_default(), name);
                Self { statement, key: claims.key.to_string(), identity }
            }
        }
    }
}

/// A signature of a key: whom it shows, and its position.
type Choice<'s> = (&'s Identity, usize);

/// Positions of the most signatures of which no two share a key or an identity (Kuhn's algorithm).
///
/// Keys are paired with identities, so that a key does not become two by a certificate, nor an identity by a second key. A signature is by
/// one key, so different keys are on different signatures. A pairing never gets smaller by what is added: one more signature takes
/// nothing away from an image, and one less gives it nothing.
pub(super) fn distinct(shown: &[Shown]) -> Vec<usize> {
    let mut key_of: BTreeMap<usize, &str> = BTreeMap::new();
    let mut of_key: BTreeMap<&str, Vec<Choice<'_>>> = BTreeMap::new();
    for (position, one) in shown.iter().enumerate() {
        let key = *key_of.entry(one.statement).or_insert(&one.key);
        of_key.entry(key).or_default().push((&one.identity, position));
    }
    let keys: Vec<_> = of_key.into_values().collect();
    let mut taken: BTreeMap<&Identity, (usize, usize)> = BTreeMap::new();
    for key in 0..keys.len() {
        find(key, &keys, &mut taken, &mut Vec::new());
    }
    let mut positions: Vec<_> = taken.into_values().map(|(_, position)| position).collect();
    positions.sort_unstable();
    positions
}

/// Finds an identity for a key, asking the one that has it to take another.
fn find<'s>(
    key: usize,
    keys: &[Vec<Choice<'s>>],
    taken: &mut BTreeMap<&'s Identity, (usize, usize)>,
    tried: &mut Vec<&'s Identity>,
) -> bool {
    for (identity, position) in &keys[key] {
        if tried.contains(identity) {
            continue;
        }
        tried.push(identity);
        let free = match taken.get(identity).copied() {
            None => true,
            Some((owner, _)) => find(owner, keys, taken, tried),
        };
        if free {
            taken.insert(identity, (key, *position));
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(statement: usize, key: &str) -> Shown {
        Shown { statement, key: key.to_owned(), identity: Identity::Key(key.to_owned()) }
    }

    fn named(statement: usize, key: &str, name: &str) -> Shown {
        Shown { statement, key: key.to_owned(), identity: Identity::Name("issuer".to_owned(), name.to_owned()) }
    }

    #[test]
    fn nobody_and_nothing_counts_twice() {
        assert_eq!(distinct(&[bare(0, "a"), bare(1, "a")]), [0], "one key on two signatures");
        assert_eq!(distinct(&[bare(0, "a"), bare(0, "b")]).len(), 1, "two keys on one signature");
        assert_eq!(distinct(&[bare(0, "a"), named(0, "a", "ann")]).len(), 1, "one signature for two authorities");
        assert_eq!(distinct(&[bare(0, "a"), named(1, "a", "ann")]).len(), 1, "a key with and without a certificate");
        assert_eq!(distinct(&[named(0, "a", "ann"), named(1, "b", "ann")]).len(), 1, "an identity with two keys");
        assert_eq!(distinct(&[named(0, "a", "ann"), named(1, "b", "ben")]), [0, 1]);
        assert_eq!(distinct(&[bare(0, "a"), bare(1, "b"), bare(2, "c")]).len(), 3);
        assert!(distinct(&[]).is_empty());
    }

    #[test]
    fn the_best_pairing_counts() {
        let two = [named(0, "a", "ann"), named(1, "a", "ben"), named(2, "b", "ann")];
        assert_eq!(distinct(&two), [1, 2], "the first takes the other name");
    }

    proptest::proptest! {
        /// What is added never takes away.
        #[test]
        fn one_more_signature_never_counts_for_less(of in proptest::collection::vec((0_u8..4, 0_u8..5), 0..8)) {
            let shown: Vec<_> = of
                .iter()
                .enumerate()
                .map(|(statement, (key, name))| match name {
                    0 => bare(statement, &key.to_string()),
                    _ => named(statement, &key.to_string(), &name.to_string()),
                })
                .collect();
            let all = distinct(&shown);
            for without in 0..shown.len() {
                let mut fewer = shown.clone();
                fewer.remove(without);
                proptest::prop_assert!(distinct(&fewer).len() <= all.len());
            }
            for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))).filter(|(one, other)| one != other) {
                proptest::prop_assert!(shown[*one].key != shown[*other].key && shown[*one].identity != shown[*other].identity);
            }
        }
    }
}
