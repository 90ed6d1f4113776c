//! One self-contained page for a person: an auditor, a team, a management.
//!
//! The page asks nobody for anything: style and script stand in it, allowed by their digests alone, and everything else is forbidden by
//! its content security policy. Without scripting it has the summary, the exceptions and the first failures; with it, everything.

mod data;
mod evidence;
mod failures;
mod notes;
mod summary;
mod text;

use std::io::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use self::text::{entities, escaped};
use super::causes::causes;
use super::pretty::header::moment;
use crate::model::{Report, ReportSource};

const PAGE: &str = include_str!("../../reports/html/page.html");
const STYLE: &str = include_str!("../../reports/html/style.css");
const SCRIPT: &str = include_str!("../../reports/html/script.js");

/// Clusters that the title names.
const MOST_CLUSTERS: usize = 4;

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let causes = causes(report);
    // The template is ours, so that nothing in it is hostile; what is written for a name is not looked at again.
    let mut parts = PAGE.split("{{");
    out.write_all(parts.next().unwrap_or_default().as_bytes())?;
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        match name {
            "policy" => out.write_all(policy().as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            "title" => out.write_all(title(report).as_bytes())?,
            "subtitle" => out.write_all(subtitle(report).as_bytes())?,
            "alerts" => summary::alerts(report, out)?,
            "summary" => summary::render(report, &causes, out)?,
            "failures" => failures::render(report, &causes, out)?,
            "exceptions" => notes::exceptions(report, out)?,
            "controls" => notes::controls(report, out)?,
            "sources" => notes::sources(report, out)?,
            "data" => data::render(report, &causes, out)?,
            _ => return Err(io::Error::other(format!("reports/html/page.html names {name}, which is no part of a page"))),
        }
        out.write_all(rest.as_bytes())?;
    }
    Ok(())
}

/// Style and script by their digests, and nothing else (Content Security Policy Level 3).
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// What the report is about.
fn title(report: &Report) -> String {
    let header = &report.header;
    match (header.source, header.clusters.as_slice()) {
        (ReportSource::Manifests, []) => "manifests".to_owned(),
        (ReportSource::Images, _) => "images named on the command line".to_owned(),
        (_, []) => "a cluster that is not identified".to_owned(),
        (_, clusters) => {
            let mut named: Vec<_> = clusters.iter().take(MOST_CLUSTERS).map(|cluster| escaped(&cluster.name)).collect();
            if clusters.len() > MOST_CLUSTERS {
                named.push(format!("{} more", clusters.len() - MOST_CLUSTERS));
            }
            named.join(", ")
        }
    }
}

fn subtitle(report: &Report) -> String {
    let header = &report.header;
    let rewound = if header.rewound { " as asked" } else { "" };
    format!("as of {}{rewound} · seaworthy {}", entities(&moment(header.as_of)), escaped(&header.tool_version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_do_not_end_themselves() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"), "a style that asks for something");
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("), "a script that makes markup of text");
    }

    #[test]
    fn the_policy_allows_this_style_and_this_script() {
        let policy = policy();
        assert_eq!(policy.matches("'sha256-").count(), 2);
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}
