//! Hostile bytes: every parser over its seeds, and over what small changes make of them. Nothing may panic.
//!
//! Which verdict a broken signature gets is said by `fixtures/verdicts.yaml`; which message, by the tests of each room. `make fuzz-smoke`
//! goes further with the same targets.

#[expect(clippy::expect_used, reason = "shared with the fuzzer, which has no other way")]
#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};

use targets::{TARGETS, run};

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// What small changes make of a seed: cut, doubled, a byte changed here and there, nested, and with bytes that are no text.
fn changed(seed: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![seed.to_vec(), Vec::new(), [seed, seed].concat()];
    let step = (seed.len() / 24).max(1);
    for at in (0..seed.len()).step_by(step) {
        all.push(seed[..at].to_vec());
        for value in [0x00, 0xff, b'"', b'{', b'9'] {
            let mut one = seed.to_vec();
            one[at] = value;
            all.push(one);
        }
        let mut without = seed.to_vec();
        without.remove(at);
        all.push(without);
    }
    all.push([b"[".repeat(10_000), seed.to_vec()].concat());
    all.push([b"{\"a\":".repeat(10_000), seed.to_vec()].concat());
    all
}

#[test]
fn no_target_panics_over_its_corpus() {
    for (target, _) in TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (path, seed) in seeds {
            for input in changed(&seed) {
                let outcome = std::panic::catch_unwind(|| run(target, &input));
                assert!(outcome.is_ok(), "{target} panics over a change of {}: {:?}", path.display(), String::from_utf8_lossy(&input));
            }
        }
    }
}

#[test]
fn every_target_is_one_of_the_fuzzers() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (target, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not in fuzz/Cargo.toml");
        let source = std::fs::read_to_string(fuzz.join("fuzz_targets").join(target).with_extension("rs")).unwrap();
        assert!(source.contains(&format!("run(\"{target}\"")), "{target} runs something else");
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let directories = std::fs::read_dir(corpus).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(directories, TARGETS.len(), "a directory of the corpus belongs to no target");
}
