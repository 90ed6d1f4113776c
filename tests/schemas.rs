//! The JSON schemas of what users write, kept in `reports/schemas/` and made from the types.

use std::path::Path;

use seaworthy::documents::{KINDS, schema};

#[test]
fn the_kept_schemas_are_those_of_the_types() {
    for kind in KINDS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reports/schemas/{}.v1alpha1.json", kind.to_lowercase()));
        let made = format!("{:#}\n", schema(kind).unwrap());
        if std::env::var_os("SEAWORTHY_WRITE_SCHEMAS").is_some() {
            std::fs::write(&file, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == made, "{} is not what the types give: make schemas", file.display());
    }
}
