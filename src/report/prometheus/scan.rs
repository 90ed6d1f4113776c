//! The scan as a whole: who made it and when, compliance as an interval, gates, exceptions, gaps.

use std::io::{self, Write};

use super::exposition::Families;
use crate::model::{Compliance, ControlOutcome, ControlResult, ExceptionState, GateCheck, GateOutcome, Report, ReportSource, Stage};

pub(super) fn write(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    about(report, families)?;
    let overall: Vec<_> = report.compliance.into_iter().map(|compliance| (Vec::new(), compliance)).collect();
    interval(families, ["seaworthy_compliance_lower_ratio", "seaworthy_compliance_upper_ratio"], &overall)?;
    let frameworks: Vec<_> = report
        .frameworks
        .iter()
        .filter_map(|of| Some((vec![("framework", of.id.as_str()), ("version", of.version.as_str())], of.compliance?)))
        .collect();
    interval(families, ["seaworthy_framework_compliance_lower_ratio", "seaworthy_framework_compliance_upper_ratio"], &frameworks)?;
    controls(report, families)?;
    gates(report, families)?;
    exceptions(report, families)?;
    families.family("seaworthy_gaps")?;
    for (label, missing) in [("true", true), ("false", false)] {
        let count = report.gaps.iter().filter(|gap| gap.workloads_missing == missing).count();
        families.count(&[("workloads_missing", label)], count as u64)?;
    }
    if let Some(baseline) = &report.baseline {
        families.family("seaworthy_baseline_findings")?;
        for (novelty, count) in [("new", baseline.new), ("known", baseline.known), ("gone", baseline.gone)] {
            families.count(&[("novelty", novelty)], count)?;
        }
    }
    Ok(())
}

fn about(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let header = &report.header;
    families.family("seaworthy_scan_info")?;
    let source = match header.source {
        ReportSource::Cluster => "cluster",
        ReportSource::Manifests => "manifests",
        ReportSource::Images => "images",
    };
    families.count(&[("version", &header.tool_version), ("source", source)], 1)?;
    families.family("seaworthy_scan_timestamp_seconds")?;
    families.sample(&[], header.as_of.as_duration().as_secs_f64())?;
    families.family("seaworthy_scan_interrupted")?;
    families.count(&[], u64::from(header.interrupted))?;
    families.family("seaworthy_images")?;
    families.count(&[], report.images.len() as u64)
}

/// Both ends of intervals, each a family; nothing where there is none.
fn interval(families: &mut Families<'_, impl Write>, names: [&'static str; 2], of: &[(Vec<(&str, &str)>, Compliance)]) -> io::Result<()> {
    if of.is_empty() {
        return Ok(());
    }
    for (name, end) in names.into_iter().zip([|of: &Compliance| of.lower, |of: &Compliance| of.upper]) {
        families.family(name)?;
        for (labels, compliance) in of {
            families.sample(labels, end(compliance) / 100.0)?;
        }
    }
    Ok(())
}

fn controls(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    if report.controls.is_empty() {
        return Ok(());
    }
    let labels = |control: &'_ ControlResult| (control.id.clone(), control.severity.name());
    families.family("seaworthy_control_info")?;
    for control in &report.controls {
        let stage = match control.stage {
            Stage::Stable => "stable",
            Stage::Preview => "preview",
        };
        let outcome = match control.outcome {
            ControlOutcome::Judged { .. } => "judged",
            ControlOutcome::Irrelevant => "irrelevant",
            ControlOutcome::Unconfigured { .. } => "unconfigured",
            ControlOutcome::RequiresReview { .. } => "requiresReview",
            ControlOutcome::Cluster { .. } => "cluster",
        };
        let (id, severity) = labels(control);
        families
            .count(&[("control", &id), ("severity", severity), ("title", &control.title), ("stage", stage), ("outcome", outcome)], 1)?;
    }
    let of: Vec<_> = report
        .controls
        .iter()
        .filter_map(|control| Some((vec![("control", control.id.as_str()), ("severity", control.severity.name())], control.compliance()?)))
        .collect();
    interval(families, ["seaworthy_control_compliance_lower_ratio", "seaworthy_control_compliance_upper_ratio"], &of)
}

fn gates(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    if report.gates.is_empty() {
        return Ok(());
    }
    families.family("seaworthy_gate_outcome")?;
    for gate in &report.gates {
        let check = match gate.check {
            GateCheck::Compliance { .. } => "compliance",
            GateCheck::Severity { .. } => "severity",
            GateCheck::Controls { .. } => "controls",
        };
        let outcomes = [
            ("met", GateOutcome::Met),
            ("missed", GateOutcome::Missed),
            ("undecided", GateOutcome::Undecided),
            ("nothingApplicable", GateOutcome::NothingApplicable),
        ];
        for (name, outcome) in outcomes {
            families.count(&[("gate", check), ("outcome", name)], u64::from(gate.outcome == outcome))?;
        }
    }
    Ok(())
}

fn exceptions(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    families.family("seaworthy_exceptions")?;
    let states = [
        ("inForce", ExceptionState::InForce),
        ("expiring", ExceptionState::Expiring),
        ("expired", ExceptionState::Expired),
        ("notAllowed", ExceptionState::NotAllowed),
    ];
    for (name, state) in states {
        let count = report.exceptions.iter().filter(|exception| exception.state == state).count();
        families.count(&[("state", name)], count as u64)?;
    }
    let holds = |state: ExceptionState| matches!(state, ExceptionState::InForce | ExceptionState::Expiring);
    let next = report.exceptions.iter().filter(|exception| holds(exception.state)).filter_map(|exception| exception.expires).min();
    if let Some(next) = next {
        families.family("seaworthy_exception_next_expiry_timestamp_seconds")?;
        families.sample(&[], next.as_duration().as_secs_f64())?;
    }
    Ok(())
}
