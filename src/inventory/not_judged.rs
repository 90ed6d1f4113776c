//! Fields that look like images in objects that are not understood: they are named, so that nobody takes them for judged.

use serde_json::Value;

use crate::model::{ImageReference, NotJudged, ObjectKey};

/// Depth to which image-like fields are looked for; the parsers stop before it.
const DEEPEST_FIELD: usize = 128;
/// Most image-like fields named of one object.
const MOST_FIELDS: usize = 20;

/// The fields that look like images in an object.
pub(super) fn image_like(key: &ObjectKey, object: &Value) -> Vec<NotJudged> {
    let mut fields = Vec::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "metadata" | "status") {
            image_fields(name, value, name.clone(), 0, &mut fields);
        }
    }
    fields.sort_unstable();
    fields.truncate(MOST_FIELDS);
    fields.into_iter().map(|(path, value)| NotJudged { key: key.clone(), path, value }).collect()
}

/// String fields named `image`, or with a name that ends in `Image`, whose value may be a reference.
fn image_fields(name: &str, value: &Value, path: String, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > DEEPEST_FIELD {
        return;
    }
    match value {
        Value::String(text) if (name == "image" || name.ends_with("Image")) && text.parse::<ImageReference>().is_ok() => {
            found.push((path, text.clone()));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                image_fields(name, value, format!("{path}.{name}"), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                image_fields(name, item, format!("{path}[{index}]"), depth + 1, found);
            }
        }
        _ => {}
    }
}
