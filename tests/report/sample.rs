//! Reports to render: the talk's worked example, and one that holds everything a report can say.

use seaworthy::model::{
    Attested, Basis, Carrier, Cause, CertificateClaims, ChildSignatures, ClusterIdentity, ClusterRecord, Compliance, ContainerFinding,
    ContainerKind, ControlOutcome, ControlResult, ControlStatus, Counts, CredentialKind, DeclaredBecause, DeclaredIn, Digest,
    DocumentDigest, Evidence, FrameworkResult, Gap, GateCheck, GateOutcome, GateResult, Header, ImageEvidence, ImageRecord,
    InventoryCounts, Judgement, Labels, LogRecord, ManifestPresence, NotJudged, NotVisible, ObjectKey, Origin, PROVENANCE_V1, Payload,
    PlaceOutcome, PlaceRecord, PodSample, Predicate, Proof, ProvenTime, Provenance, Reason, Relation, Report, ReportSource, RunningImage,
    SPDX, Sbom, SbomFormat, Scope, Severity, Signer, Source, Stage, Standing, Statement, StatementFormat, StatementSource, Step,
    StepOutcome, SubjectName, SubjectState, TagState, TimeSource, TriedWith, UnknownAnswer, VERIFICATION_SUMMARY, VerificationSummary,
    WorkloadFinding, WorkloadRecord,
};
use seaworthy::score::Milestone;

pub(crate) fn digest(seed: u8) -> Digest {
    Digest::from_sha256(std::array::from_fn(|at| seed.wrapping_mul(37).wrapping_add(u8::try_from(at).unwrap().wrapping_mul(11))))
}

fn header() -> Header {
    Header {
        tool_version: "0.1.0".to_owned(),
        source: ReportSource::Cluster,
        as_of: "2026-07-01T12:00:00Z".parse().unwrap(),
        clusters: vec![ClusterRecord::from(ClusterIdentity {
            uid: Some("0d5f1a52-6c0e-4f6c-9d7e-3b1f7a0c9e11".to_owned()),
            server_version: Some("v1.36.3".to_owned()),
            context: Some("ledger-prod".to_owned()),
            user: Some("system:serviceaccount:security:seaworthy".to_owned()),
        })],
        scope: Scope::default(),
        trust_roots: Vec::new(),
        rewound: false,
        documents: vec![DocumentDigest { kind: "Control".to_owned(), name: "C-0237".to_owned(), digest: digest(200) }],
        interrupted: false,
    }
}

pub(crate) fn key(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { api_version: api_version.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}

pub(super) fn workload(key: ObjectKey, pods: u32) -> WorkloadRecord {
    let cluster = Some("ledger-prod".into());
    WorkloadRecord { key, cluster, owner: None, origin: Origin::Cluster, pods, labels: Labels::default() }
}

pub(crate) fn pods(names: &[&str]) -> PodSample {
    let mut sample = PodSample::default();
    names.iter().for_each(|name| sample.add(name));
    sample
}

pub(super) fn control(id: &str, title: &str, base_score: u8, counts: Counts, outcome: ControlOutcome) -> ControlResult {
    ControlResult {
        id: id.to_owned(),
        title: title.to_owned(),
        base_score,
        severity: Severity::from_base_score(base_score),
        stage: Stage::Stable,
        threats: vec!["F".to_owned()],
        rationale: "An image that nobody signed could have been made by anybody.".to_owned(),
        remediation: "Sign the image where it is built: cosign sign {image}@{digest}".to_owned(),
        references: vec![format!("https://seaworthy.dev/controls/{id}")],
        counts,
        outcome,
    }
}

pub(super) fn image(reference: &str, running: Digest, statements: Vec<Statement>) -> ImageRecord {
    let repository = reference.parse::<seaworthy::model::ImageReference>().unwrap().repository().clone();
    let found = u32::try_from(statements.len()).unwrap();
    ImageRecord {
        reference: reference.to_owned(),
        running: RunningImage::Manifest(running.clone()),
        evidence: ImageEvidence {
            subject: SubjectState::Known(running),
            manifest: ManifestPresence::Seen {
                media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
                credential: CredentialKind::PullSecret,
            },
            tag: TagState::Unmoved,
            statements,
            places: vec![PlaceRecord {
                place: repository.to_string(),
                outcome: PlaceOutcome::Looked(found),
                attestations: None,
                observed: Some("2026-07-01T11:58:30Z".parse().unwrap()),
            }],
            children: Vec::new(),
            platforms: Vec::new(),
            index: seaworthy::model::IndexAbove::NotAsked,
            warnings: Vec::new(),
            repository,
        },
        build: None,
    }
}

pub(super) fn signature(reference: &str, relation: Relation) -> Statement {
    Statement {
        format: StatementFormat::SimpleSigning,
        source: StatementSource::CosignTag,
        place: reference.rsplit_once(':').unwrap().0.to_owned(),
        carrier: Carrier::Itself,
        relation,
        manifest: Some(digest(90)),
        content: digest(91),
        annotations: None,
        proofs: std::sync::Arc::default(),
        proofs_left_out: 0,
        attested: None,
    }
}

pub(super) fn container(name: &str, path: &str, at: u32, image: &ImageRecord, pods: PodSample, judgement: Judgement) -> ContainerFinding {
    let shown = match &image.running {
        RunningImage::Manifest(digest) => Some(digest.clone()),
        _ => None,
    };
    ContainerFinding {
        container: name.into(),
        kind: ContainerKind::Container,
        path: path.into(),
        position: None,
        declared_in: DeclaredIn::Template,
        reference: image.reference.as_str().into(),
        digest: shown,
        basis: Basis::Running,
        pods,
        judgement,
        standing: Standing::AsIs,
        novelty: None,
        remediation: String::new(),
        warnings: Vec::new(),
        evidence: Some(Evidence { image: at }),
    }
}

pub(super) fn unsigned(image: &ImageRecord) -> Judgement {
    Judgement::fail(Reason::Absent, format!("image: {} is not signed", image.reference))
}

pub(super) const TEMPLATE: &str = "spec.template.spec.containers[0].image";

/// Ten workloads, eight of them unsigned.
pub(crate) fn talk() -> Report {
    let names =
        ["my-hello-ledger", "api", "billing", "explorer", "gateway", "indexer", "notifier", "swap", "signed-explorer", "signed-web"];
    let mut report = empty();
    let mut findings = Vec::new();
    for (at, name) in (0_u32..).zip(names) {
        let reference = format!("ghcr.io/ledgerhq/{name}:1.4.{at}");
        let signed = name.starts_with("signed-");
        let statements = if signed { vec![signature(&reference, Relation::Names)] } else { Vec::new() };
        let image = image(&reference, digest(u8::try_from(at).unwrap()), statements);
        let pod = format!("{name}-6f7c8d9b5-x2x7k");
        let judgement = if signed { Judgement::pass() } else { unsigned(&image) };
        let mut found = container(name, TEMPLATE, at, &image, pods(&[&pod]), judgement);
        if !signed {
            found.remediation = format!(
                "Sign it where it is built: cosign sign {}@{}",
                &reference[..reference.rfind(':').unwrap()],
                digest(u8::try_from(at).unwrap())
            );
        }
        let status = if signed { ControlStatus::Passed } else { ControlStatus::Failed };
        findings.push(WorkloadFinding { workload: at, status, containers: vec![found] });
        report.workloads.push(workload(key("apps/v1", "Deployment", "default", name), 1));
        report.images.push(image);
    }
    let compliance = Compliance::exact(20.0);
    let counts = Counts { passed: 2, failed: 8, ..Counts::default() };
    report.controls = vec![control("C-0237", "Check if signature exists", 7, counts, ControlOutcome::Judged { compliance, findings })];
    report.listed = InventoryCounts { pods: 10, objects: 31, namespaces: 1 };
    report.compliance = Some(compliance);
    report.gates = vec![compliance_gate(80.0, Some(compliance), GateOutcome::Missed)];
    report
}

pub(super) fn compliance_gate(threshold: f64, reached: Option<Compliance>, outcome: GateOutcome) -> GateResult {
    GateResult { check: GateCheck::Compliance { threshold, reached }, outcome }
}

pub(crate) fn empty() -> Report {
    Report {
        header: header(),
        listed: InventoryCounts::default(),
        gaps: Vec::new(),
        not_visible: vec![
            NotVisible {
                what: "sandbox (pause) images".to_owned(),
                why: "the API server does not report them; they are set on each node".to_owned(),
            },
            NotVisible {
                what: "containers outside the API".to_owned(),
                why: "what a node starts by itself (nerdctl, docker, systemd) has no Pod".to_owned(),
            },
        ],
        not_judged: Vec::new(),
        workloads: Vec::new(),
        images: Vec::new(),
        controls: Vec::new(),
        frameworks: Vec::new(),
        compliance: None,
        gates: Vec::new(),
        baseline: None,
        exceptions: Vec::new(),
        threats: seaworthy::score::threats(&[]),
        milestones: None,
    }
}

/// Everything that a report can say, hostile names included.
pub(crate) fn rich() -> Report {
    let mut report = empty();
    report.header.interrupted = true;
    report.header.scope =
        Scope { exclude_namespaces: vec!["kube-system".to_owned()], exclude_kinds: vec!["Job".to_owned()], ..Scope::default() };
    report.listed = InventoryCounts { pods: 48, objects: 131, namespaces: 7 };
    report.gaps = vec![Gap {
        cluster: None,
        what: "pods in namespace payments".to_owned(),
        namespace: Some("payments".to_owned()),
        workloads_missing: true,
        cause: Cause::Forbidden,
        detail: "The API server refused to list them (403): let this identity list pods there (`seaworthy rbac print`), or exclude the namespace with -e payments.".to_owned(),
    }];
    report.not_judged = vec![NotJudged {
        key: key("databases.example.com/v1", "Cluster", "shop", "orders"),
        path: "spec.imageName".to_owned(),
        value: "ghcr.io/acme/postgres:16.3".to_owned(),
    }];
    report.workloads = vec![
        workload(key("apps/v1", "DaemonSet", "monitoring", "node-exporter"), 12),
        workload(key("apps/v1", "Deployment", "default", "my-hello-ledger"), 4),
        WorkloadRecord { origin: Origin::OwnerReference, ..workload(key("argoproj.io/v1alpha1", "Rollout", "shop", "checkout"), 3) },
        workload(key("batch/v1", "CronJob", "shop", "nightly-überweisung-日本語-with-a-name-that-goes-on-for-quite-a-while"), 0),
        workload(key("apps/v1", "StatefulSet", "shop", "evil\u{1b}[31m\u{202e}gnp"), 1),
        workload(key("apps/v1", "Deployment", "shop", "web"), 2),
    ];
    report.workloads[1].owner = Some("team-ledger".into());
    report.workloads[5].owner = Some("shop".into());
    report.workloads[5].labels = [("app", "web")].into_iter().collect();
    report.images = rich_images();
    report.controls = vec![
        cluster_control(),
        signature_control(&report.images),
        control(
            "C-0236",
            "Verify image signature",
            7,
            Counts::default(),
            ControlOutcome::Unconfigured { missing: vec!["trustedCosignPublicKeys".to_owned()] },
        ),
        registry_control(&report.images),
        control("C-0306", "Images pinned to digest", 3, Counts { irrelevant: 6, ..Counts::default() }, ControlOutcome::Irrelevant),
        control(
            "SW-0009",
            "Only the build platform can build",
            3,
            Counts::default(),
            ControlOutcome::RequiresReview {
                text: "Show that nobody can push to the registry from elsewhere, and attach the audit trail.".to_owned(),
            },
        ),
    ];
    report.controls.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.id.cmp(&other.id)));
    report.frameworks = vec![FrameworkResult {
        id: "supply-chain-baseline".to_owned(),
        title: "Supply-chain baseline".to_owned(),
        version: "1.0".to_owned(),
        controls: vec!["C-0078".to_owned(), "C-0236".to_owned(), "C-0237".to_owned()],
        compliance: Some(Compliance { lower: 50.0, upper: 66.66 }),
    }];
    report.compliance = Some(Compliance { lower: 33.33, upper: 77.77 });
    report.gates = vec![compliance_gate(60.0, report.compliance, GateOutcome::Undecided)];
    for (control, threats) in report.controls.iter_mut().zip(["FG", "H", "FG", "DH", "G", "E"]) {
        control.threats = threats.chars().map(String::from).collect();
    }
    report.threats = seaworthy::score::threats(&report.controls);
    let milestone = |order: u8, ids: &[&str]| Milestone {
        order,
        framework: format!("milestone-{order}"),
        controls: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    let of = [milestone(1, &["C-0078", "SW-0009"]), milestone(2, &["C-0237", "C-0236", "SW-0001"])];
    report.milestones = seaworthy::score::milestones(&of, &report.controls);
    report
}

fn rich_images() -> Vec<ImageRecord> {
    let old = image("ghcr.io/ledgerhq/my-hello-ledger:1.4.2", digest(1), Vec::new());
    let new = image(
        "ghcr.io/ledgerhq/my-hello-ledger:1.4.3",
        digest(2),
        vec![Statement {
            proofs: vec![proof()].into(),
            ..signature("ghcr.io/ledgerhq/my-hello-ledger:1.4.3", Relation::NamesOthers(vec![digest(40)]))
        }],
    );
    let mut down = image(
        "registry.shop.example:8443/payments/integrations/europe/settlement/checkout-service:2026.06.30-build.4711",
        digest(3),
        Vec::new(),
    );
    let answer = UnknownAnswer { cause: Cause::Timeout, detail: "registry.shop.example:8443 did not answer within 30 s".to_owned() };
    down.evidence.manifest = ManifestPresence::Unknown(answer.clone());
    down.evidence.tag = TagState::Unknown(answer.clone());
    down.evidence.places[0].outcome = PlaceOutcome::Unknown(answer);
    down.evidence.places[0].observed = None;
    let mut private = image("quay.io/prometheus/node-exporter:v1.9.0", digest(4), Vec::new());
    let refused = UnknownAnswer { cause: Cause::Unauthorized, detail: "quay.io answered 401".to_owned() };
    private.evidence.manifest = ManifestPresence::Unknown(refused.clone());
    private.evidence.places[0].outcome = PlaceOutcome::Unknown(refused);
    let mut index = image(
        "ghcr.io/acme/web:3",
        digest(5),
        vec![signature("ghcr.io/acme/web:3", Relation::Malformed("the layer is no JSON".to_owned()))],
    );
    index.evidence.children = vec![ChildSignatures { child: digest(50), signatures: 1 }];
    index.evidence.tag = TagState::Moved(digest(51));
    let mut job = image("docker.io/library/busybox:1.37", digest(6), attestations());
    job.evidence.platforms = vec![digest(60)];
    job.evidence.places[0].attestations =
        Some(UnknownAnswer { cause: Cause::ServerError, detail: "docker.io answered 503 to sha256-….att".to_owned() });
    job.running = RunningImage::Unreported;
    vec![old, new, down, private, index, job]
}

/// What is attested, signed or not, and what cannot be read.
fn attestations() -> Vec<Statement> {
    let said = |predicate: Result<Predicate, String>| {
        let time = Some("2026-06-30T10:00:00Z".parse().unwrap());
        Some(std::sync::Arc::new(Attested { predicate, time, payload: Payload::NotWanted }))
    };
    let of = |format: StatementFormat, attested| Statement {
        format,
        source: StatementSource::Referrer,
        attested,
        ..signature("docker.io/library/busybox:1.37", Relation::Names)
    };
    let dsse = |predicate_type: &str| StatementFormat::Dsse { predicate_type: predicate_type.to_owned() };
    let provenance = Provenance {
        predicate_type: PROVENANCE_V1.to_owned(),
        builder: "https://builder.test/k8s@v1".to_owned(),
        build_type: "https://build.test/v1".to_owned(),
        source: Some(Source {
            repository: "github.com/acme/app".to_owned(),
            reference: Some("refs/tags/v1".to_owned()),
            commit: Some("c0ffee".to_owned()),
            entry_point: None,
            branch: None,
        }),
        external_parameters: Default::default(),
        invocation: Some("https://ci.test/runs/7".to_owned()),
        started: None,
        finished: None,
        dependencies: 3,
    };
    let bill = Sbom {
        format: SbomFormat::Spdx,
        spec_version: "SPDX-2.3".to_owned(),
        generator: Some("syft 1.2.3".to_owned()),
        created: None,
        package_count: 217,
        packages: None,
    };
    let summary = VerificationSummary {
        verifier: "https://verifier.test".to_owned(),
        time: None,
        resource: "pkg:oci/busybox".to_owned(),
        policy: "https://policy.test".to_owned(),
        passed: true,
        levels: vec!["SLSA_BUILD_LEVEL_2".to_owned()],
        slsa_version: None,
    };
    let unsigned = StatementFormat::Unsigned { predicate_type: PROVENANCE_V1.to_owned() };
    vec![
        of(dsse(PROVENANCE_V1), said(Ok(Predicate::Provenance(Box::new(provenance))))),
        of(dsse(SPDX), said(Ok(Predicate::Sbom(Box::new(bill))))),
        of(dsse(VERIFICATION_SUMMARY), said(Ok(Predicate::Summary(Box::new(summary))))),
        Statement {
            carrier: Carrier::Platform(digest(60)),
            ..of(unsigned, said(Err("the predicate is an array, not an object".to_owned())))
        },
        of(StatementFormat::Attached { media_type: "application/vnd.cyclonedx+json".to_owned() }, None),
    ]
}

fn cluster_control() -> ControlResult {
    let judgement = Judgement::fail(Reason::TooFewAuthorities, "no image in the cluster is signed by the organisation");
    let outcome = ControlOutcome::Cluster { judgement, standing: Standing::AsIs, novelty: None, compliance: Compliance::exact(0.0) };
    control("SW-0001", "At least one image is signed by an authority of the organisation", 9, Counts::default(), outcome)
}

fn signature_control(images: &[ImageRecord]) -> ControlResult {
    let pass = |at: u32| Judgement::Pass { detail: format!("image {at} is signed") };
    let old = container(
        "hello",
        TEMPLATE,
        0,
        &images[0],
        pods(&["my-hello-ledger-a", "my-hello-ledger-b", "my-hello-ledger-c"]),
        unsigned(&images[0]),
    );
    let mut new = container(
        "hello",
        TEMPLATE,
        1,
        &images[1],
        pods(&["my-hello-ledger-d"]),
        Judgement::fail(Reason::DigestMismatch, "the only signature found is over another image"),
    );
    new.warnings = vec!["the runtime reports the repository registry.internal/mirror/hello".to_owned()];
    new.remediation = format!("Sign it where it is built: cosign sign ghcr.io/ledgerhq/my-hello-ledger@{}", digest(2));
    let mut injected = container("istio-proxy", "spec.containers[1].image", 3, &images[3], pods(&["my-hello-ledger-a"]), pass(3));
    injected.declared_in = DeclaredIn::PodOnly;
    injected.judgement = Judgement::unknown(Cause::Unauthorized, "quay.io answered 401");
    let down = Judgement::unknown(Cause::Timeout, "registry.shop.example:8443 did not answer within 30 s");
    let checkout = container("checkout", TEMPLATE, 2, &images[2], pods(&["checkout-1", "checkout-2", "checkout-3"]), down);
    let mut exporter = container(
        "node-exporter",
        TEMPLATE,
        3,
        &images[3],
        PodSample { count: 12, names: ["node-exporter-2b", "node-exporter-4x", "node-exporter-5t"].map(Into::into).to_vec() },
        Judgement::unknown(Cause::Unauthorized, "quay.io answered 401"),
    );
    exporter.standing = Standing::AcceptedUnknown;
    let mut job = container(
        "run",
        "spec.jobTemplate.spec.template.spec.containers[0].image",
        5,
        &images[5],
        PodSample::default(),
        unsigned(&images[5]),
    );
    job.basis = Basis::Declared(DeclaredBecause::Suspended);
    let evil = ContainerFinding {
        reference: "ghcr.io/acme/\u{1b}]8;;http://evil\u{7}app:\u{200b}v1".into(),
        digest: None,
        evidence: None,
        judgement: Judgement::fail(Reason::MalformedReference, "repository name is not valid: ghcr.io/acme/\u{1b}]8;;http://evil\u{7}app"),
        ..container("app", TEMPLATE, 0, &images[0], pods(&["evil-0"]), pass(0))
    };
    let web = container("web", TEMPLATE, 4, &images[4], pods(&["web-1", "web-2"]), pass(4));
    let finding =
        |workload: u32, status: ControlStatus, containers: Vec<ContainerFinding>| WorkloadFinding { workload, status, containers };
    let findings = vec![
        finding(0, ControlStatus::AcceptedUnknown, vec![exporter]),
        finding(1, ControlStatus::Failed, vec![old, new, injected]),
        finding(2, ControlStatus::Unknown, vec![checkout]),
        finding(3, ControlStatus::Failed, vec![job]),
        finding(4, ControlStatus::Failed, vec![evil]),
        finding(5, ControlStatus::Passed, vec![web]),
    ];
    let counts = Counts { passed: 1, failed: 3, unknown: 1, accepted: 1, ..Counts::default() };
    let compliance = Compliance { lower: 100.0 / 6.0, upper: 50.0 };
    control("C-0237", "Check if signature exists", 7, counts, ControlOutcome::Judged { compliance, findings })
}

fn registry_control(images: &[ImageRecord]) -> ControlResult {
    let denied = |image: &ImageRecord| {
        Judgement::fail(Reason::RegistryDenied, format!("image: {} is not from an allowed registry", image.reference))
    };
    let hello = container(
        "hello",
        TEMPLATE,
        0,
        &images[0],
        pods(&["my-hello-ledger-a", "my-hello-ledger-b", "my-hello-ledger-c"]),
        denied(&images[0]),
    );
    let web = container("web", TEMPLATE, 4, &images[4], pods(&["web-1", "web-2"]), Judgement::pass());
    let findings = vec![
        WorkloadFinding { workload: 1, status: ControlStatus::Failed, containers: vec![hello] },
        WorkloadFinding { workload: 5, status: ControlStatus::Passed, containers: vec![web] },
    ];
    let counts = Counts { passed: 1, failed: 1, irrelevant: 4, ..Counts::default() };
    control("C-0078", "Images from allowed registry", 5, counts, ControlOutcome::Judged { compliance: Compliance::exact(50.0), findings })
}

/// A certificate that holds, but for its log.
pub(super) fn proof() -> Proof {
    let claims = CertificateClaims {
        names: vec![SubjectName::Uri("https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1".to_owned())],
        subject: String::new(),
        issuer: Some("https://token.actions.githubusercontent.com".to_owned()),
        extensions: [("runnerEnvironment".to_owned(), "github-hosted".to_owned())].into(),
        fingerprint: digest(71),
        key: digest(72),
        not_before: "2026-06-01T12:00:00Z".parse().unwrap(),
        not_after: "2026-06-01T12:10:00Z".parse().unwrap(),
    };
    Proof {
        trial: 0,
        with: TriedWith::Root("public-good".to_owned()),
        root: Some("public-good".to_owned()),
        signer: Some(Signer::Certificate(Box::new(claims))),
        steps: vec![
            (Step::Form, StepOutcome::Held("a bundle".to_owned())),
            (Step::CertificateChain, StepOutcome::Held("issued by CN=authority".to_owned())),
            (Step::LogInclusion, StepOutcome::failed(Reason::LogSignatureInvalid, "the log is not one of the root's")),
            (Step::TimeStamp, StepOutcome::unknown(Cause::TrustRootTooOld, "the authority is not in the root")),
            (Step::Signature, StepOutcome::Held("by the certificate's key".to_owned())),
        ],
        times: vec![ProvenTime { at: "2026-06-01T12:05:00Z".parse().unwrap(), by: TimeSource::Log }],
        log: Some(LogRecord { index: 7, log: "ab".repeat(32), address: None }),
    }
}
