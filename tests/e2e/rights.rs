//! Rights: the printed roles are enough, not more is asked than they give, and what may not be read is named.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::{Audited, Cluster};
use super::judged::{Report, judged};
use super::manifests::object;
use super::process::{Ended, wait};
use super::standing::{PRIVATE, SIGNED, Standing, UNSIGNED, standing};

/// Prints rights and applies them.
fn grant(standing: &Standing, scope: &[&str]) -> Vec<Value> {
    let arguments: Vec<_> = ["rbac", "print", "--scope"].iter().chain(scope).map(|&word| word.to_owned()).collect();
    let printed = standing.stack.run_seaworthy(&arguments);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let objects: Vec<Value> = serde_saphyr::from_multiple(&printed.stdout).unwrap();
    for object in &objects {
        standing.stack.cluster.apply(object);
    }
    objects
}

/// Waits until the API server has taken note of a right, or of its end.
fn effective(cluster: &Cluster, user: &str, attributes: Value, wanted: bool) {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": ["system:serviceaccounts", "system:authenticated"], "resourceAttributes": attributes},
    });
    wait(&format!("{user} to have {attributes}: {wanted}"), || {
        let answer = cluster.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review);
        (answer["status"]["allowed"] == wanted).then_some(())
    });
}

/// One scan with the token of a service account.
struct Audit {
    ended: Ended,
    report: Report,
    requests: Vec<Audited>,
}

/// Scans as an account, and takes from the audit log what was asked of the API server meanwhile.
fn scan_as(standing: &Standing, namespace: &str, name: &str, options: &[&str]) -> Audit {
    let (stack, user) = (standing.stack, format!("system:serviceaccount:{namespace}:{name}"));
    let before = stack.cluster.audited(&user).len();
    let file = format!("{namespace}-{name}-{before}.json");
    let kubeconfig = stack.cluster.account(namespace, name, &format!("{namespace}-{name}"));
    let mut arguments: Vec<String> = ["scan", "control", "C-0237", "--no-cache", "--registry-timeout", "1s"].map(str::to_owned).into();
    arguments.extend(["--kubeconfig".to_owned(), kubeconfig.display().to_string(), "-f".to_owned(), format!("json={file}")]);
    arguments.extend(options.iter().map(|&option| option.to_owned()));
    arguments.extend(stack.registry_options());
    let ended = stack.run_seaworthy(&arguments);
    let path = stack.run.join(file);
    assert!(path.exists(), "{ended:?}");
    let requests = stack.cluster.audited(&user).split_off(before);
    assert!(requests.len() > 5, "the audit log knows nothing of {user}");
    Audit { ended, report: Report::read(&path), requests }
}

impl Audit {
    /// Requests that were refused.
    fn refused(&self) -> Vec<&Audited> {
        self.requests.iter().filter(|request| request.status == 403).collect()
    }

    fn lists_no_secret(&self) {
        let secrets: Vec<_> = self.requests.iter().filter(|request| request.request.contains("/secrets")).collect();
        assert!(secrets.iter().all(|request| request.verb == "get"), "{secrets:?}");
        assert!(self.requests.iter().all(|request| matches!(request.verb.as_str(), "get" | "list" | "create")), "{:?}", self.requests);
        let created: BTreeSet<_> =
            self.requests.iter().filter(|request| request.verb == "create").map(|request| request.request.as_str()).collect();
        assert!(
            created.iter().all(|path| path.starts_with("/apis/authentication.k8s.io/") || path.starts_with("/apis/authorization.k8s.io/")),
            "{created:?}"
        );
    }

    /// Each workload in these namespaces (none given: in all) with what is said of it.
    fn verdicts(&self, namespaces: &[&str]) -> BTreeSet<(String, String)> {
        verdicts(&self.report, namespaces)
    }
}

fn verdicts(report: &Report, namespaces: &[&str]) -> BTreeSet<(String, String)> {
    let workloads = report.workloads().into_iter();
    let chosen =
        workloads.filter(|name| namespaces.is_empty() || namespaces.iter().any(|namespace| name.starts_with(&format!("{namespace}/"))));
    chosen.map(|name| (report.finding("C-0237", &name).unwrap()["status"].as_str().unwrap().to_owned(), name)).collect()
}

/// Verb and resource of each rule that was printed.
fn granted(objects: &[Value]) -> BTreeSet<(String, String)> {
    let words = |value: &Value| value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let rules = objects.iter().filter_map(|object| object["rules"].as_array()).flatten();
    rules
        .flat_map(|rule| {
            words(&rule["resources"])
                .into_iter()
                .flat_map(move |resource| words(&rule["verbs"]).into_iter().map(move |verb| (verb, resource.clone())))
        })
        .collect()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_printed_rights_for_a_cluster_are_enough_and_none_is_refused() {
    let standing = standing();
    let (cluster, everything) = (&standing.stack.cluster, judged());
    let user = "system:serviceaccount:seaworthy:seaworthy";
    let objects = grant(standing, &["cluster"]);
    effective(cluster, user, json!({"verb": "list", "resource": "pods"}), true);
    let audit = scan_as(standing, "seaworthy", "seaworthy", &[]);
    audit.lists_no_secret();
    // Custom kinds are whoever's: the printed text says which right to add.
    let other: Vec<_> = audit.refused().into_iter().filter(|request| !request.request.starts_with("/apis/example.test/")).collect();
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(audit.verdicts(&[]), verdicts(&everything.report, &[]));
    assert_eq!(audit.ended.code, everything.ended.code);
    let unused: Vec<_> = granted(&objects)
        .into_iter()
        .filter(|(verb, resource)| {
            !audit.requests.iter().any(|request| request.verb == *verb && request.request.split(['/', '?']).any(|part| part == resource))
        })
        .collect();
    println!("not used by this scan: {unused:?}");

    // Without a right on Secrets, what needs one is unknown and all else is as it was.
    for kind in ["clusterroles", "clusterrolebindings"] {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/{kind}/seaworthy");
        assert!(cluster.attempt(http::Method::DELETE, &path, &json!({})));
    }
    effective(cluster, user, json!({"verb": "list", "resource": "pods"}), false);
    let objects = grant(standing, &["no-secrets"]);
    assert!(granted(&objects).iter().all(|(_, resource)| resource != "secrets" && resource != "serviceaccounts"));
    effective(cluster, user, json!({"verb": "list", "resource": "pods"}), true);
    let audit = scan_as(standing, "seaworthy", "seaworthy", &["--no-pull-secrets"]);
    assert!(audit.requests.iter().all(|request| !request.request.contains("/secrets")), "{:?}", audit.requests);
    let other: Vec<_> = audit.refused().into_iter().filter(|request| !request.request.starts_with("/apis/example.test/")).collect();
    assert!(other.is_empty(), "{other:?}");
    let changed: Vec<_> = verdicts(&everything.report, &[]).difference(&audit.verdicts(&[])).map(|(_, name)| name.clone()).collect();
    let with_secret = if standing.stack.private.is_some() {
        vec!["private/Deployment/basic-with-secret", "private/Deployment/token-by-account"]
    } else {
        vec![]
    };
    assert_eq!(changed, with_secret);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn rights_in_namespaces_are_enough_for_them() {
    let standing = standing();
    let namespaces = format!("{SIGNED},{PRIVATE}");
    grant(standing, &["namespaces", "--include-namespaces", &namespaces]);
    let user = format!("system:serviceaccount:{SIGNED}:seaworthy");
    for namespace in [SIGNED, PRIVATE] {
        effective(&standing.stack.cluster, &user, json!({"verb": "list", "resource": "pods", "namespace": namespace}), true);
    }
    let audit = scan_as(standing, SIGNED, "seaworthy", &["--include-namespaces", &namespaces]);
    audit.lists_no_secret();
    // The cluster's UID is asked for, and may be refused: the report then has none.
    assert!(audit.refused().iter().all(|request| request.request == "/api/v1/namespaces/kube-system"), "{:?}", audit.refused());
    let outside: Vec<_> =
        audit.requests.iter().filter(|request| request.verb == "list" && !request.request.contains("/namespaces/")).collect();
    assert!(outside.is_empty(), "{outside:?}");
    // A chosen scope is no gap.
    assert_eq!(audit.report.gaps(), vec![]);
    assert_eq!(audit.verdicts(&[]), verdicts(&judged().report, &[SIGNED, PRIVATE]));

    // One namespace more than the account may see: the rest is audited, and the gap is named.
    let audit = scan_as(standing, SIGNED, "seaworthy", &["--include-namespaces", &format!("{SIGNED},{UNSIGNED}")]);
    assert_eq!(audit.verdicts(&[]), verdicts(&judged().report, &[SIGNED]));
    let gaps = audit.report.0["gaps"].as_array().unwrap();
    assert!(!gaps.is_empty());
    for gap in gaps {
        assert_eq!((&gap["namespace"], &gap["cause"]), (&json!(UNSIGNED), &json!("list-incomplete")), "{gap}");
    }
    assert!(gaps.iter().any(|gap| gap["workloadsMissing"] == true), "{gaps:?}");
    // All that is seen passes; what is not seen is not known.
    assert_eq!(audit.ended.code, Some(3), "{:?}", audit.ended);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn an_account_without_rights_lists_nothing() {
    let standing = standing();
    standing.stack.cluster.apply(&object("v1", "ServiceAccount", SIGNED, "nobody", json!({})));
    let kubeconfig = standing.stack.cluster.account(SIGNED, "nobody", "nobody").display().to_string();
    let ended = standing.stack.run_seaworthy(&["scan", "control", "C-0237", "--kubeconfig", &kubeconfig].map(str::to_owned));
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("rbac print") || ended.stdout.contains("rbac print"), "{ended:?}");
}
