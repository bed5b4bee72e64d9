//! Consoles that tie who is there to the connection (NTLM, Negotiate): such a connection belongs to one visitor's connection
//! and is never lent to another.
//!
//! A site can say so (`private_connections`); else it shows in the headers, before the console has tied anything: the
//! handshake begins with the visitor's `Authorization`. From then on, for as long as the visitor's connection lasts, its
//! requests have connections of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderName, header};
use stagedoor_identity::session::SessionId;

use crate::headers::met;
use crate::stage::decide::Admitted;
use crate::upstream::idle::Idle;

/// Ways of signing in that speak for their own request alone (IANA's list, and what programs use besides). Any other may be
/// bound to the connection.
const FOR_ONE_REQUEST: [&[u8]; 14] = [
    b"basic",
    b"bearer",
    b"digest",
    b"dpop",
    b"hawk",
    b"hoba",
    b"mutual",
    b"privatetoken",
    b"scram-sha-1",
    b"scram-sha-256",
    b"vapid",
    b"token",
    b"apikey",
    b"aws4-hmac-sha256",
];
/// Ways that are bound to the connection, as a console offers them.
const FOR_A_CONNECTION: [&[u8]; 5] = [b"ntlm", b"negotiate", b"kerberos", b"nego2", b"negoex"];
/// Where a console offers them, or says that it has tied one.
static OFFERS: [HeaderName; 2] = [header::WWW_AUTHENTICATE, HeaderName::from_static("persistent-auth")];
/// 0 is Pingora's group of all who share.
static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

/// What a visitor's connection has shown so far, and the group that its connections to consoles are pooled in.
#[derive(Debug, Default)]
pub struct PrivateWay {
    bound: AtomicBool,
    group: ArcSwapOption<Group>,
}

/// Everybody who comes by one connection: behind a proxy that may be several people.
#[derive(Debug)]
pub struct Group {
    /// No other group's.
    pub key: u64,
    /// The connections of this group that wait for their next exchange; they close with the visitor's connection.
    pub idle: Arc<Idle>,
    session: Option<SessionId>,
    address: std::net::IpAddr,
}

impl Group {
    /// A new one for whoever was let through here. Used for one request and dropped, it closes its connection.
    pub fn of(admitted: &Admitted) -> Arc<Self> {
        Arc::new(Self {
            key: NEXT_GROUP.fetch_add(1, Ordering::Relaxed),
            idle: Arc::default(),
            session: admitted.session.as_ref().map(|session| session.id()),
            address: admitted.address.ip(),
        })
    }
}

impl PrivateWay {
    /// From now on, connections to consoles are not shared.
    pub fn bind(&self) {
        self.bound.store(true, Ordering::Relaxed);
    }

    /// Whether they are not.
    pub fn is_bound(&self) -> bool {
        self.bound.load(Ordering::Relaxed)
    }

    /// The group for whoever was let through here; another one for each person and address.
    pub fn group(&self, admitted: &Admitted) -> Arc<Group> {
        let session = admitted.session.as_ref().map(|session| session.id());
        let address = admitted.address.ip();
        if let Some(group) = self.group.load().as_ref()
            && group.session == session
            && group.address == address
        {
            return Arc::clone(group);
        }
        let group = Group::of(admitted);
        self.group.store(Some(Arc::clone(&group)));
        group
    }
}

/// Whether a request may begin or continue a sign-in that is bound to the connection.
pub fn asks_to_bind(headers: &HeaderMap) -> bool {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    credentials.any(|value| {
        let scheme = first_word(value.as_bytes());
        !FOR_ONE_REQUEST.iter().any(|known| known.eq_ignore_ascii_case(scheme))
    })
}

/// Whether an answer offers one, or speaks of one.
pub fn offers_to_bind(headers: &HeaderMap) -> bool {
    let [has_challenges, has_persistent_auth] = met(headers, &OFFERS);
    if !has_challenges {
        return has_persistent_auth;
    }
    let mut challenges = headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let bound = |challenge: &[u8]| {
        let scheme = first_word(challenge);
        FOR_A_CONNECTION.iter().any(|known| known.eq_ignore_ascii_case(scheme))
    };
    challenges.any(bound) || has_persistent_auth
}

fn first_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn whatever_may_be_bound_to_the_connection_makes_it_private() {
        for (credentials, bound) in [
            ("NTLM TlRMTVNTUAABAAAA", true),
            ("ntlm TlRM", true),
            ("Negotiate YII", true),
            ("  Negotiate YII", true),
            ("Kerberos x", true),
            ("SomethingNew x", true),
            ("", true),
            ("Basic YWRhOng=", false),
            ("bearer eyJ", false),
            ("Digest username=\"NTLM\"", false),
            ("AWS4-HMAC-SHA256 Credential=x", false),
        ] {
            assert_eq!(
                asks_to_bind(&headers("authorization", credentials)),
                bound,
                "{credentials}"
            );
        }
        assert!(!asks_to_bind(&HeaderMap::new()));
    }

    #[test]
    fn a_console_that_offers_ntlm_is_heard_among_its_other_offers() {
        for (challenges, bound) in [
            ("NTLM", true),
            ("Basic realm=\"x\", Negotiate", true),
            ("negotiate,NTLM", true),
            ("Basic realm=\"NTLM\"", false),
            ("Bearer", false),
        ] {
            assert_eq!(
                offers_to_bind(&headers("www-authenticate", challenges)),
                bound,
                "{challenges}"
            );
        }
        assert!(offers_to_bind(&headers("persistent-auth", "true")));
    }
}
