//! Tells a door every kind of secret that it may come to know, right ones and wrong ones, by every page that takes one.

use std::time::Duration;

use http::{Request, header};
use serde_json::{Value, json};
use stagedoor_tests::{Door, Recorder, Reply, Visitor, body_of, encoding, soon, totp};

use super::Secrets;

/// Longer than anything takes here.
pub(crate) const MOMENT: Duration = Duration::from_secs(60);
const POLICY: &str = "[second_factor]\nask = \"required\"\n\n[lockout]\nfailures = 50\n\n[site.console]\nallow = [\"encoded-slash\"]\n[site.console.areas]\nall = { paths = [\"/**\"] }\n\n\
    [role.keeper]\nmay = { \"*\" = \"all\" }\n";

/// A door that has been told much.
pub(crate) struct Driven {
    pub(crate) door: Door,
    /// The set-up link, as it was printed.
    pub(crate) link: String,
    pub(crate) secrets: Secrets,
    /// What it showed to somebody it should not have told.
    pub(crate) shown: Vec<(String, String)>,
    _console: Recorder,
}

/// Opens a door that logs so, and tells it everything.
pub(crate) async fn drive(level: &str, format: &str) -> Driven {
    let console = Recorder::start().await;
    let plan = Door::plan()
        .site_with("console", &console.url(), "assertion = true")
        .building(&format!(
            "[log]\nlevel = \"{level}\"\nformat = \"{format}\"\naccess = \"access.log\"\n"
        ))
        .environment("RUST_LOG", "trace")
        .environment("RUST_BACKTRACE", "full");
    let door = plan.policy(POLICY).open().await;
    let mut tell = Tell {
        visitor: door.visitor("console").always("accept", "text/html"),
        program: door.visitor("console"),
        door,
        secrets: Secrets::default(),
        shown: Vec::new(),
    };
    let link = tell.set_up().await;
    let (password, secret) = tell.enrol().await;
    tell.guess(&password, &secret).await;
    tell.change(&password, &secret).await;
    tell.administer().await;
    tell.wander().await;
    let seen = console.last();
    let [assertion] = seen.values("x-stagedoor-assertion")[..] else {
        panic!("one assertion is wanted:\n{}", seen.head);
    };
    tell.secrets.keep("assertion", assertion);
    let reach = tell.door.admin().get("/metrics").await.expect(200).text();
    tell.shown.push(("metrics".to_owned(), reach));
    Driven {
        link,
        door: tell.door,
        secrets: tell.secrets,
        shown: tell.shown,
        _console: console,
    }
}

struct Tell {
    door: Door,
    /// With a browser, and with a program: each has its own cookies.
    visitor: Visitor,
    program: Visitor,
    secrets: Secrets,
    shown: Vec<(String, String)>,
}

impl Tell {
    /// Keeps what was shown. A cookie is told to whom it is for.
    fn show(&mut self, what: &str, reply: Reply) -> Reply {
        let mut headers = reply.headers.clone();
        headers.remove(header::SET_COOKIE);
        self.shown
            .push((what.to_owned(), format!("{headers:?}\n{}", reply.text())));
        reply
    }

    /// Makes `ada` with the link that the door has printed.
    async fn set_up(&mut self) -> String {
        let link = soon("the door prints its link", async || {
            let log = self.door.log();
            let word = log.split_whitespace().find(|word| word.contains("/setup?token="));
            word.map(str::to_owned)
        })
        .await;
        let token = link.split_once("token=").expect("a link with a token").1.to_owned();
        self.secrets.keep("set-up link's token", &token);
        let wrong = self
            .secrets
            .keep("guessed link", format!("{}{}", &token[1..], &token[..1]));
        let page = self
            .visitor
            .get(&format!("/.stagedoor/setup?token={wrong}"))
            .await
            .expect(404);
        self.show("a guessed link", page);
        let page = self
            .visitor
            .get(&format!("/.stagedoor/setup?token={token}"))
            .await
            .expect(200);
        let unfit = self.secrets.keep("password that is not repeated", "unrepeated ostrich");
        let password = self.secrets.keep("password of the set-up", "a first pelican & more");
        for (repeat, status) in [(&unfit, 422), (&password, 303)] {
            let fields = [
                ("csrf", hidden(&page, "csrf")),
                ("link", hidden(&page, "link")),
                ("username", "ada".to_owned()),
                ("new_password", password.clone()),
                ("repeat", repeat.clone()),
            ];
            form(&self.visitor, "/.stagedoor/setup", &fields).await.expect(status);
        }
        let page = self
            .visitor
            .get(&format!("/.stagedoor/setup?token={token}"))
            .await
            .expect(404);
        self.show("a used link", page);
        link
    }

    /// Signs `ada` in for the first time: password and secret.
    async fn enrol(&mut self) -> (String, String) {
        let password = "a first pelican & more".to_owned();
        let answer = self.program.sign_in("ada", &password).await.json();
        let ticket = self.keep_ticket(&answer);
        let told = login(&self.program, "/enrol", json!({ "ticket": ticket }))
            .await
            .expect(200)
            .json();
        let ticket = self.keep_ticket(&told);
        let secret = self
            .secrets
            .keep("secret of the second factor", text_of(&told, "secret"));
        self.secrets.keep("address of the second factor", text_of(&told, "uri"));
        let code = self.secrets.keep("code", totp(&secret, 0));
        let enrolled = json!({ "ticket": ticket, "code": code });
        let enrolled = login(&self.program, "/enrol", enrolled).await.expect(200).json();
        for code in enrolled["recovery_codes"].as_array().expect("codes") {
            self.secrets.keep("recovery code", code.as_str().expect("a code"));
        }
        self.keep_session();
        let with = json!({ "ticket": ticket, "code": code });
        let page = login(&self.program, "/enrol", with).await;
        self.show("a ticket used twice", page);

        let again = self.program.clone().without_cookies();
        let answer = again.sign_in("ada", &password).await.json();
        let ticket = self.keep_ticket(&answer);
        let code = enrolled["recovery_codes"][0].clone();
        let with = json!({ "ticket": ticket, "code": code });
        login(&again, "/second-factor", with).await.expect(200);
        let answer = again.sign_in("ada", &password).await.json();
        let with = json!({ "ticket": self.keep_ticket(&answer), "code": code });
        let page = login(&again, "/second-factor", with).await.expect(401);
        self.show("a recovery code used twice", page);
        self.program = again;
        self.keep_session();
        (password, secret)
    }

    /// Wrong secrets, in right and wrong places, and right ones in wrong places.
    async fn guess(&mut self, password: &str, secret: &str) {
        let wrong = self.secrets.keep("guessed password", "a guessed bittern");
        let typed = self.secrets.keep("password typed as a name", "my own password?");
        for (name, password) in [("ada", &wrong), ("nobody", &wrong), (&typed, &wrong)] {
            let reply = self
                .program
                .clone()
                .without_cookies()
                .sign_in(name, password)
                .await
                .expect(401);
            self.show("a wrong password to a program", reply);
            let page = self.visitor.get("/.stagedoor/login?to=/page").await.expect(200);
            let fields = [
                ("csrf", hidden(&page, "csrf")),
                ("to", String::new()),
                ("username", "ada".to_owned()),
                ("password", password.clone()),
            ];
            let page = form(&self.visitor, "/.stagedoor/login", &fields).await;
            self.show("a wrong password in the form", page);
            let forged = [
                ("csrf", wrong.clone()),
                ("username", "ada".to_owned()),
                ("password", password.clone()),
            ];
            let page = form(&self.visitor, "/.stagedoor/login", &forged).await;
            self.show("a form that is not the door's", page);
        }
        let code = self.secrets.keep(
            "wrong code",
            if totp(secret, 0) == "246802" {
                "135791"
            } else {
                "246802"
            },
        );
        let all = json!({ "username": "ada", "password": password, "code": code });
        let reply = login(&self.program, "", all).await.expect(401);
        self.show("a wrong code", reply);
        for body in [
            format!("{{\"username\":\"ada\",\"password\":\"{wrong}"),
            format!("{{\"username\":\"ada\",\"password\":[\"{wrong}\"]}}"),
            format!("{{\"username\":\"ada\",\"pasword\":\"{wrong}\",\"{wrong}\":1}}"),
            format!("username=ada&password={wrong}"),
        ] {
            let request = Request::post("/.stagedoor/login").header(header::CONTENT_TYPE, "application/json");
            let reply = self.program.send(request.body(body_of(body)).expect("a request")).await;
            self.show("a body that is broken", reply);
        }
        for page in ["login", "login/enrol", "profile", "whoami", "setup", "nothing"] {
            let query = format!(
                "/.stagedoor/{page}?password={}&token={}",
                encoding::percent(&wrong),
                encoding::percent(secret)
            );
            let reply = self.visitor.get(&query).await;
            if page != "login" {
                self.show("a secret in a query", reply);
            }
        }
    }

    /// Password and second factor are changed on the profile.
    async fn change(&mut self, password: &str, secret: &str) {
        let new = self.secrets.keep("new password", "another heron, entirely");
        let wrong = self.secrets.keep("wrong present password", "no heron at all");
        let page = self.program.get("/.stagedoor/profile/password").await.expect(200);
        for (current, repeat) in [(wrong.as_str(), &new), (password, &wrong), (password, &new)] {
            let fields = [
                ("csrf", hidden(&page, "csrf")),
                ("current_password", current.to_owned()),
                ("new_password", new.clone()),
                ("repeat", repeat.clone()),
            ];
            let reply = form(&self.program, "/.stagedoor/profile/password", &fields).await;
            self.show("a change of the password", reply);
        }
        self.keep_session();
        let reply = self.program.get("/.stagedoor/profile").await.expect(200);
        self.show("the profile", reply);
        let next = self.secrets.keep("next code", totp(secret, 1));
        let again = self.program.clone().without_cookies();
        let all = json!({ "username": "ada", "password": new, "code": next });
        login(&again, "", all).await.expect(200);
        self.program = again;
        self.keep_session();
        self.program.get("/page?console=1").await.expect(200);
    }

    /// The admin API, by its token and by others.
    async fn administer(&mut self) {
        let admin = self.door.admin();
        self.secrets.keep("token of the admin API", admin.token());
        let made = admin.add(json!({ "name": "bea", "role": "keeper" })).await;
        let temporary = text_of(&made, "temporary_password");
        let temporary = self.secrets.keep("temporary password", temporary);
        let bea = self.program.clone().without_cookies();
        let answer = bea.sign_in("bea", &temporary).await.json();
        // She has to enrol before she may choose another password, so it is refused either way.
        let ticket = self.keep_ticket(&answer);
        let unfit = self.secrets.keep("unfit password", "short1");
        let with = json!({ "ticket": ticket, "new_password": unfit });
        let reply = login(&bea, "/password", with).await;
        self.show("an unfit password", reply);
        let given = self.secrets.keep("password given to the API", "a gift of three wrens");
        let password = Some(json!({ "password": given }));
        let reply = admin
            .ask(http::Method::POST, "/v1/accounts/bea/password", password)
            .await
            .expect(200);
        self.show("a password given to the API", reply);
        let taken = Some(json!({ "name": "bea", "role": "keeper", "password": given }));
        let reply = admin.ask(http::Method::POST, "/v1/accounts", taken).await.expect(409);
        self.show("an account that is there", reply);
        let wrong = Some(json!({ "name": "cid", "role": "keeper", "pass": given, (given.as_str()): given }));
        let reply = admin.ask(http::Method::POST, "/v1/accounts", wrong).await;
        self.show("a field that is none", reply);
        let token = Some(json!({ "name": "reader", "scopes": ["audit:read"] }));
        let token = admin
            .ask(http::Method::POST, "/v1/tokens", token)
            .await
            .expect(201)
            .json();
        let token = self.secrets.keep("another token", text_of(&token, "token"));
        let guessed = self
            .secrets
            .keep("guessed token", format!("{}{}", &token[1..], &token[..1]));
        for (scheme, token) in [
            ("Bearer", &token),
            ("Bearer", &guessed),
            ("Basic", &token),
            ("bearer  ", &guessed),
        ] {
            let at = self.door.admin_address();
            let caller = Visitor::new(at, at.to_string()).always("authorization", &format!("{scheme} {token}"));
            for path in ["/v1/accounts", "/v1/audit?limit=1", "/metrics", "/v1/nothing"] {
                let reply = caller.get(path).await;
                self.show("an answer of the API", reply);
            }
        }
        for path in [
            "accounts",
            "sessions",
            "tokens",
            "lockouts",
            "audit?limit=1000",
            "policy",
            "accounts/ada",
        ] {
            let reply = admin.get(&format!("/v1/{path}")).await.expect(200);
            self.show(path, reply);
        }
    }

    /// Requests that are refused, with cookies and credentials in them.
    async fn wander(&mut self) {
        let secret = self
            .secrets
            .keep("credentials for the console", "c29tZWJvZHk6c29tZXRoaW5n");
        let made_up = self
            .secrets
            .keep("made-up session", "Zm9yZ2VkLXNlc3Npb24tb2Ytbm9ib2R5LWF0LWFsbA");
        for path in [
            "/page",
            "/page/../x",
            "/a%2Fb",
            "/.stagedoor/whoami",
            "/.stagedoor/jwks.json",
            "/a%00b",
        ] {
            for cookies in [
                None,
                Some(format!("stagedoor={made_up}")),
                Some(format!("stagedoor={made_up}; stagedoor={made_up}")),
            ] {
                let mut request = Request::get(path).header(header::AUTHORIZATION, format!("Basic {secret}"));
                if let Some(cookies) = cookies {
                    request = request.header(header::COOKIE, cookies);
                }
                let reply = self.program.send(request.body(body_of("")).expect("a request")).await;
                self.show(path, reply);
            }
        }
        let reply = self.program.get("/.stagedoor/whoami").await.expect(200);
        self.show("whoami", reply);
        self.program.get("/page").await.expect(200);
        let reply = self.program.clone().sign_out().await;
        self.show("signing out", reply);
    }

    fn keep_ticket(&mut self, answer: &Value) -> String {
        self.secrets.keep("ticket", text_of(answer, "ticket"))
    }

    fn keep_session(&mut self) {
        let session = self.program.cookie("stagedoor").expect("a session");
        self.secrets.keep("session", session);
    }
}

fn text_of(answer: &Value, name: &str) -> String {
    let text = answer[name].as_str();
    text.unwrap_or_else(|| panic!("no `{name}` in {answer}")).to_owned()
}

async fn login(visitor: &Visitor, page: &str, body: Value) -> Reply {
    visitor.post_json(&format!("/.stagedoor/login{page}"), &body).await
}

async fn form(visitor: &Visitor, path: &str, fields: &[(&str, String)]) -> Reply {
    let encoded = |text: &str| encoding::percent(text);
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header(header::ACCEPT, "text/html");
    visitor
        .send(request.body(body_of(fields.join("&"))).expect("a request"))
        .await
}

/// The value of a hidden field of a form.
fn hidden(page: &Reply, name: &str) -> String {
    let text = page.text();
    let field = text.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")));
    let field = field.unwrap_or_else(|| panic!("no field `{name}` in {text}"));
    let value = field.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value.expect("the field has a value").to_owned()
}
