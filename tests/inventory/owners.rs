//! Who answers for a workload: by label, annotation or namespace of its top.

use seaworthy::model::{OwnerSource, Scope};

use super::*;

fn marked(mut object: Value, label: Option<&str>, annotation: Option<&str>) -> Value {
    if let Some(team) = label {
        object["metadata"]["labels"]["team"] = json!(team);
    }
    if let Some(owner) = annotation {
        object["metadata"]["annotations"] = json!({
            "a8r.io/owner": owner,
            "kubectl.kubernetes.io/last-applied-configuration": "{\"a8r.io/owner\": \"nobody\"}",
            "acme.example/other": "x".repeat(1000),
        });
    }
    object
}

fn objects() -> Vec<Value> {
    let web = [("web", "ghcr.io/acme/web:1")];
    vec![
        marked(deployment("by-label", &web), Some("team-a"), Some("team-b")),
        marked(deployment("by-annotation", &web), None, Some("team-b")),
        deployment("by-namespace", &web),
        marked(pod("bare", Value::Null, &[("web", "ghcr.io/acme/web:1", "")]), None, Some("team-b")),
        // What a pod says of its owner does not count where a controller owns it.
        replica_set("set", owner("apps/v1", "Deployment", "by-label"), &web),
        marked(pod("of-set", owner("apps/v1", "ReplicaSet", "set"), &[("web", "ghcr.io/acme/web:1", "")]), Some("team-z"), None),
    ]
}

fn owners(inventory: &Inventory) -> Vec<String> {
    let told = |workload: &Workload| {
        let owner = inventory.scope.owner(&workload.key, &workload.labels, &workload.annotations);
        format!("{} {}", workload.key.name, owner.as_deref().unwrap_or("–"))
    };
    inventory.workloads.iter().map(told).collect()
}

#[tokio::test]
async fn the_top_says_who_answers() {
    let inventory = inventory(objects()).await;
    assert_eq!(owners(&inventory), ["by-annotation team-b", "by-label team-a", "by-namespace prod", "bare team-b"]);
    let kept: Vec<_> = inventory.workloads.iter().flat_map(|workload| workload.annotations.iter()).collect();
    assert_eq!(kept, [("a8r.io/owner", "team-b"); 3], "no other annotation is kept");
}

#[tokio::test]
async fn only_what_is_owned_is_listed() {
    let asked = |owners: &[&str], from: &[&str]| Scope {
        owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
        owner_from: from.iter().map(|source| source.parse::<OwnerSource>().unwrap()).collect(),
        ..Scope::default()
    };
    for (scope, expected) in [
        (asked(&["team-b"], &[]), vec!["prod/Deployment/by-annotation", "prod/Pod/bare"]),
        (asked(&["team-a", "prod"], &[]), vec!["prod/Deployment/by-label", "prod/Deployment/by-namespace"]),
        (
            asked(&["team-b"], &["annotation:a8r.io/owner"]),
            vec!["prod/Deployment/by-annotation", "prod/Deployment/by-label", "prod/Pod/bare"],
        ),
        (asked(&["nobody"], &[]), vec![]),
    ] {
        let inventory = listing_with(Script::with(objects()), &scope, &options()).await.0.inventory;
        assert_eq!(names(&inventory), expected, "{scope:?}");
        assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
    }
}

#[tokio::test]
async fn an_annotation_that_a_snapshot_does_not_have_is_a_gap() {
    let inventory = inventory(objects()).await;
    let scope = Scope { owner_from: vec!["annotation:acme.example/owner".parse().unwrap()], ..Scope::default() };
    let narrowed = seaworthy::inventory::narrow(inventory, &scope).unwrap();
    let gap = gap(&narrowed, "annotation acme.example/owner of workloads");
    assert!(!gap.workloads_missing && gap.cause == Cause::NotCaptured, "{gap:?}");
}
