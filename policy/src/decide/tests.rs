use super::*;
use crate::rules::{OpenTo, Rules, SecondFactor};
use crate::test_support::{area, compiled, console, explained, judged, open_area, role, texts, visitor};

fn code(policy: &Policy, who: Option<Visitor<'_>>, asked: &str) -> &'static str {
    judged(policy, who, asked).map_or_else(|refusal| refusal.code(), |_| "allowed")
}

#[test]
fn reading_needs_view_and_writing_needs_manage() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("viewer", "GET /devices/7", "allowed"),
        ("viewer", "HEAD /devices/7", "allowed"),
        ("viewer", "OPTIONS /devices/7", "allowed"),
        ("viewer", "POST /devices/7", "not_granted"),
        ("viewer", "PUT /devices/7", "not_granted"),
        ("viewer", "PATCH /devices/7", "not_granted"),
        ("operator", "POST /devices/7", "allowed"),
        ("operator", "POST /settings/", "not_granted"),
        ("operator", "GET /settings", "allowed"),
        ("viewer", "GET /settings", "not_granted"),
        ("admin", "DELETE /settings", "allowed"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}

#[test]
fn entries_override_the_level_of_their_method_only() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("viewer", "GET /devices/7/reboot", "not_granted"),
        ("viewer", "HEAD /devices/7/reboot", "not_granted"),
        ("viewer", "OPTIONS /devices/7/reboot", "allowed"),
        ("operator", "GET /devices/7/reboot", "allowed"),
        ("viewer", "POST /devices/search", "allowed"),
        ("viewer", "PUT /devices/search", "not_granted"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}

#[test]
fn an_action_needs_to_be_granted_whatever_the_level() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("operator", "GET /devices/7/delete", "not_granted"),
        ("operator", "HEAD /devices/7/delete", "not_granted"),
        ("operator", "DELETE /devices/7", "not_granted"),
        ("operator", "POST /devices/7/delete", "allowed"),
        ("remover", "GET /devices/7/delete", "allowed"),
        ("remover", "DELETE /devices/7", "allowed"),
        ("remover", "GET /devices/7", "not_granted"),
        ("admin", "DELETE /devices/7", "allowed"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}
