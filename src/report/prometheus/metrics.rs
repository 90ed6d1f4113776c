//! Every metric with its labels and its help: what the documentation lists.

/// A family of gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Names of its labels, in order.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const fn metric(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, labels, help }
}

/// All families, in the order in which they are written.
pub const METRICS: &[Metric] = &[
    metric("kubescape_cluster_complianceScore", &[], "Compliance of the whole scan, percent, lower end of the interval."),
    metric("kubescape_cluster_count_resources_failed", &[], "Workloads that fail a control."),
    metric("kubescape_cluster_count_resources_skipped", &[], "Workloads that fail none and of which something is unknown."),
    metric("kubescape_cluster_count_resources_passed", &[], "Workloads that pass, exceptions included."),
    metric("kubescape_cluster_count_control_failed", &[], "Controls that fail."),
    metric("kubescape_cluster_count_control_skipped", &[], "Controls that are unknown, not configured, or for a person."),
    metric("kubescape_cluster_count_control_passed", &[], "Controls that pass, irrelevant ones included."),
    metric("kubescape_framework_complianceScore", &["name"], "Compliance of a framework, percent, lower end of the interval."),
    metric("kubescape_framework_count_resources_failed", &["name"], "Workloads that fail a control of the framework."),
    metric(
        "kubescape_framework_count_resources_skipped",
        &["name"],
        "Workloads that fail none of its controls and of which something is unknown.",
    ),
    metric("kubescape_framework_count_resources_passed", &["name"], "Workloads that pass its controls, exceptions included."),
    metric("kubescape_framework_count_control_failed", &["name"], "Controls of the framework that fail."),
    metric(
        "kubescape_framework_count_control_skipped",
        &["name"],
        "Controls of the framework that are unknown, not configured, or for a person.",
    ),
    metric("kubescape_framework_count_control_passed", &["name"], "Controls of the framework that pass, irrelevant ones included."),
    metric(
        "kubescape_control_complianceScore",
        &["name", "severity", "link"],
        "Compliance of a control, percent, lower end of the interval.",
    ),
    metric("kubescape_control_count_resources_failed", &["name", "severity", "link"], "Workloads that fail the control."),
    metric("kubescape_control_count_resources_skipped", &["name", "severity", "link"], "Workloads of which it is unknown."),
    metric(
        "kubescape_control_count_resources_passed",
        &["name", "severity", "link"],
        "Workloads that pass the control, exceptions included.",
    ),
    metric(
        "seaworthy_scan_info",
        &["version", "source"],
        "Always 1: the program's version, and whether a cluster, manifests or images were scanned.",
    ),
    metric("seaworthy_scan_timestamp_seconds", &[], "The moment as of which everything is judged, seconds since 1970."),
    metric("seaworthy_scan_interrupted", &[], "1 where the scan was ended before its time."),
    metric("seaworthy_images", &[], "Different images that were looked at."),
    metric("seaworthy_compliance_lower_ratio", &[], "Compliance of the whole scan, 0 to 1, if everything unknown failed."),
    metric("seaworthy_compliance_upper_ratio", &[], "Compliance of the whole scan, 0 to 1, if everything unknown passed."),
    metric(
        "seaworthy_framework_compliance_lower_ratio",
        &["framework", "version"],
        "Compliance of a framework, 0 to 1, if everything unknown failed.",
    ),
    metric(
        "seaworthy_framework_compliance_upper_ratio",
        &["framework", "version"],
        "Compliance of a framework, 0 to 1, if everything unknown passed.",
    ),
    metric(
        "seaworthy_control_info",
        &["control", "severity", "title", "stage", "outcome"],
        "Always 1: a control, its stage (stable, preview) and its outcome (judged, irrelevant, unconfigured, requiresReview, cluster).",
    ),
    metric(
        "seaworthy_control_compliance_lower_ratio",
        &["control", "severity"],
        "Compliance of a control, 0 to 1, if everything unknown failed.",
    ),
    metric(
        "seaworthy_control_compliance_upper_ratio",
        &["control", "severity"],
        "Compliance of a control, 0 to 1, if everything unknown passed.",
    ),
    metric(
        "seaworthy_gate_outcome",
        &["gate", "outcome"],
        "1 for the outcome of a gate (met, missed, undecided, nothingApplicable), 0 for the others.",
    ),
    metric("seaworthy_exceptions", &["state"], "Exceptions by state: inForce, expiring, expired, notAllowed."),
    metric("seaworthy_exception_next_expiry_timestamp_seconds", &[], "When the next exception that is in force ends, seconds since 1970."),
    metric(
        "seaworthy_gaps",
        &["workloads_missing"],
        "What is in scope and could not be read, by whether workloads may be missing because of it.",
    ),
    metric("seaworthy_baseline_findings", &["novelty"], "Answers that fail or are unknown beside the baseline: new, known, gone."),
    metric(
        "seaworthy_control_workloads",
        &["control", "severity", "cluster", "status"],
        "Workloads under a control by status: failed, unknown, acceptedUnknown, excepted, passed.",
    ),
    metric("seaworthy_cluster_workloads", &["cluster", "status"], "Workloads of a cluster by their worst status."),
    metric("seaworthy_namespace_workloads", &["namespace", "status"], "Workloads of a namespace by their worst status."),
    metric("seaworthy_owner_workloads", &["owner", "status"], "Workloads of an owner by their worst status."),
    metric("seaworthy_label_values_folded", &["label"], "Different values of a label that are summed under _other."),
    metric(
        "seaworthy_unknown_answers",
        &["cause", "standing"],
        "Answers about containers that are not known, by cause, and whether they count, are accepted or excepted.",
    ),
    metric(
        "seaworthy_causes",
        &["severity", "status", "standing"],
        "Different causes of what fails or is unknown, and whether they count, are accepted or excepted.",
    ),
    metric(
        "seaworthy_image_build_levels",
        &["level", "state"],
        "Images by SLSA build level: shown, unverified, or open where it may be higher.",
    ),
];
