//! The picture in the README: the end of what the first command really prints, as it looks on a terminal.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const COLUMNS: usize = 108;
/// Size of one cell in the picture, in pixels.
const CELL: (f64, f64) = (8.4, 19.0);
const MARGIN: f64 = 24.0;

#[test]
fn the_picture_is_what_the_first_command_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .args(["scan", "control", "C-0237", "-v", "--color", "always", "--snapshot", "fixtures/snapshots/harbour"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", COLUMNS.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "the README says that the command ends with 3");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let from = lines.iter().rposition(|line| line.contains("####")).unwrap();
    let to = lines.iter().rposition(|line| line.contains("Not visible to this scan")).unwrap();
    let picture = draw(&lines[from..to]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first-screen.svg");
    if std::env::var_os("SEAWORTHY_WRITE_DOCS").is_some() {
        std::fs::write(&file, &picture).unwrap();
    }
    assert!(std::fs::read_to_string(&file).unwrap_or_default() == picture, "docs/first-screen.svg is not what is printed: make docs");
}

fn draw(lines: &[&str]) -> String {
    let (width, height) = (COLUMNS as f64 * CELL.0 + 2.0 * MARGIN, lines.len() as f64 * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\" aria-label=\"Output of seaworthy scan control C-0237\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#14181f\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\" fill=\"#d5dae3\" xml:space=\"preserve\">\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + CELL.1 * (row as f64 + 0.75);
        let mut column = 0;
        for (style, text) in runs(line) {
            let columns = text.chars().count();
            if !text.trim().is_empty() {
                let x = MARGIN + CELL.0 * column as f64;
                let length = CELL.0 * columns as f64;
                let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\"{style}>{escaped}</text>");
            }
            column += columns;
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Cuts a line at its colour codes.
fn runs(line: &str) -> Vec<(String, String)> {
    let mut runs = Vec::new();
    let mut style = String::new();
    let mut parts = line.split("\u{1b}[");
    runs.extend(parts.next().map(|plain| (String::new(), plain.to_owned())));
    for part in parts {
        let (codes, text) = part.split_once('m').unwrap();
        for code in codes.split(';') {
            match code {
                "0" | "" => style.clear(),
                "1" => style.push_str(" font-weight=\"bold\""),
                "2" => style.push_str(" fill-opacity=\"0.6\""),
                "31" => style.push_str(" fill=\"#ff7b72\""),
                "32" => style.push_str(" fill=\"#7ee787\""),
                "33" => style.push_str(" fill=\"#e3b341\""),
                "36" => style.push_str(" fill=\"#76d9e6\""),
                other => panic!("colour {other} is not drawn"),
            }
        }
        runs.push((style.clone(), text.to_owned()));
    }
    runs
}
