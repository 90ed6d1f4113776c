//! `docs/writing-controls.md`, followed to the letter.

use super::Program;

/// The code blocks that follow a mark such as `<!-- file: NAME -->`.
fn blocks(page: &str, mark: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for part in page.split(mark).skip(1) {
        let (name, rest) = part.split_once("-->").unwrap();
        let code = rest.split("```").nth(1).unwrap();
        blocks.push((name.trim().to_owned(), code.split_once('\n').unwrap().1.to_owned()));
    }
    blocks
}

#[test]
fn the_page_leads_from_nothing_to_a_tested_control() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/writing-controls.md")).unwrap();
    let program = Program::new();
    let files = blocks(&page, "<!-- file:");
    assert_eq!(files.len(), 3);
    for (name, text) in &files {
        program.file(name, text);
    }
    let directory = program.home().join("mine");
    let directory = directory.to_str().unwrap();
    program.run(&["controls", "lint", directory]).prints(0, &["0 problems"]);
    let ended = program.run(&["controls", "test", directory]);
    let [(_, expected)] = blocks(&page, "<!-- prints").try_into().unwrap();
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), expected.as_str()));
    program.run(&["controls", "list", "--controls", directory]).prints(0, &["ACME-1"]);
}
