//! What runs and from where.

use seaworthy::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, Inventory, InventoryCounts, Labels, Origin, Pattern,
    RunningImage, Scope, Workload,
};
use seaworthy::report::{Appearance, images};

use super::sample::{digest, key, pods};

fn workload(name: &str, containers: &[(&str, RunningImage, Basis)]) -> Workload {
    let container = |(at, (reference, running, basis)): (usize, &(&str, RunningImage, Basis))| Container {
        name: format!("c{at}").into(),
        kind: ContainerKind::Container,
        path: format!("spec.template.spec.containers[{at}].image").into(),
        position: None,
        declared_in: DeclaredIn::Template,
        pull_policy: None,
        images: vec![ContainerImage {
            reference: (*reference).into(),
            running: running.clone(),
            basis: *basis,
            reported_repository: None,
            pull_secrets: Vec::new(),
            pull_policy: None,
            started: None,
            pods: pods(&["pod-1"]),
        }],
    };
    Workload {
        key: key("apps/v1", "Deployment", "shop", name),
        labels: Labels::default(),
        annotations: Labels::default(),
        origin: Origin::Cluster,
        containers: containers.iter().enumerate().map(container).collect(),
        pods: 1,
    }
}

fn inventory() -> Inventory {
    let running = |seed: u8| RunningImage::Manifest(digest(seed));
    Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: "2026-07-01T12:00:00Z".parse().unwrap(),
        workloads: vec![
            workload("api", &[("ghcr.io/acme/api:1.2", running(1), Basis::Running), ("nginx", running(2), Basis::Running)]),
            workload("bad", &[("=cmd|'/C calc'!A0", RunningImage::Unreported, Basis::Declared(DeclaredBecause::NotStarted))]),
            workload("cache", &[("redis:7", RunningImage::Unqualified(digest(3)), Basis::Running)]),
            workload("idle", &[("ghcr.io/acme/idle:9", RunningImage::Unreported, Basis::Declared(DeclaredBecause::NoPods))]),
            workload("old", &[("nginx", running(2), Basis::Running), ("ghcr.io/acme/once:1", running(4), Basis::Finished)]),
            workload("web", &[("nginx", running(2), Basis::Running)]),
            workload("zz-last", &[("nginx", running(2), Basis::Running)]),
        ],
        not_judged: Vec::new(),
        gaps: Vec::new(),
        counts: InventoryCounts::default(),
    }
}

fn rendered(format: images::Format) -> String {
    let public: Vec<Pattern> = vec!["docker.io".parse().unwrap(), "quay.io".parse().unwrap()];
    let mut bytes = Vec::new();
    images::render(&inventory(), &public, format, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_list_names_every_image_once_with_who_runs_it() {
    for width in [80, 140] {
        insta::assert_snapshot!(format!("images_{width}"), rendered(images::Format::Table(Appearance { color: false, width })));
    }
}

#[test]
fn programs_get_the_whole_list() {
    let value: serde_json::Value = serde_json::from_str(&rendered(images::Format::Json)).unwrap();
    let schema = images::schema();
    let mut wrong = Vec::new();
    super::programs::check(&schema, &schema, &value, "$", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    insta::assert_json_snapshot!("images_json", value);
}

#[test]
fn spreadsheets_get_a_list_that_runs_nothing() {
    let text = rendered(images::Format::Csv);
    insta::assert_snapshot!("images_csv", text.replace('\r', "␍"));
    assert!(text.lines().all(|line| !line.contains(",=")), "{text}");
}
