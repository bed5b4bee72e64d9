//! A sign-in as a browser goes through it: from the console to Pomerium's own host, to the provider, and back.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response, StatusCode, Uri, header};
use stagedoor_tests::{Visitor, body_of};
use tokio::time::timeout;

use crate::Failure;

/// What `benches/peers/pomerium.yaml` calls the console.
pub(super) const CONSOLE: &str = "console.bench.example";
/// What it calls Pomerium's own pages.
const LOGIN: &str = "login.bench.example";
/// Somewhere that the policy allows.
const PAGE: &str = "/area-7/item/1";
/// It takes six.
const REDIRECTS_MAX: usize = 15;
/// Patience on a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// The session's cookie, once the console has answered somebody with it and nobody without.
pub(super) async fn sign_in(listen: SocketAddr, provider: SocketAddr) -> Result<String, Failure> {
    // Pomerium's sign-in is by TLS, which ends in front of it.
    let by_tls = |host: &str| Visitor::new(listen, host).always("x-forwarded-proto", "https");
    let visitors = [
        by_tls(CONSOLE),
        by_tls(LOGIN),
        Visitor::new(provider, provider.to_string()),
    ];
    follow(&visitors).await?;
    // As the load asks.
    let load = Visitor::new(listen, CONSOLE);
    if ask(&load, PAGE).await?.status() == StatusCode::OK {
        return Err("the console answers somebody who is not signed in".into());
    }
    let cookie = visitors.iter().find(|visitor| visitor.host() == CONSOLE);
    let cookie = cookie.and_then(Visitor::cookie_header).ok_or("no cookie was set")?;
    let load = load.always("cookie", &cookie);
    match ask(&load, PAGE).await?.status() {
        StatusCode::OK => Ok(cookie),
        status => Err(format!("the console answers {status} to somebody who is signed in").into()),
    }
}

/// From the console through all redirects to the console's page.
async fn follow(visitors: &[Visitor]) -> Result<(), Failure> {
    let mut next = format!("https://{CONSOLE}{PAGE}");
    for _ in 0..REDIRECTS_MAX {
        let uri: Uri = next.parse()?;
        let host = uri.authority().map_or("", http::uri::Authority::as_str);
        let visitor = visitors.iter().find(|visitor| visitor.host() == host);
        let visitor = visitor.ok_or_else(|| format!("nobody knows where {next} is"))?;
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let answer = ask(visitor, target).await?;
        match answer.headers().get(header::LOCATION) {
            Some(place) => next = place.to_str()?.to_owned(),
            None if answer.status() == StatusCode::OK && host == CONSOLE => return Ok(()),
            None => return Err(format!("nobody was signed in: {next} answers {}", answer.status()).into()),
        }
    }
    Err(format!("nobody was signed in after {REDIRECTS_MAX} redirects").into())
}

async fn ask(visitor: &Visitor, target: &str) -> Result<Response<()>, Failure> {
    let request = Request::get(target).body(body_of(""))?;
    let answer = timeout(ANSWERED_WITHIN, visitor.try_open(request)).await;
    let answer = answer.map_err(|_| format!("{} does not answer {target}", visitor.host()))?;
    let answer = answer.map_err(|error| -> Failure { error })?;
    Ok(answer.map(drop))
}
