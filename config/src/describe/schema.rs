//! The description as JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::{BUILDING, Kind, POLICY, Setting};

/// The schema of `stagedoor.toml`, as it is published.
pub fn building_schema() -> String {
    document(
        "stagedoor.toml",
        "Where visitors come in, and which consoles are behind the door.",
        BUILDING,
    )
}

/// The schema of `policy.toml`, as it is published.
pub fn policy_schema() -> String {
    document("policy.toml", "Who may do what.", POLICY)
}

fn document(title: &str, description: &str, settings: &[Setting]) -> String {
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!(title));
    schema.insert("description".to_owned(), json!(description));
    if let Value::Object(table) = table(settings) {
        schema.extend(table);
    }
    let mut schema = Value::Object(schema);
    // Another crate of the build may switch on serde_json's order of insertion.
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

fn table(settings: &[Setting]) -> Value {
    let properties: Map<String, Value> = settings
        .iter()
        .map(|setting| (setting.name.to_owned(), property(setting)))
        .collect();
    let required: Vec<&str> = settings
        .iter()
        .filter(|setting| setting.required)
        .map(|setting| setting.name)
        .collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn property(setting: &Setting) -> Value {
    let mut schema = kind(&setting.kind);
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(setting.doc));
        // Every default is written the same in TOML and in JSON.
        if let Some(default) = setting
            .default
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
        {
            schema.insert("default".to_owned(), default);
        }
    }
    schema
}

fn kind(of: &Kind) -> Value {
    match of {
        Kind::Text(_) => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Kind::Bytes => json!({ "oneOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)?$" },
        ] }),
        Kind::Address => json!({ "type": "string", "pattern": "^(\\[[0-9A-Fa-f:.]+\\]|[0-9.]+):[0-9]{1,5}$" }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words }),
        Kind::List(of) => json!({ "type": "array", "items": kind(of) }),
        Kind::OneOrMore(of) => json!({ "oneOf": [kind(of), { "type": "array", "items": kind(of) }] }),
        Kind::Named(_, of) => json!({ "type": "object", "additionalProperties": kind(of) }),
        Kind::Table(settings) => table(settings),
    }
}
