//! Reading what users write from disk, and choosing controls.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};

use super::arguments::ControlOptions;
use super::trust::Source;
use crate::controls::{Configuration, Library, consults_builders};
use crate::documents::{Control, Document, Framework, NamedTrustPolicy, parse};
use crate::model::{Digest, DocumentDigest};
use crate::policy::PolicyOrigin;

/// Used where nothing else is asked for.
pub(super) const DEFAULT_FRAMEWORK: &str = "supply-chain";
/// Longest document that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Directories beside controls that hold what belongs to them.
const BESIDE: [&str; 2] = ["builders", "frameworks"];

/// Every document of the given files and directories (not below them), as name and text, sorted.
pub(super) fn read_files(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    read_below(paths, &BESIDE)
}

/// The same with the tests of controls.
pub(super) fn read_files_and_tests(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    read_below(paths, &[BESIDE.as_slice(), &["tests"]].concat())
}

fn read_below(paths: &[PathBuf], beside: &[&str]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if !metadata.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let inside = beside.iter().map(|name| path.join(name));
        for directory in std::iter::once(path.clone()).chain(inside).filter(|directory| directory.is_dir()) {
            for entry in std::fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
                let file = entry?.path();
                if file.is_file()
                    && file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
                {
                    files.push(file);
                }
            }
        }
        anyhow::ensure!(files.len() > before, "there is no .yaml, .yml or .json file in {}", path.display());
    }
    files.sort();
    files.into_iter().map(|file| Ok((file.display().to_string(), read_text(&file)?))).collect()
}

/// The text of a file that a user wrote.
pub(super) fn read_text(file: &Path) -> anyhow::Result<String> {
    let bytes = read_file(file)?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("cannot read {}: it is not UTF-8", file.display()))
}

/// Its bytes: of a key, what is no text can still be told as what it is.
pub(super) fn read_file(file: &Path) -> anyhow::Result<Vec<u8>> {
    read_bytes(file, LONGEST).with_context(|| format!("cannot read {}", file.display()))
}

/// At most `limit` bytes of what the user named. It may be a pipe, whose size nobody knows before it ends.
pub(super) fn read_bytes(file: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The controls and frameworks that the options choose from.
pub(super) fn load(options: &ControlOptions) -> anyhow::Result<Library> {
    if options.only.is_empty() {
        Ok(Library::embedded()?.with(&read_files(&options.add)?)?)
    } else {
        Ok(Library::default().with(&read_files(&options.only)?)?)
    }
}

/// The same for a scan, which needs what it judges by alone.
pub(super) fn load_for(options: &ControlOptions, controls: &[String], frameworks: &[String], levels: bool) -> anyhow::Result<Library> {
    let default = [DEFAULT_FRAMEWORK.to_owned()];
    let frameworks = if controls.is_empty() && frameworks.is_empty() { &default } else { frameworks };
    let plain = options.add.is_empty() && options.only.is_empty() && options.parameters.is_none() && options.controls_config.is_none();
    match if plain { Library::embedded_for(controls, frameworks, levels)? } else { None } {
        Some(library) => Ok(library),
        // Others may be named, or be the nearest to a name.
        None => load(options),
    }
}

/// What the user asked to judge by.
pub(super) struct Chosen<'a> {
    pub(super) controls: Vec<&'a Control>,
    pub(super) frameworks: Vec<&'a Framework>,
}

/// Chooses controls and frameworks by identifier; where neither is named, the default framework, or all there is.
pub(super) fn choose<'a>(library: &'a Library, controls: &[String], frameworks: &[String]) -> anyhow::Result<Chosen<'a>> {
    let mut chosen = Chosen { controls: Vec::new(), frameworks: Vec::new() };
    for id in controls {
        chosen.controls.push(library.control(id)?);
    }
    for id in frameworks {
        chosen.frameworks.push(library.framework(id)?);
    }
    if controls.is_empty() && frameworks.is_empty() {
        match library.framework(DEFAULT_FRAMEWORK) {
            Ok(framework) => chosen.frameworks.push(framework),
            Err(_) => chosen.controls.extend(library.controls()),
        }
    }
    // A milestone is reached only with all before it.
    let last = chosen.frameworks.iter().filter_map(|framework| framework.milestone).max();
    let before = library.frameworks().filter(|framework| framework.milestone.is_some_and(|order| last.is_some_and(|last| order < last)));
    chosen.frameworks.extend(before);
    chosen.frameworks.sort_by(|one, other| (one.milestone, &one.id).cmp(&(other.milestone, &other.id)));
    chosen.frameworks.dedup_by(|one, other| one.id == other.id);
    for framework in &chosen.frameworks {
        for id in &framework.controls {
            chosen.controls.push(library.control(id)?);
        }
    }
    chosen.controls.sort_by(|one, other| one.id.cmp(&other.id));
    chosen.controls.dedup_by(|one, other| one.id == other.id);
    anyhow::ensure!(!chosen.controls.is_empty(), "there is no control to judge by");
    Ok(chosen)
}

/// The parameters that the options set, and digests of the documents that went into it; `levels` where those of builds are told though no
/// control asks for them.
pub(super) fn configure(
    options: &ControlOptions,
    library: &Library,
    chosen: &Chosen<'_>,
    levels: bool,
) -> anyhow::Result<(Configuration, Vec<DocumentDigest>)> {
    let mut configuration = Configuration::default();
    let mut documents = Vec::new();
    for (kind, ids) in [
        ("Control", chosen.controls.iter().map(|control| &control.id).collect::<Vec<_>>()),
        ("Framework", chosen.frameworks.iter().map(|framework| &framework.id).collect()),
    ] {
        documents.extend(ids.into_iter().filter_map(|id| library.source(id).map(|(_, text)| document(kind, id, text))));
    }
    if levels || chosen.controls.iter().any(|control| consults_builders(control)) {
        documents.extend(library.builders().map(|builders| document("BuilderTrust", builders.name, builders.text)));
    }
    for framework in &chosen.frameworks {
        configuration.set_framework(&framework.parameters);
    }
    if let Some(file) = &options.controls_config {
        let text = read_text(file)?;
        configuration.set_kubescape(&file.display().to_string(), &text)?;
        documents.push(document("controls-config", "controls-config", &text));
    }
    if let Some(file) = &options.parameters {
        let text = read_text(file)?;
        match parse(&file.display().to_string(), &text)?.as_slice() {
            [Document::Parameters(parameters)] => configuration.set_own(parameters.clone()),
            _ => anyhow::bail!("{} does not hold exactly one document of kind Parameters", file.display()),
        }
        documents.push(document("Parameters", "parameters", &text));
    }
    configuration.check(library)?;
    let unread = configuration.unread(library);
    if !unread.is_empty() {
        super::note(&format!("note: the controls-config sets what no control here reads: {}", unread.join(", ")));
    }
    documents.sort();
    Ok((configuration, documents))
}

/// The trust policies of files, and digests of those.
pub(super) fn trust_policies(files: &[PathBuf]) -> anyhow::Result<(Vec<Source>, Vec<DocumentDigest>)> {
    let mut sources: Vec<Source> = Vec::new();
    let mut documents = Vec::new();
    for file in files {
        let text = read_text(file)?;
        let name = file.display().to_string();
        let directory = file.parent().map(Path::to_owned).unwrap_or_default();
        let parsed = parse(&name, &text)?;
        anyhow::ensure!(!parsed.is_empty(), "{name} holds no trust policy");
        for parsed in parsed {
            let Document::TrustPolicy(NamedTrustPolicy { name, policy }) = parsed else {
                anyhow::bail!("{} holds something else than a TrustPolicy", file.display());
            };
            anyhow::ensure!(
                sources.iter().all(|known| known.name != name),
                "two trust policies are named {name}: a name tells which one a rule is of"
            );
            sources.push(Source { name, policy, directory: directory.clone(), origin: PolicyOrigin::Document });
        }
        documents.push(document("TrustPolicy", &name, &text));
    }
    Ok((sources, documents))
}

/// The digest of a document that went into it.
pub(super) fn document(kind: &str, name: &str, text: &str) -> DocumentDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    DocumentDigest { kind: kind.to_owned(), name: name.to_owned(), digest: Digest::from_sha256(bytes) }
}
