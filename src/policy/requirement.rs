//! "N of M": distinct signers on distinct signatures.

use std::collections::BTreeMap;

use crate::model::Signer;

/// Who a signer is, so that one under two names counts once: a key by its fingerprint, an identity by issuer and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    Key(String),
    Name(String, String),
}

impl Identity {
    pub(super) fn of(signer: &Signer) -> Self {
        match signer {
            Signer::Key { fingerprint } => Self::Key(fingerprint.to_string()),
            Signer::Certificate(claims) => {
                let names: Vec<_> = claims.names.iter().map(crate::model::SubjectName::text).collect();
                let name = if names.is_empty() { claims.subject.clone() } else { names.join("\n") };
                Self::Name(claims.issuer.clone().unwrap_or_default(), name)
            }
        }
    }
}

/// The largest number of pairs of a signer and a signature in which nobody and nothing stands twice (Kuhn's algorithm), and the pairs.
pub(super) fn distinct(held: &[(Identity, usize)]) -> Vec<(Identity, usize)> {
    let mut of_signer: BTreeMap<&Identity, Vec<usize>> = BTreeMap::new();
    for (identity, statement) in held {
        of_signer.entry(identity).or_default().push(*statement);
    }
    let signers: Vec<_> = of_signer.into_iter().collect();
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for signer in 0..signers.len() {
        find(signer, &signers, &mut taken, &mut Vec::new());
    }
    taken.into_iter().map(|(statement, signer)| (signers[signer].0.clone(), statement)).collect()
}

/// Finds a signature for a signer, asking those who have one to take another.
fn find(signer: usize, signers: &[(&Identity, Vec<usize>)], taken: &mut BTreeMap<usize, usize>, tried: &mut Vec<usize>) -> bool {
    for statement in &signers[signer].1 {
        if tried.contains(statement) {
            continue;
        }
        tried.push(*statement);
        let free = match taken.get(statement).copied() {
            None => true,
            Some(owner) => find(owner, signers, taken, tried),
        };
        if free {
            taken.insert(*statement, signer);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Identity {
        Identity::Key(name.to_owned())
    }

    #[test]
    fn nobody_and_nothing_counts_twice() {
        assert_eq!(distinct(&[(key("a"), 0), (key("a"), 1)]).len(), 1, "one key on two signatures");
        assert_eq!(distinct(&[(key("a"), 0), (key("b"), 0)]).len(), 1, "two names on one signature");
        assert_eq!(distinct(&[(key("a"), 0), (key("b"), 0), (key("a"), 1)]).len(), 2, "the first takes the other one");
        assert_eq!(distinct(&[(key("a"), 0), (key("b"), 1), (key("c"), 1), (key("c"), 2)]).len(), 3);
        assert!(distinct(&[]).is_empty());
    }
}
