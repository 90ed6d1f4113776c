//! For people: the verdict first, then each signature with its numbered steps.

use std::io::{self, Write};

use super::super::roots::told;
use super::super::terminal::{Appearance, Tone, field, shown, title};
use super::words;
use crate::model::{
    PlaceOutcome, PolicyStep, Proof, Signer, Step, StepOutcome, SubjectName, TimeSource, Verdict, VerificationReport, VerifiedSignature,
};

/// Where values begin.
const VALUES: usize = 44;

pub(super) fn render(report: &VerificationReport, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let (word, code) = words(report.verdict);
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let head = format!("{}{code}: {}", word.to_uppercase(), shown(&report.subject));
    writeln!(out, "{}", appearance.paint(tone(report.verdict), &head))?;
    let line = |out: &mut _, label: &str, text: &str| field(out, appearance, (label, Tone::Quiet), 10, text, appearance.prose());
    if let Some(digest) = &report.digest {
        line(out, "Digest:", &digest.to_string())?;
    }
    if !report.detail.is_empty() {
        let label = if report.verdict == Verdict::Verified { "By:" } else { "Why:" };
        line(out, label, &shown(&report.detail))?;
    }
    line(out, "As of:", &report.as_of.to_string())?;
    for root in &report.trust_roots {
        line(out, "Root:", &shown(&told(root)))?;
    }
    // Where it is not verified, what was looked at is a part of the answer.
    if report.verdict != Verdict::Verified {
        for place in &report.places {
            let outcome = match &place.outcome {
                PlaceOutcome::Looked(0) => "looked, and nothing is there".to_owned(),
                PlaceOutcome::Looked(found) => format!("looked, and {found} found"),
                PlaceOutcome::NotAuthoritative => {
                    "nothing found; it speaks for itself alone, and not for the image's own registry".to_owned()
                }
                PlaceOutcome::Unknown(unknown) => format!("{} ({})", unknown.detail, unknown.cause),
            };
            line(out, "Looked:", &shown(&format!("{}: {outcome}", place.place)))?;
        }
    }
    for (number, signature) in report.signatures.iter().enumerate() {
        render_signature(signature, number + 1, report.signatures.len(), appearance, out)?;
    }
    Ok(())
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Verified => Tone::Passed,
        Verdict::Rejected(_) | Verdict::Absent => Tone::Failed,
        Verdict::Unknown(_) => Tone::Unknown,
    }
}

fn render_signature(
    signature: &VerifiedSignature,
    number: usize,
    of: usize,
    appearance: Appearance,
    out: &mut impl Write,
) -> io::Result<()> {
    title(out, appearance, Tone::Heading, &format!("Signature {number} of {of}: {}", shown(&signature.found)))?;
    let line = |out: &mut _, label: &str, text: &str| field(out, appearance, (label, Tone::Quiet), 12, text, appearance.prose());
    let (word, code) = words(signature.verdict);
    let authority = signature.authority.as_ref().filter(|_| signature.verdict == Verdict::Verified);
    let authority = authority.map(|name| format!(" by authority {}", shown(name))).unwrap_or_default();
    let said = format!("{}{}{authority}", word, code.map(|code| format!(" ({code})")).unwrap_or_default());
    field(out, appearance, ("  Verdict:", tone(signature.verdict)), 12, &said, appearance.prose())?;
    if signature.verdict != Verdict::Verified {
        line(out, "  Why:", &shown(&signature.detail))?;
    }
    let Some(proof) = &signature.proof else { return Ok(()) };
    for (label, text) in who_when_where(proof) {
        line(out, label, &shown(&text))?;
    }
    for step in Step::ALL {
        render_step(step.number(), step.title(), proof.step(step), appearance, out)?;
    }
    for (step, outcome) in &signature.checks {
        render_step(PolicyStep::number(*step), step.title(), outcome, appearance, out)?;
    }
    Ok(())
}

/// Who signed, when, and where it is logged.
fn who_when_where(proof: &Proof) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match &proof.signer {
        Some(Signer::Key { fingerprint }) => lines.push(("  Signer:", format!("key {fingerprint}"))),
        Some(Signer::Certificate(claims)) => {
            let proven = proof.step(Step::CertificateChain).held() && proof.step(Step::Signature).held();
            let told = |text: &str| if proven { text.to_owned() } else { format!("{text} (claimed, not proven)") };
            // Each by itself: one hostile name could look like two.
            let names = claims.names.iter().map(|name| ("  Signer:", told(SubjectName::text(name))));
            lines.extend(names);
            if claims.names.is_empty() {
                lines.push(("  Signer:", told(if claims.subject.is_empty() { "nobody by name" } else { &claims.subject })));
            }
            lines.extend(claims.issuer.iter().map(|issuer| ("  Issuer:", told(issuer))));
            lines.push(("  Key:", told(&claims.key.to_string())));
        }
        None => {}
    }
    for time in &proof.times {
        let by = match time.by {
            TimeSource::Log => "promise of the log",
            TimeSource::TimeStampAuthority => "time stamp",
        };
        lines.push(("  Signed:", format!("{} ({by})", time.at)));
    }
    if let Some(log) = &proof.log {
        let address = log.address.as_deref().unwrap_or("log");
        lines.push(("  Logged:", format!("{address}, entry {} (log {})", log.index, log.log)));
    }
    lines
}

/// One step. Its mark is a word as well as a sign, so that nothing hangs on colour or on the font.
fn render_step(number: usize, name: &str, outcome: &StepOutcome, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let (sign, tone, value) = match outcome {
        StepOutcome::Held(value) => ("ok", Tone::Passed, value.clone()),
        StepOutcome::Failed { reason, detail } => ("FAILED", Tone::Failed, format!("{reason}: {detail}")),
        StepOutcome::Unknown(unknown) => ("?", Tone::Unknown, format!("{}: {}", unknown.cause, unknown.detail)),
        StepOutcome::Missing => ("none", Tone::Quiet, String::new()),
        StepOutcome::NotApplicable => ("-", Tone::Quiet, String::new()),
    };
    let label = format!("  {number:>2} {name:<32} {sign:<7}");
    if value.is_empty() {
        return writeln!(out, "{}", appearance.paint(tone, label.trim_end()));
    }
    field(out, appearance, (label.as_str(), tone), VALUES + 1, &shown(&value), appearance.prose())
}
