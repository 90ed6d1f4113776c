//! A report of two clusters and of manifests, with exceptions in every state, a baseline, owners, positions and a control in preview.

use seaworthy::model::{
    BaselineRecord, ClusterIdentity, ClusterRecord, Compliance, ControlOutcome, ControlResult, ControlStatus, Counts, ExceptionRecord,
    ExceptionState, GateCheck, GateOutcome, GateResult, Judgement, Novelty, Origin, Reason, Relation, Report, Severity, SourcePosition,
    Stage, Standing, WorkloadFinding, WorkloadRecord,
};

use super::sample::{TEMPLATE, compliance_gate, container, control, digest, empty, image, key, pods, signature, unsigned, workload};

const MANIFEST: &str = "deploy/shop.yaml";

pub(crate) fn fleet() -> Report {
    let mut report = empty();
    let cluster = |context: &str| ClusterRecord::from(ClusterIdentity { context: Some(context.to_owned()), ..ClusterIdentity::default() });
    report.header.clusters = vec![cluster("eu-west"), cluster("us-east")];
    report.images = vec![
        image("ghcr.io/acme/shop:2.0", digest(1), Vec::new()),
        image("ghcr.io/acme/pay:1.1", digest(2), vec![signature("ghcr.io/acme/pay:1.1", Relation::Names)]),
        image("docker.io/library/redis:7", digest(3), Vec::new()),
    ];
    let owned = |name: &str, cluster: &str, owner: &str| WorkloadRecord {
        cluster: Some(cluster.into()),
        owner: Some(owner.into()),
        ..workload(key("apps/v1", "Deployment", "shop", name), 2)
    };
    report.workloads = vec![
        owned("cache", "eu-west", "team-platform"),
        owned("pay", "eu-west", "team-pay"),
        owned("shop", "eu-west", "team-shop"),
        owned("shop", "us-east", "team-shop"),
        WorkloadRecord {
            cluster: None,
            owner: None,
            origin: Origin::Manifest { file: MANIFEST.to_owned(), document: 0 },
            ..workload(key("apps/v1", "Deployment", "shop", "shop"), 0)
        },
    ];
    report.exceptions = exceptions();
    report.controls = vec![organisation(), signatures(&report), pinned(&report)];
    report.compliance = Some(Compliance::exact(50.0));
    report.gates = vec![
        compliance_gate(40.0, Some(Compliance::exact(50.0)), GateOutcome::Met),
        GateResult {
            check: GateCheck::Severity { at_least: Severity::High, failing: vec!["C-0237".to_owned()], unknown: Vec::new() },
            outcome: GateOutcome::Missed,
        },
        GateResult {
            check: GateCheck::Controls { named: vec!["SW-0001".to_owned()], failing: Vec::new(), unknown: Vec::new() },
            outcome: GateOutcome::Met,
        },
    ];
    report.baseline = Some(BaselineRecord {
        name: "baseline.json".to_owned(),
        as_of: "2026-06-01T12:00:00Z".parse().unwrap(),
        new: 1,
        known: 3,
        gone: 2,
    });
    report.threats = seaworthy::score::threats(&report.controls);
    report
}

fn exceptions() -> Vec<ExceptionRecord> {
    let exception = |name: &str, expires: &str, state: ExceptionState, matched: u64, warnings: &[&str]| ExceptionRecord {
        name: name.to_owned(),
        file: "exceptions.yaml".to_owned(),
        reason: "vendor image, replacement due".to_owned(),
        expires: Some(expires.parse().unwrap()),
        owner: Some("team-platform".to_owned()),
        approved_by: Some("security@acme.example".to_owned()),
        ticket: Some("SEC-1234".to_owned()),
        state,
        matched,
        warnings: warnings.iter().map(|text| (*text).to_owned()).collect(),
    };
    vec![
        exception("redis", "2026-12-31T00:00:00Z", ExceptionState::InForce, 1, &[]),
        exception("organisation", "2026-07-10T00:00:00Z", ExceptionState::Expiring, 1, &["ends in 9 days"]),
        exception("shop", "2026-06-15T00:00:00Z", ExceptionState::Expired, 2, &["over since 2026-06-15"]),
        exception("everything", "2028-01-01T00:00:00Z", ExceptionState::NotAllowed, 0, &["longer than the 180 days that are allowed"]),
    ]
}

fn organisation() -> ControlResult {
    let judgement = Judgement::fail(Reason::TooFewAuthorities, "no image in the cluster is signed by the organisation");
    let outcome = ControlOutcome::Cluster {
        judgement,
        standing: Standing::Excepted(1),
        novelty: Some(Novelty::Known),
        compliance: Compliance::exact(100.0),
    };
    let counts = Counts { excepted: 1, ..Counts::default() };
    control("SW-0001", "At least one image is signed by the organisation", 9, counts, outcome)
}

fn signatures(report: &Report) -> ControlResult {
    let images = &report.images;
    let fails = |at: usize, image: usize, standing: Standing, novelty: Novelty| {
        let name = report.workloads[at].key.name.as_str();
        let mut found =
            container(name, TEMPLATE, u32::try_from(image).unwrap(), &images[image], pods(&["a-1", "a-2"]), unsigned(&images[image]));
        found.standing = standing;
        found.novelty = Some(novelty);
        found.remediation = format!("Sign it where it is built: cosign sign {}@{}", images[image].evidence.repository, digest(7));
        if let Origin::Manifest { file, .. } = &report.workloads[at].origin {
            found.position = Some(Box::new(SourcePosition {
                file: file.as_str().into(),
                line: 17,
                column: 18,
                rendered_from: Some("shop/templates/deployment.yaml".into()),
            }));
            found.pods = pods(&[]);
        }
        found
    };
    let finding = |workload: u32, status: ControlStatus, container| WorkloadFinding { workload, status, containers: vec![container] };
    let passes = container("pay", TEMPLATE, 1, &images[1], pods(&["pay-1", "pay-2"]), Judgement::pass());
    let findings = vec![
        finding(0, ControlStatus::Excepted, fails(0, 2, Standing::Excepted(0), Novelty::Known)),
        finding(1, ControlStatus::Passed, passes),
        finding(2, ControlStatus::Failed, fails(2, 0, Standing::AsIs, Novelty::Known)),
        finding(3, ControlStatus::Failed, fails(3, 0, Standing::AsIs, Novelty::Known)),
        finding(4, ControlStatus::Failed, fails(4, 0, Standing::AsIs, Novelty::New)),
    ];
    let counts = Counts { passed: 1, failed: 3, excepted: 1, ..Counts::default() };
    let compliance = Compliance::exact(40.0);
    control("C-0237", "Check if signature exists", 7, counts, ControlOutcome::Judged { compliance, findings })
}

fn pinned(report: &Report) -> ControlResult {
    let floating = Judgement::fail(Reason::ReferenceNotPinned, "image: ghcr.io/acme/shop:2.0 does not pin a digest");
    let found = container("shop", TEMPLATE, 0, &report.images[0], pods(&["shop-1"]), floating);
    let findings = vec![WorkloadFinding { workload: 2, status: ControlStatus::Failed, containers: vec![found] }];
    let counts = Counts { failed: 1, ..Counts::default() };
    let outcome = ControlOutcome::Judged { compliance: Compliance::exact(0.0), findings };
    ControlResult { stage: Stage::Preview, ..control("SW-0099", "A control that is still new", 3, counts, outcome) }
}
