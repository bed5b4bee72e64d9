//! A right on top of a role, as it is typed: `[SITE/]AREA=LEVEL[+ACTION…]`.

use std::str::FromStr;

use serde::Serialize;

/// A typed grant, in the shape the admin API takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GrantText {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    area: String,
    level: &'static str,
    actions: Vec<String>,
}

const SHAPE: &str = "a grant is written `[SITE/]AREA=LEVEL[+ACTION…]`, such as `devices=manage` or \
                     `console/devices=view+export`; LEVEL is `none`, `view` or `manage`";

impl FromStr for GrantText {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (place, right) = typed.split_once('=').ok_or(SHAPE)?;
        let (site, area) = match place.split_once('/') {
            Some((site, area)) => (Some(site), area),
            None => (None, place),
        };
        let mut words = right.split('+');
        let level = match words.next() {
            Some("none") => "none",
            Some("view") => "view",
            Some("manage") => "manage",
            _ => return Err(SHAPE),
        };
        let actions: Vec<String> = words.map(str::to_owned).collect();
        let names = site.into_iter().chain([area]).chain(actions.iter().map(String::as_str));
        if names.into_iter().any(|name| name.is_empty() || name.contains('/')) {
            return Err(SHAPE);
        }
        Ok(Self {
            site: site.map(str::to_owned),
            area: area.to_owned(),
            level,
            actions,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_grant_becomes_what_the_api_takes() {
        let short: GrantText = "devices=view".parse().unwrap();
        assert_eq!(
            json!(short),
            json!({ "area": "devices", "level": "view", "actions": [] })
        );
        let long: GrantText = "console/devices=none+export+wipe".parse().unwrap();
        let expected = json!({ "site": "console", "area": "devices", "level": "none", "actions": ["export", "wipe"] });
        assert_eq!(json!(long), expected);
    }

    #[test]
    fn a_grant_of_another_shape_is_refused() {
        for typed in [
            "devices",
            "devices=",
            "=view",
            "/devices=view",
            "a/b/c=view",
            "devices=View",
            "devices=view+",
        ] {
            assert!(typed.parse::<GrantText>().is_err(), "{typed}");
        }
    }
}
