//! A report whose every text was chosen by somebody who means harm.

use seaworthy::model::{ControlOutcome, Judgement, Origin, Report, WorkloadRecord};

use super::fleet::fleet;
use super::sample::rich;

/// What such texts are: formulas, terminal sequences, HTML, markdown, mentions, references, links, quotes, characters that XML forbids.
pub(crate) const HOSTILE: [&str; 15] = [
    "=HYPERLINK(\"http://evil.test\",\"click\")",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)\t@admin",
    "\t=1",
    "\r=1",
    "a\u{1b}[2Jb\u{202e}gnp\u{0}\u{fffe}\u{ffff}",
    "<script>alert(1)</script><!-- --></details>]]>&amp;",
    "# head\n\n| a | b |\n|---|---|\n```\n@octocat #1 GH-1 www.evil.test http://evil.test acme/app#7 deadbeefdeadbeef",
    "**bold** _it_ ~~x~~ [link](http://evil.test) ![i](http://evil.test/i.png) <http://evil.test> :tada: \\| \\`",
    "``` ~~~ `` ` ````` |",
    "\"},\"x\":{\"\\\",\n# HELP x y\nx{a=\"b\"} 1",
    "---\nkind: Evil\n...\n- *alias\n!!python/object",
    "日本語 \u{1f600} grüße",
    "\r\n::error file=a,line=1::x%0A\n##[error]y\n::stop-commands::z",
];

/// Sets each text to the next of some.
struct Poison(&'static [&'static str], usize);

impl Poison {
    fn text(&mut self) -> String {
        self.1 += 1;
        self.0[self.1 % self.0.len()].to_owned()
    }

    fn set(&mut self, text: &mut String) {
        *text = self.text();
    }

    fn judgement(&mut self, judgement: &mut Judgement) {
        match judgement {
            Judgement::Pass { detail } | Judgement::Fail { detail, .. } | Judgement::Unknown { detail, .. } => self.set(detail),
        }
    }

    fn workload(&mut self, workload: &mut WorkloadRecord) {
        let mut next = || self.text().into();
        workload.key.api_version = next();
        workload.key.kind = next();
        workload.key.namespace = next();
        workload.key.name = next();
        workload.cluster = Some(next());
        workload.owner = Some(next());
        workload.labels = [("app", self.text())].into_iter().collect();
        if let Origin::Manifest { file, .. } = &mut workload.origin {
            *file = self.text();
        }
    }

    fn report(&mut self, mut report: Report) -> Report {
        self.set(&mut report.header.tool_version);
        for cluster in &mut report.header.clusters {
            cluster.name = self.text().into();
            cluster.identity.uid = Some(self.text());
            cluster.identity.context = Some(self.text());
            cluster.identity.user = Some(self.text());
            cluster.identity.server_version = Some(self.text());
        }
        for gap in &mut report.gaps {
            self.set(&mut gap.what);
            self.set(&mut gap.detail);
            gap.namespace = Some(self.text());
            gap.cluster = Some(self.text());
        }
        for field in &mut report.not_judged {
            field.key.name = self.text().into();
            self.set(&mut field.path);
            self.set(&mut field.value);
        }
        report.workloads.iter_mut().for_each(|workload| self.workload(workload));
        for image in &mut report.images {
            self.set(&mut image.reference);
        }
        for exception in &mut report.exceptions {
            self.set(&mut exception.name);
            self.set(&mut exception.file);
            self.set(&mut exception.reason);
            for text in [&mut exception.owner, &mut exception.approved_by, &mut exception.ticket] {
                *text = Some(self.text());
            }
            exception.warnings = vec![self.text(), self.text()];
        }
        if let Some(baseline) = &mut report.baseline {
            self.set(&mut baseline.name);
        }
        for framework in &mut report.frameworks {
            self.set(&mut framework.id);
            self.set(&mut framework.title);
            self.set(&mut framework.version);
        }
        for control in &mut report.controls {
            self.set(&mut control.id);
            self.set(&mut control.title);
            self.set(&mut control.rationale);
            self.set(&mut control.remediation);
            control.references = vec![self.text()];
            match &mut control.outcome {
                ControlOutcome::Judged { findings, .. } => {
                    for finding in findings.iter_mut().flat_map(|finding| &mut finding.containers) {
                        finding.container = self.text().into();
                        finding.path = self.text().into();
                        finding.reference = self.text().into();
                        finding.pods.names = vec![self.text().into()];
                        self.set(&mut finding.remediation);
                        finding.warnings = vec![self.text()];
                        self.judgement(&mut finding.judgement);
                        if let Some(position) = &mut finding.position {
                            position.file = self.text().into();
                            position.rendered_from = Some(self.text().into());
                        }
                    }
                }
                ControlOutcome::Unconfigured { missing } => *missing = vec![self.text()],
                ControlOutcome::RequiresReview { text } => self.set(text),
                ControlOutcome::Cluster { judgement, .. } => self.judgement(judgement),
                ControlOutcome::Irrelevant => {}
            }
        }
        report
    }
}

/// Reports in which each text is each of the hostile ones in turn.
pub(crate) fn hostile() -> impl Iterator<Item = Report> {
    (0..HOSTILE.len()).flat_map(|start| [rich(), fleet()].map(|report| Poison(&HOSTILE, start).report(report)))
}

/// A report in which every text is this one.
pub(crate) fn said(report: Report, text: &'static [&'static str; 1]) -> Report {
    Poison(text, 0).report(report)
}
