//! `images`.

use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{ColorChoice, Images, ImagesFormat};
use super::exit::Exit;
use super::output::{Target, probe, write};
use super::{signals, terminal};
use crate::controls::Library;
use crate::model::{Inventory, Pattern};
use crate::report::images::{Format, render};

/// The control whose parameter says what is public.
const PUBLIC: (&str, &str) = ("SW-0004", "public");

/// Runs `images`.
pub(super) async fn run(arguments: Images) -> anyhow::Result<Exit> {
    let target = arguments.output.clone().map_or(Target::Stdout, Target::File);
    probe(&target)?;
    let scope = acquire::scope(&arguments.scope, None);
    let stop = signals::watch(None)?;
    let inventory: Inventory = match &arguments.snapshot {
        Some(path) => crate::inventory::narrow(crate::snapshot::read(path)?.inventory().clone(), &scope)?,
        None => {
            let from = if arguments.paths.is_empty() { From::Cluster } else { From::Manifests(arguments.paths.clone()) };
            let progress = super::progress::Progress::new();
            let on_event = |event| progress.show(&event);
            let listing = acquire::acquire(&from, &scope, &arguments.cluster, Timestamp::now(), &stop, &on_event).await;
            progress.clear();
            listing?.inventory
        }
    };
    let public = public_registries()?;
    let format = match arguments.format {
        ImagesFormat::Table => {
            Format::Table(terminal::appearance(if target == Target::Stdout { ColorChoice::Auto } else { ColorChoice::Never }))
        }
        ImagesFormat::Json => Format::Json,
        ImagesFormat::Csv => Format::Csv,
    };
    write(&target, |mut out| render(&inventory, &public, format, &mut out))?;
    let incomplete = inventory.gaps.iter().any(|gap| gap.workloads_missing);
    let complete = if incomplete { Exit::Unknown } else { Exit::Success };
    Ok(stop.borrow().map_or(complete, Exit::from))
}

/// What counts as public: the default of the control that asks for a proxy in front of it.
fn public_registries() -> anyhow::Result<Vec<Pattern>> {
    let library = Library::embedded()?;
    let spec = library.control(PUBLIC.0)?.params.get(PUBLIC.1);
    let texts = spec.and_then(|spec| spec.default.clone()).unwrap_or_default();
    texts.iter().map(|text| text.parse().map_err(|error| anyhow::anyhow!("{text}: {error}"))).collect()
}
