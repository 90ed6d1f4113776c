//! `scan --fix-digests`: manifests with images pinned to the digests that were judged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::acquire::{Ending, From, unless_ended};
use super::arguments::PinningOptions;
use super::output::{self, Format, Target};
use crate::controls::consults_trust;
use crate::documents::Control;
use crate::inventory::manifests::{ManifestSource, ManifestTexts, Pin, PinnedText, pin};
use crate::model::{ContainerFinding, Digest, ImageReference, Judgement, Report, Standing};

/// Lines around a change in a diff.
const CONTEXT: usize = 3;

/// What is to be pinned, and by whose word.
pub(super) struct Pinning {
    texts: Arc<ManifestTexts>,
    /// Identifiers of the controls that judge by trust.
    controls: BTreeSet<String>,
    write: bool,
}

/// Makes standard output free for the manifests.
///
/// # Errors
/// When a format for programs would go there.
pub(super) fn make_way(options: &PinningOptions, targets: &mut [(Format, Target)]) -> anyhow::Result<()> {
    for (format, target) in targets.iter_mut().filter(|(_, target)| options.fix_digests && !options.write && *target == Target::Stdout) {
        anyhow::ensure!(
            *format == Format::Pretty,
            "with --fix-digests standard output is for the manifests: give the report a file, as in -f json=report.json"
        );
        *target = Target::Stderr;
    }
    Ok(())
}

impl Pinning {
    /// Reads the manifests and keeps them, where they are to be pinned.
    ///
    /// # Errors
    /// When there is nothing that could be pinned, or no control that could say what is trusted.
    pub(super) async fn prepare(
        options: &PinningOptions,
        from: &mut From,
        controls: &[&Control],
        stop: &Ending,
    ) -> anyhow::Result<Option<Self>> {
        if !options.fix_digests {
            return Ok(None);
        }
        let From::Manifests(paths) = &*from else { anyhow::bail!("--fix-digests is for manifests: name files, directories, or -") };
        let controls: BTreeSet<_> = controls.iter().filter(|control| consults_trust(control)).map(|control| control.id.clone()).collect();
        anyhow::ensure!(
            !controls.is_empty(),
            "--fix-digests pins what is verified, and none of these controls verifies anything: ask for one that does, as in \
             `scan control C-0236 --trust-policy policy.yaml --fix-digests manifests/`"
        );
        let sources: Vec<_> = paths.iter().map(|path| ManifestSource::from(path.as_os_str())).collect();
        anyhow::ensure!(
            !options.write || !sources.contains(&ManifestSource::Stdin),
            "--write needs files: standard input is printed with --fix-digests alone"
        );
        let loading = tokio::task::spawn_blocking(move || ManifestTexts::load(&sources));
        let texts = Arc::new(unless_ended(stop, loading).await???);
        *from = From::Texts(texts.clone());
        Ok(Some(Self { texts, controls, write: options.write }))
    }

    /// Prints or writes the manifests, and says of each image that is not pinned why not.
    ///
    /// # Errors
    /// When a file cannot be written or is not what was read; files before it are written by then.
    pub(super) fn apply(&self, report: &Report) -> anyhow::Result<()> {
        let mut wanted = self.wanted(report);
        let mut printed = Vec::new();
        let is_single = self.texts.each().count() == 1;
        for (file, text) in self.texts.each() {
            let pins = wanted.remove(file).unwrap_or_default();
            let PinnedText { text: edited, pinned, refused } = pin(text, file, &pins);
            for (pin, why) in &refused {
                say_not_pinned(file, pin.line, pin.column, &pin.reference, why);
            }
            if self.write {
                if !pinned.is_empty() {
                    replace(Path::new(file), text, &edited).with_context(|| format!("{file} is not written"))?;
                    super::note(&format!("{file}: {} pinned", pinned.len()));
                }
            } else if is_single {
                printed.push(edited);
            } else if !pinned.is_empty() {
                printed.push(diff(file, text, &edited));
            }
        }
        if self.write {
            return Ok(());
        }
        output::write(&Target::Stdout, |out| printed.iter().try_for_each(|text| out.write_all(text.as_bytes())))
    }

    /// What to pin in each file.
    fn wanted<'a>(&self, report: &'a Report) -> BTreeMap<&'a str, Vec<Pin>> {
        let mut answers: BTreeMap<(&str, u32, u32), Vec<Answer<'_>>> = BTreeMap::new();
        for control in &report.controls {
            let judges = self.controls.contains(&control.id);
            for finding in control.findings().iter().flat_map(|finding| &finding.containers) {
                if let Some(position) = finding.position.as_deref() {
                    let key = (position.file.as_str(), position.line, position.column);
                    answers.entry(key).or_default().push((judges, &control.id, finding));
                }
            }
        }
        if answers.is_empty() {
            super::note("no image is pinned: none was judged");
        }
        let mut wanted: BTreeMap<&str, Vec<Pin>> = BTreeMap::new();
        for ((file, line, column), answers) in answers {
            match self.decide(&answers) {
                Ok(Some((reference, digest))) => {
                    let pin = Pin { line, column, reference: reference.to_owned(), digest: digest.clone() };
                    wanted.entry(file).or_default().push(pin);
                }
                Ok(None) => {}
                Err((reference, why)) => say_not_pinned(file, line, column, reference, &why),
            }
        }
        wanted
    }

    /// The digest to pin an image to, none where it has one, or why it is not pinned: every control that judges by trust has to pass,
    /// by itself and not by an exception.
    fn decide<'a>(&self, answers: &[Answer<'a>]) -> Result<Option<(&'a str, &'a Digest)>, (&'a str, String)> {
        let Some((_, _, first)) = answers.first() else { return Ok(None) };
        let reference = first.reference.as_str();
        if reference.parse::<ImageReference>().is_ok_and(|parsed| parsed.digest().is_some()) {
            return Ok(None);
        }
        let refused = |why: String| Err((reference, why));
        let rendered = first.position.as_deref().and_then(|position| position.rendered_from.as_deref());
        if let Some(from) = rendered.filter(|_| self.write) {
            return refused(format!("it is rendered from {from}, and pinned where its values are"));
        }
        let judged: Vec<_> = answers.iter().filter(|(judges, ..)| *judges).collect();
        if judged.is_empty() {
            return refused("no control that verifies judged it".to_owned());
        }
        for (_, control, finding) in judged {
            match (&finding.judgement, finding.standing) {
                (Judgement::Pass { .. }, Standing::AsIs) => {}
                (Judgement::Pass { .. }, _) => return refused(format!("{control} passes by an exception only")),
                (Judgement::Fail { reason, .. }, _) => return refused(format!("{control} fails ({reason})")),
                (Judgement::Unknown { cause, .. }, _) => return refused(format!("{control} is not known ({cause})")),
            }
        }
        let Some(digest) = &first.digest else { return refused("its digest is not known".to_owned()) };
        if answers.iter().any(|(_, _, other)| other.digest != first.digest || other.reference != first.reference) {
            return refused("several images stand there".to_owned());
        }
        Ok(Some((reference, digest)))
    }
}

/// Whether the control judges by trust, its identifier, and what it says.
type Answer<'a> = (bool, &'a str, &'a ContainerFinding);

fn say_not_pinned(file: &str, line: u32, column: u32, reference: &str, why: &str) {
    super::note(&format!("{file}:{line}:{column}: {reference} is not pinned: {why}"));
}

/// Puts a file in the place of another, which has to be what was read. A link stays one, and its target is what is replaced.
fn replace(file: &Path, read: &str, edited: &str) -> anyhow::Result<()> {
    let target = file.canonicalize()?;
    let metadata = std::fs::metadata(&target)?;
    anyhow::ensure!(metadata.is_file(), "it is no regular file");
    anyhow::ensure!(!metadata.permissions().readonly(), "it is read-only");
    let mut now = Vec::new();
    std::fs::File::open(&target)?.take(read.len() as u64 + 1).read_to_end(&mut now)?;
    anyhow::ensure!(now == read.as_bytes(), "it has changed since it was read; scan again");
    let directory = target.parent().ok_or_else(|| io::Error::other("it is in no directory"))?;
    let mut aside = tempfile::NamedTempFile::new_in(directory)?;
    aside.write_all(edited.as_bytes())?;
    aside.as_file().set_permissions(metadata.permissions())?;
    aside.persist(&target)?;
    Ok(())
}

/// A unified diff of two texts with the same number of lines; `patch -p0` and `git apply -p0` read it.
fn diff(file: &str, before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let changed: Vec<usize> = before.iter().zip(&after).zip(0..).filter(|((old, new), _)| old != new).map(|(_, line)| line).collect();
    let mut text = format!("--- {file}\n+++ {file}\n");
    let mut rest = changed.as_slice();
    while let Some(first) = rest.first() {
        // What is near enough to share its context is one hunk.
        let length =
            1 + rest.windows(2).take_while(|pair| pair.last().zip(pair.first()).is_some_and(|(b, a)| b - a <= 2 * CONTEXT)).count();
        let (hunk, others) = rest.split_at(length);
        rest = others;
        let start = first.saturating_sub(CONTEXT);
        let end = hunk.last().map_or(start, |last| last + 1 + CONTEXT).min(before.len());
        text.push_str(&format!("@@ -{0},{1} +{0},{1} @@\n", start + 1, end - start));
        let mut push = |sign: char, line: &str| {
            text.push(sign);
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        };
        for at in start..end {
            let (Some(old), Some(new)) = (before.get(at), after.get(at)) else { break };
            if old == new {
                push(' ', old);
            } else {
                push('-', old);
                push('+', new);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_hunks_with_context() {
        let before: String = (1..=20).map(|line| format!("{line}\n")).collect();
        let before = before.trim_end();
        let after = before.replace("\n2\n", "\ntwo\n").replace("\n5\n", "\nfive\n").replace("\n20", "\ntwenty");
        let expected = "--- a.yaml\n+++ a.yaml\n@@ -1,8 +1,8 @@\n 1\n-2\n+two\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -17,4 +17,4 @@\n 17\n 18\n 19\n-20\n\
                        \\ No newline at end of file\n+twenty\n\\ No newline at end of file\n";
        assert_eq!(diff("a.yaml", before, &after), expected);
    }

    #[test]
    fn a_file_is_replaced_only_as_it_was_read_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("a.yaml"), directory.path().join("link.yaml"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(replace(&file, "other", "new").unwrap_err().to_string().contains("has changed"));
        assert!(replace(&file, "ol", "new").unwrap_err().to_string().contains("has changed"));
        replace(&link, "old", "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(
            (std::fs::read_to_string(&file).unwrap().as_str(), file.metadata().unwrap().permissions().mode() & 0o777),
            ("new", 0o640)
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(replace(&file, "new", "newer").unwrap_err().to_string().contains("read-only"));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
