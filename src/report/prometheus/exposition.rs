//! The text exposition format, version 0.0.4.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::metrics::METRICS;
use crate::report::terminal::shown;

/// Writes families of gauges, each once and in one piece.
pub(super) struct Families<'o, W> {
    out: &'o mut W,
    /// Label sets of the family that is being written: a scrape with a series twice is refused as a whole.
    written: BTreeSet<String>,
    name: &'static str,
}

impl<'o, W: Write> Families<'o, W> {
    pub(super) fn new(out: &'o mut W) -> Self {
        Self { out, written: BTreeSet::new(), name: "" }
    }

    /// Begins a family.
    pub(super) fn family(&mut self, name: &'static str) -> io::Result<()> {
        self.name = name;
        self.written.clear();
        let help = METRICS.iter().find(|metric| metric.name == name).map_or("", |metric| metric.help);
        writeln!(self.out, "# HELP {name} {}\n# TYPE {name} gauge", help.replace('\\', "\\\\").replace('\n', "\\n"))
    }

    /// Writes a sample of the family that was begun last. Of two with the same labels the second gets a number behind its first label.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> io::Result<()> {
        let mut text = labelled(labels, 1);
        let mut number = 1;
        while !self.written.insert(text.clone()) {
            number += 1;
            text = labelled(labels, number);
        }
        writeln!(self.out, "{}{text} {value}", self.name)
    }

    /// Writes a number of things.
    pub(super) fn count(&mut self, labels: &[(&str, &str)], count: u64) -> io::Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers, and nothing counted here comes near 2^53")]
        self.sample(labels, count as f64)
    }
}

fn labelled(labels: &[(&str, &str)], number: u32) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut told = Vec::with_capacity(labels.len());
    for (at, (name, value)) in labels.iter().enumerate() {
        let number = if at == 0 && number > 1 { format!(" #{number}") } else { String::new() };
        told.push(format!("{name}=\"{}{number}\"", escaped(value)));
    }
    format!("{{{}}}", told.join(","))
}

/// Control characters are escaped for whoever reads it on a terminal, then what the format itself wants escaped.
fn escaped(value: &str) -> String {
    shown(value).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_stay_within_their_quotes() {
        let told = labelled(&[("a", "x\"y\\z\n#"), ("b", "")], 1);
        assert_eq!(told, r#"{a="x\"y\\z\\u{a}#",b=""}"#);
    }

    #[test]
    fn no_series_is_written_twice() {
        let mut bytes = Vec::new();
        let mut families = Families::new(&mut bytes);
        families.family("seaworthy_images").unwrap();
        for _ in 0..3 {
            families.count(&[("a", "b")], 1).unwrap();
        }
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with("{a=\"b\"} 1\nseaworthy_images{a=\"b #2\"} 1\nseaworthy_images{a=\"b #3\"} 1\n"), "{text}");
    }
}
