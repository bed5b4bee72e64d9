//! The admin API, as a script uses it.

use std::net::SocketAddr;

use http::{Method, Request};
use serde_json::{Value, json};

use crate::visitor::body_of;
use crate::{Reply, Visitor};

/// The password of every account that a test makes without caring for it.
pub const PASSWORD: &str = "seventeen quiet herons";

/// Somebody who holds the admin token.
#[derive(Debug, Clone)]
pub struct Admin {
    visitor: Visitor,
    token: String,
}

impl Admin {
    /// Talks to the admin listener at `at`.
    pub fn new(at: SocketAddr, token: String) -> Self {
        Self {
            visitor: Visitor::new(at, at.to_string()),
            token,
        }
    }

    /// The token that every request carries.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Makes an account of this role that can sign in with [`PASSWORD`] at once.
    pub async fn add_account(&self, name: &str, role: &str) -> Value {
        let account = json!({ "name": name, "password": PASSWORD, "password_temporary": false, "role": role });
        self.add(account).await
    }

    /// Makes an account as described.
    pub async fn add(&self, account: Value) -> Value {
        self.ask(Method::POST, "/v1/accounts", Some(account))
            .await
            .expect(201)
            .json()
    }

    /// An account as it is now.
    pub async fn account(&self, name: &str) -> Value {
        self.get(&format!("/v1/accounts/{name}")).await.expect(200).json()
    }

    /// Changes an account.
    pub async fn change_account(&self, name: &str, change: Value) -> Reply {
        self.ask(Method::PATCH, &format!("/v1/accounts/{name}"), Some(change))
            .await
    }

    /// The live sessions of an account.
    pub async fn sessions(&self, account: &str) -> Vec<Value> {
        let list = self
            .get(&format!("/v1/sessions?account={account}"))
            .await
            .expect(200)
            .json();
        list["items"].as_array().expect("a list of sessions").clone()
    }

    /// The newest lines of the audit that the query selects: `event=sign_in.failed&account=ada`.
    pub async fn audit(&self, query: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/audit?{query}")).await.expect(200).json();
        list["items"].as_array().expect("a list of events").clone()
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await
    }

    /// Any request, with a JSON body or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.send(request, body.map_or_else(String::new, |body| body.to_string()))
            .await
    }

    /// Replaces the policy in force, which must still be the one with this tag.
    pub async fn replace_policy(&self, text: &str, tag: &str) -> Reply {
        let request = Request::put("/v1/policy")
            .header("content-type", "text/plain")
            .header("if-match", tag);
        self.send(request, text.to_owned()).await
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Reply {
        let request = request.header("authorization", format!("Bearer {}", self.token));
        self.visitor.send(request.body(body_of(body)).expect("a request")).await
    }
}
