//! The table of rooms, as `docs/design/architecture.md` draws it.

/// What a room may do besides importing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No I/O, no clock, no randomness.
    Pure,
    /// Pure but for the `Write` that it is handed.
    Writer,
    /// Anything.
    Io,
}

/// A room.
#[derive(Debug)]
pub struct Room {
    pub name: String,
    pub may_import: Vec<String>,
    pub kind: Kind,
}

/// All rooms, in the order of the drawing.
#[derive(Debug)]
pub struct Table(Vec<Room>);

impl Table {
    /// Reads the rows `| name | job | may import | kind |` of a page.
    pub fn read(page: &str) -> Self {
        let names: Vec<&str> = page.lines().filter_map(|line| row(line).map(|(name, ..)| name)).collect();
        assert!(names.len() >= 10, "the table of rooms was not found");
        let rooms = page.lines().filter_map(row).map(|(name, may_import, kind)| {
            let may_import = match may_import {
                "–" => Vec::new(),
                "everything" => names.iter().filter(|other| **other != name).map(ToString::to_string).collect(),
                list => list
                    .split_whitespace()
                    .map(|word| code(word).unwrap_or_else(|| panic!("{name}: {word:?} is no room")).to_owned())
                    .collect(),
            };
            for imported in &may_import {
                assert!(names.contains(&imported.as_str()), "{name} may import {imported}, which is not drawn");
            }
            let kind = match kind {
                "pure" => Kind::Pure,
                "writer" => Kind::Writer,
                "I/O" => Kind::Io,
                other => panic!("{name}: kind {other:?} is not known"),
            };
            Room { name: name.to_owned(), may_import, kind }
        });
        Self(rooms.collect())
    }

    pub fn room(&self, name: &str) -> Option<&Room> {
        self.0.iter().find(|room| room.name == name)
    }

    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }
}

fn row(line: &str) -> Option<(&str, &str, &str)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    match cells[..] {
        ["", name, _, may_import, kind, ""] => Some((code(name)?, may_import, kind)),
        _ => None,
    }
}

fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}
