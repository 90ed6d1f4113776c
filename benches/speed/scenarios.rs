//! What is measured, and against which limit.

use std::process::ExitCode;
use std::time::Duration;

use super::content::Form;
use super::measure::Usage;
use super::replay::By;
use super::stage::{self, Plan, Requests, Stage};

/// One line of the result.
struct Row {
    what: String,
    measured: String,
    limit: String,
    met: bool,
}

impl Row {
    fn new(what: impl Into<String>, measured: impl Into<String>, limit: impl Into<String>, met: bool) -> Self {
        Self { what: what.into(), measured: measured.into(), limit: limit.into(), met }
    }

    fn duration(what: impl Into<String>, measured: Duration, limit: Duration) -> Self {
        Self::new(what, seconds(measured), format!("≤ {}", seconds(limit)), measured <= limit)
    }

    fn memory(what: impl Into<String>, peak: u64, limit_mb: f64) -> Self {
        let mb = megabytes(peak);
        Self::new(what, format!("{mb:.1} MB"), format!("≤ {limit_mb} MB"), mb <= limit_mb)
    }

    /// Something to compare with, that has no limit.
    fn beside(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self::new(what, measured, "–", true)
    }
}

fn seconds(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{:.1} ms", duration.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Rows, or why nothing could be measured.
type Measured = Result<Vec<Row>, String>;

type Scenario = (&'static str, fn() -> Measured);

const SCENARIOS: [Scenario; 10] = [
    ("requests", requests),
    ("throughput", throughput),
    ("signed", signed),
    ("attested", attested),
    ("bundles", bundles),
    ("cpu", cpu),
    ("latency", latency),
    ("memory", memory),
    ("start", start),
    ("size", size),
];

/// Runs the scenarios whose names are given, or all; prints a table for the README.
pub fn run(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| !SCENARIOS.iter().any(|(known, _)| known == *name)) {
        eprintln!("no scenario is called {unknown:?}; there are: {}", SCENARIOS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    println!("Measured on {}.\n\n| what | measured | limit | |\n|---|---|---|---|", machine());
    let mut missed = 0;
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        for row in scenario().unwrap_or_else(|problem| vec![Row::new(*name, format!("not measured: {problem}"), "", false)]) {
            let verdict = if row.met { "" } else { "missed" };
            println!("| {} | {} | {} | {verdict} |", row.what, row.measured, row.limit);
            missed += u32::from(!row.met);
        }
    }
    if missed > 0 {
        eprintln!("\nlimits that are missed: {missed}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn machine() -> String {
    let read = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().find(|line| line.starts_with(key)).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = read("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = read("/proc/meminfo", "MemTotal").and_then(|kb| kb.trim_end_matches(" kB").parse::<u64>().ok());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = memory.map_or_else(String::new, |kb| format!(", {} GB", kb.div_ceil(1 << 20)));
    format!("{model}, {cores} cores{memory}, {} {}", std::env::consts::OS, kernel.trim())
}

const fn plan(pods: usize, images: usize) -> Plan {
    Plan { pods, images, replicas: 10, form: Form::Tag, pieces: 1, padding: 0, delay_ms: 0 }
}

/// A run that ended well and really asked for every image; anything else measures nothing.
fn checked(stage: &Stage, images: usize, cache: bool) -> Result<(Usage, Requests), String> {
    let (usage, requests) = stage.scan(cache);
    let usage = succeeded("the scan", usage)?;
    let asked = |number: &usize| {
        let part = format!("/v2/{}/", super::content::repository(*number));
        requests.registry.iter().any(|line| line.contains(&part))
    };
    match (0..images).filter(asked).count() {
        asked if asked == images => Ok((usage, requests)),
        asked => Err(format!("the scan asked for {asked} of {images} images")),
    }
}

fn succeeded(what: &str, usage: Usage) -> Result<Usage, String> {
    match usage.exit {
        Some(0) => Ok(usage),
        Some(code) => Err(format!("{what} ended with exit code {code}")),
        None => Err(format!("{what} was ended by a signal")),
    }
}

/// Counted, not timed.
fn requests() -> Measured {
    const IMAGES: usize = 100;
    const FURTHER: usize = 4;
    let mut rows = Vec::new();
    for (form, name) in [(Form::Tag, "one `.sig`"), (Form::Bundle, "one bundle")] {
        let stage = Stage::new(&Plan { form, ..plan(IMAGES, IMAGES) });
        let (_, cold) = checked(&stage, IMAGES, false)?;
        let count = asked(&cold);
        rows.push(Row::new(format!("requests for an image with {name}, cold"), per(count, IMAGES), "≤ 6", count <= 6 * IMAGES));
        // The first run fills the cache, the second uses it.
        checked(&stage, IMAGES, true)?;
        let (_, warm) = checked(&stage, IMAGES, true)?;
        let blobs = warm.registry.iter().filter(|line| line.contains("/blobs/")).count();
        rows.push(Row::new(format!("blobs downloaded with {name}, warm"), blobs.to_string(), "0", blobs == 0));
        rows.push(Row::beside(format!("requests for an image with {name}, warm"), per(warm.registry.len(), IMAGES)));
        let more = Stage::new(&Plan { form, pieces: 1 + FURTHER, ..plan(IMAGES, IMAGES) });
        let further = asked(&checked(&more, IMAGES, false)?.1) - count;
        let what = format!("requests for each of {FURTHER} pieces of evidence more, beside {name}");
        rows.push(Row::new(what, per(further, FURTHER * IMAGES), "≤ 2", further <= 2 * FURTHER * IMAGES));
    }
    Ok(rows)
}

/// Requests to the registry, without the first one that asks how to log in.
fn asked(requests: &Requests) -> usize {
    requests.registry.iter().filter(|line| !line.contains("\t/v2/\t")).count()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn per(count: usize, images: usize) -> String {
    format!("{:.2}", count as f64 / images as f64)
}

/// Against what a plain load generator needs for the same requests, with a real registry: the best of five each, in turn.
fn throughput() -> Measured {
    let plan = plan(10_000, 1_000);
    let Some(stage) = Stage::with_real_registry(&plan) else {
        return Err("docker-registry is not installed".to_owned());
    };
    let mut rows = beside_generator(&stage, "a real registry")?;
    // The scripted one costs next to nothing: what is left is the program's own.
    let own = beside_generator(&Stage::new(&plan), "a scripted registry")?;
    rows.extend(own.into_iter().map(|row| Row { limit: "–".to_owned(), met: true, ..row }));
    Ok(rows)
}

fn beside_generator(stage: &Stage, registry: &str) -> Measured {
    let mut ours = Duration::MAX;
    let mut sockets = Duration::MAX;
    let mut library = Duration::MAX;
    let mut count = 0;
    for _ in 0..5 {
        let (usage, requests) = checked(stage, 1_000, false)?;
        ours = ours.min(usage.wall);
        count = requests.api.len() + requests.registry.len();
        let plain = |by| succeeded("the load generator", stage.replay(by, &requests)).map(|usage| usage.wall);
        sockets = sockets.min(plain(By::Sockets)?);
        library = library.min(plain(By::Library)?);
    }
    let ratio = |other: Duration| ours.as_secs_f64() / other.as_secs_f64();
    Ok(vec![
        Row::beside(format!("10,000 pods, 1,000 images, {registry}: the scan"), seconds(ours)),
        Row::beside(format!("… its {count} requests by a plain load generator over sockets"), seconds(sockets)),
        Row::beside("… by a plain load generator over the HTTP library of the scan", seconds(library)),
        Row::new("… ratio of the scan to the first", format!("{:.2}", ratio(sockets)), "≤ 1.5", ratio(sockets) <= 1.5),
        Row::beside("… ratio of the scan to the second", format!("{:.2}", ratio(library))),
    ])
}

/// Every image verified by a key: against a plain load generator, against itself with a warm cache, and beside cosign.
fn signed() -> Measured {
    const IMAGES: usize = 1_000;
    const BESIDE: usize = 100;
    let Some(stage) = Stage::with_real_registry(&plan(IMAGES, IMAGES)) else {
        return Err("docker-registry is not installed".to_owned());
    };
    let (mut cold, mut warm, mut sockets) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let mut count = 0;
    for _ in 0..3 {
        let (usage, requests) = verified(&stage, false)?;
        cold = cold.min(usage.wall);
        count = requests.api.len() + requests.registry.len();
        sockets = sockets.min(succeeded("the load generator", stage.replay(By::Sockets, &requests))?.wall);
    }
    // The first run fills the cache.
    verified(&stage, true)?;
    for _ in 0..3 {
        warm = warm.min(verified(&stage, true)?.0.wall);
    }
    let ratio = cold.as_secs_f64() / sockets.as_secs_f64();
    let again = warm.as_secs_f64() / cold.as_secs_f64();
    let mut rows = vec![
        Row::beside(format!("C-0236, {IMAGES} images signed by a key, a real registry, cold"), seconds(cold)),
        Row::beside(format!("… its {count} requests by a plain load generator over sockets"), seconds(sockets)),
        Row::new("… ratio of the scan to it", format!("{ratio:.2}"), "≤ 1.5", ratio <= 1.5),
        Row::new(
            "… a second scan, warm, answers up to an hour old",
            format!("{} ({:.0} %)", seconds(warm), again * 100.0),
            "≤ 5 %",
            again <= 0.05,
        ),
    ];
    let cosign = stage.cosign_verify(BESIDE)?.map_or_else(|| "cosign is not installed".to_owned(), |usage| seconds(usage.wall));
    rows.push(Row::beside(format!("`cosign verify` of {BESIDE} of them by `xargs -P2`"), cosign));
    Ok(rows)
}

/// The default framework over images with a signature and four attestations each, against a plain load generator.
fn attested() -> Measured {
    const IMAGES: usize = 1_000;
    let plan = Plan { form: Form::Attested, ..plan(IMAGES, IMAGES) };
    let Some(stage) = Stage::with_real_registry(&plan) else {
        return Err("docker-registry is not installed".to_owned());
    };
    let (mut ours, mut sockets, mut cpu, mut peak) = (Duration::MAX, Duration::MAX, Duration::MAX, u64::MAX);
    let mut count = 0;
    for _ in 0..3 {
        let (usage, requests) = stage.judge();
        let usage = succeeded("the scan by the default framework", usage)?;
        (ours, cpu, peak) = (ours.min(usage.wall), cpu.min(usage.cpu), peak.min(usage.peak));
        count = requests.api.len() + requests.registry.len();
        let bills = requests.registry.iter().filter(|line| line.contains("/blobs/")).count();
        if bills < 3 * IMAGES {
            return Err(format!("{bills} blobs were read, which is not a signature, provenance and a bill of {IMAGES} images"));
        }
        sockets = sockets.min(succeeded("the load generator", stage.replay(By::Sockets, &requests))?.wall);
    }
    let ratio = ours.as_secs_f64() / sockets.as_secs_f64();
    Ok(vec![
        Row::beside(format!("the default framework, {IMAGES} images with a signature and 4 attestations, a real registry"), seconds(ours)),
        Row::beside(format!("… its {count} requests by a plain load generator over sockets"), seconds(sockets)),
        Row::new("… ratio of the scan to it", format!("{ratio:.2}"), "≤ 1.5", ratio <= 1.5),
        Row::beside("… processor time", seconds(cpu)),
        Row::beside("… peak memory", format!("{:.1} MB", megabytes(peak))),
    ])
}

/// Memory where every image has a bundle: of a signature alone, of the size of a keyless one, and of an attestation that is larger.
fn bundles() -> Measured {
    let mut rows = Vec::new();
    for (padding, what) in [(0, "1 kB"), (5_000, "8 kB"), (20_000, "28 kB")] {
        let stage = Stage::new(&Plan { form: Form::Bundle, padding, ..plan(10_000, 10_000) });
        let (usage, _) = verified(&stage, false)?;
        rows.push(Row::memory(format!("peak memory, 10,000 images with a bundle of {what} each, verified"), usage.peak, 150.0));
    }
    Ok(rows)
}

fn verified(stage: &Stage, cache: bool) -> Result<(Usage, Requests), String> {
    let (usage, requests) = stage.verify(cache);
    Ok((succeeded("the verifying scan", usage)?, requests))
}

fn cpu() -> Measured {
    let stage = Stage::new(&plan(1_000, 1_000));
    let mut least = Duration::MAX;
    for _ in 0..3 {
        least = least.min(checked(&stage, 1_000, false)?.0.cpu);
    }
    Ok(vec![Row::duration("processor time, C-0237, 1,000 images", least, Duration::from_millis(600))])
}

/// With 100 ms added to every answer of the registry.
fn latency() -> Measured {
    const ONE_BY_ONE: usize = 20;
    let mut rows = Vec::new();
    for (images, limit) in [(100, 800), (1_000, 4_000)] {
        let stage = Stage::new(&Plan { delay_ms: 100, ..plan(images, images) });
        let (usage, _) = checked(&stage, images, false)?;
        rows.push(Row::duration(format!("{images} images, 100 ms added to every answer"), usage.wall, Duration::from_millis(limit)));
        if images == 100 {
            let beside = stage.cosign_tree(ONE_BY_ONE)?.map_or_else(|| "cosign is not installed".to_owned(), seconds);
            rows.push(Row::beside(format!("`cosign tree`, the same registry, {ONE_BY_ONE} images one after another"), beside));
        }
    }
    Ok(rows)
}

fn memory() -> Measured {
    let sizes = [
        (1_000, 100, 10, 30.0),
        (1_000, 1_000, 10, 30.0),
        (10_000, 1_000, 10, 80.0),
        (150_000, 1_000, 10, 250.0),
        (150_000, 1_000, 1, 250.0),
    ];
    let mut rows = Vec::new();
    let mut peaks = Vec::new();
    for (pods, images, replicas, limit) in sizes {
        let (usage, _) = checked(&Stage::new(&Plan { replicas, ..plan(pods, images) }), images, false)?;
        let each = if replicas == 1 { ", each a workload of its own" } else { "" };
        rows.push(Row::memory(format!("peak memory, {pods} pods of {images} images{each}"), usage.peak, limit));
        peaks.push(usage.peak);
    }
    let growth = (peaks[3].saturating_sub(peaks[2])) / (150_000 - 10_000);
    rows.push(Row::new("growth for each further pod", format!("{growth} B"), "≤ 1500 B", growth <= 1_500));
    Ok(rows)
}

fn start() -> Measured {
    let home = tempfile::tempdir().unwrap();
    let run = || succeeded("controls list", stage::measured(home.path(), &stage::seaworthy(), &["controls", "list"]));
    let mut walls = (0..21).map(|_| run().map(|usage| usage.wall)).collect::<Result<Vec<Duration>, String>>()?;
    walls.sort();
    Ok(vec![Row::duration("`controls list`, median of 21", walls[10], Duration::from_millis(20))])
}

fn size() -> Measured {
    let binary = std::fs::metadata(stage::seaworthy()).map_err(|error| error.to_string())?;
    Ok(vec![Row::memory("size of the binary", binary.len(), 25.0)])
}
