//! What a script answers: a word, then what belongs to it. What cannot be read back is an error that names it, never a guess.

use std::collections::HashMap;
use std::net::IpAddr;

use redis::Value;
use serde::de::DeserializeOwned;
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer(Vec<Value>);

/// Why a value is not what it should be: names the value.
pub(super) type Damage = String;

impl Answer {
    pub(super) fn new(value: Value) -> Option<Self> {
        match value {
            Value::Array(parts) if !parts.is_empty() => Some(Self(parts)),
            _ => None,
        }
    }

    /// The first part: how it went.
    pub(super) fn word(&self) -> &str {
        self.0.first().and_then(text_of).unwrap_or_default()
    }

    /// The part of that number, the word being 0.
    pub(super) fn text(&self, number: usize) -> Result<&str, Damage> {
        self.0
            .get(number)
            .and_then(text_of)
            .ok_or_else(|| format!("part {number} of an answer"))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, number: usize) -> Result<T, Damage> {
        self.text(number)?
            .parse()
            .map_err(|_no_number| format!("the number {number} of an answer"))
    }

    pub(super) fn is_one(&self, number: usize) -> Result<bool, Damage> {
        Ok(self.text(number)? == "1")
    }

    /// A part that is a list of texts.
    pub(super) fn texts(&self, number: usize) -> Result<Vec<&str>, Damage> {
        let broken = || format!("the list {number} of an answer");
        match self.0.get(number) {
            Some(Value::Array(parts)) => parts.iter().map(|part| text_of(part).ok_or_else(broken)).collect(),
            _ => Err(broken()),
        }
    }

    pub(super) fn ids(&self, number: usize) -> Result<Vec<Uuid>, Damage> {
        self.texts(number)?.into_iter().map(id).collect()
    }

    /// A part that is a flat list of fields and values.
    pub(super) fn fields(&self, number: usize) -> Result<Fields, Damage> {
        self.0
            .get(number)
            .and_then(Fields::new)
            .ok_or_else(|| format!("the record {number} of an answer"))
    }

    /// Every part behind the word, as fields.
    pub(super) fn records(&self) -> Result<Vec<Fields>, Damage> {
        self.records_from(1)
    }

    /// Every part from this one on, as fields.
    pub(super) fn records_from(&self, first: usize) -> Result<Vec<Fields>, Damage> {
        (first..self.0.len()).map(|number| self.fields(number)).collect()
    }

    /// Every part behind the word, as texts.
    pub(super) fn words(&self) -> Result<Vec<&str>, Damage> {
        (1..self.0.len()).map(|number| self.text(number)).collect()
    }

    /// How many parts there are behind the word.
    pub(super) fn parts(&self) -> usize {
        self.0.len().saturating_sub(1)
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

pub(super) fn id(text: &str) -> Result<Uuid, Damage> {
    Uuid::try_parse(text).map_err(|_no_id| "an id".to_owned())
}

/// Bytes of lower-case hex.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

/// The fields of a hash.
#[derive(Debug)]
pub(super) struct Fields(HashMap<String, Vec<u8>>);

impl Fields {
    fn new(value: &Value) -> Option<Self> {
        let Value::Array(flat) = value else { return None };
        let mut fields = HashMap::with_capacity(flat.len() / 2);
        for pair in flat.chunks_exact(2) {
            let [field, Value::BulkString(value)] = pair else {
                return None;
            };
            fields.insert(text_of(field)?.to_owned(), value.clone());
        }
        Some(Self(fields))
    }

    pub(super) fn text_if_any(&self, field: &str) -> Result<Option<String>, Damage> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_not_text| named(field));
        self.0.get(field).map(text).transpose()
    }

    pub(super) fn text(&self, field: &str) -> Result<String, Damage> {
        self.text_if_any(field)?.ok_or_else(|| named(field))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, field: &str) -> Result<T, Damage> {
        self.text(field)?.parse().map_err(|_no_number| named(field))
    }

    pub(super) fn number_if_any<T: std::str::FromStr>(&self, field: &str) -> Result<Option<T>, Damage> {
        let parse = |text: String| text.parse().map_err(|_no_number| named(field));
        self.text_if_any(field)?.map(parse).transpose()
    }

    pub(super) fn flag(&self, field: &str) -> Result<bool, Damage> {
        match self.text(field)?.as_str() {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(named(field)),
        }
    }

    pub(super) fn time(&self, field: &str) -> Result<Timestamp, Damage> {
        Ok(Timestamp::from_micros(self.number(field)?))
    }

    pub(super) fn time_if_any(&self, field: &str) -> Result<Option<Timestamp>, Damage> {
        Ok(self.number_if_any(field)?.map(Timestamp::from_micros))
    }

    pub(super) fn id(&self, field: &str) -> Result<Uuid, Damage> {
        id(&self.text(field)?).map_err(|_no_id| named(field))
    }

    pub(super) fn id_if_any(&self, field: &str) -> Result<Option<Uuid>, Damage> {
        let parse = |text: String| id(&text).map_err(|_no_id| named(field));
        self.text_if_any(field)?.map(parse).transpose()
    }

    pub(super) fn address(&self, field: &str) -> Result<IpAddr, Damage> {
        self.text(field)?.parse().map_err(|_no_address| named(field))
    }

    pub(super) fn hash(&self, field: &str) -> Result<[u8; 32], Damage> {
        let bytes = unhex(&self.text(field)?).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| named(field))
    }

    pub(super) fn bytes_if_any(&self, field: &str) -> Result<Option<Vec<u8>>, Damage> {
        let parse = |text: String| unhex(&text).ok_or_else(|| named(field));
        self.text_if_any(field)?.map(parse).transpose()
    }

    /// As it lies there.
    pub(super) fn raw(&self, field: &str) -> Result<Vec<u8>, Damage> {
        self.0.get(field).cloned().ok_or_else(|| named(field))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, field: &str) -> Result<T, Damage> {
        serde_json::from_str(&self.text(field)?).map_err(|_not_json| named(field))
    }
}

fn named(field: &str) -> Damage {
    format!("the field `{field}`")
}
