//! A door with the rules of a preset, and the people who come to it.

use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::mail::{MailServer, Received, Tls};
use stagedoor_tests::{Admin, Browser, Door, FakeConsole, Reply, Visitor, repository};

/// Keeps the rules of every preset.
pub(crate) const FIT: &str = "Kv7$mQx2pLrT4!Zb";
/// Another one.
pub(crate) const OTHER_FIT: &str = "Wz4!hTn8sRbY6@Kd";
/// For what has nothing to do with the second factor.
pub(crate) const ONE_FACTOR: [(&str, &str); 1] = [("ask = \"required\"", "ask = \"optional\"")];

/// See the module.
pub(crate) struct Stage {
    pub(crate) door: Door,
    pub(crate) admin: Admin,
    mail: MailServer,
    _console: FakeConsole,
}

impl Stage {
    /// With the rules of a preset, changed where `but` says so, and a mail server.
    pub(crate) async fn with(preset: &str, but: &[(&str, &str)]) -> Self {
        let (mail, console) = tokio::join!(MailServer::started(Tls::None), FakeConsole::start());
        let building = format!(
            "[portal]\ntitle = \"FilingBox MEGA2\"\n[mail]\nurl = \"smtp://127.0.0.1:{}\"\nstarttls = \"off\"\n\
             from = \"door@mail.example\"\npublic_url = \"https://console.example\"\n",
            mail.port
        );
        let door = Door::plan()
            .site("console", &console.url())
            .building(&building)
            .policy(&policy(preset, but))
            .open()
            .await;
        Self {
            admin: door.admin(),
            door,
            mail,
            _console: console,
        }
    }

    /// Makes an account that can sign in with [`FIT`].
    pub(crate) async fn add(&self, name: &str, role: &str, more: Value) -> Value {
        let mut account = json!({
            "name": name, "display_name": name, "password": FIT, "password_temporary": false, "role": role,
        });
        let fields = account.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.admin.add(account).await
    }

    /// Asks the admin API with a token that acts as this account.
    pub(crate) async fn ask_as(&self, name: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let token = json!({ "name": format!("as-{name}-{}", path.len()), "account": name,
                            "scopes": ["accounts:read", "accounts:write"] });
        let made = self
            .admin
            .ask(Method::POST, "/v1/tokens", Some(token))
            .await
            .expect(201);
        let token = made.json()["token"].as_str().expect("a token").to_owned();
        Admin::new(self.door.admin_address(), token)
            .ask(method, path, body)
            .await
    }

    pub(crate) fn visitor(&self) -> Visitor {
        self.door.visitor("console")
    }

    /// Signed in as a program does.
    pub(crate) async fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor();
        visitor.sign_in(name, FIT).await.expect(200);
        visitor
    }

    /// Signs in by a channel other than the browser.
    pub(crate) async fn sign_in_by(&self, channel: &str, name: &str) -> Visitor {
        let visitor = self.visitor();
        let body = json!({ "username": name, "password": FIT, "channel": channel });
        visitor.post_json("/.stagedoor/login", &body).await.expect(200);
        visitor
    }

    /// Somebody in front of Chromium, signed in.
    pub(crate) async fn person(&self, name: &str) -> Person<'_> {
        let person = self.stranger().await;
        person.sign_in(name, FIT).await;
        person
    }

    /// Somebody in front of Chromium.
    pub(crate) async fn stranger(&self) -> Person<'_> {
        Person {
            browser: Browser::open().await,
            stage: self,
        }
    }

    /// The address of a page of the door.
    pub(crate) fn page(&self, page: &str) -> String {
        self.door.url("console", &format!("/.stagedoor/{page}"))
    }

    /// The letters so far, once there are so many.
    pub(crate) async fn letters(&self, count: usize) -> Vec<Received> {
        self.mail.took_over(count).await
    }

    /// Where the link of a letter leads, at this door.
    pub(crate) fn link(&self, letter: &Received) -> String {
        let link = letter.link();
        let path = link
            .strip_prefix("https://console.example")
            .expect("a link to the public address");
        self.door.url("console", path)
    }

    /// Puts other rules in force.
    pub(crate) async fn apply(&self, policy: &str) {
        self.admin.replace_policy(policy, "*").await.expect(200);
    }
}

/// The rules of a preset, changed.
pub(crate) fn policy(preset: &str, but: &[(&str, &str)]) -> String {
    let file = repository().join("presets").join(preset).join("policy.toml");
    let mut policy = std::fs::read_to_string(file).expect("the preset");
    for (from, to) in but {
        assert!(policy.contains(from), "`{from}` is not in the preset {preset}");
        policy = policy.replace(from, to);
    }
    policy
}

/// The sentences about one field of a refused request.
pub(crate) fn told(reply: &Reply, field: &str) -> Vec<String> {
    let problem = reply.json();
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    let about = fields.iter().filter(|fault| fault["field"] == field);
    about
        .map(|fault| fault["message"].as_str().expect("a sentence").to_owned())
        .collect()
}

/// Somebody in front of Chromium.
pub(crate) struct Person<'s> {
    pub(crate) browser: Browser,
    stage: &'s Stage,
}

impl Person<'_> {
    /// Opens a page of the door.
    pub(crate) async fn opens(&self, page: &str) {
        self.browser.go(&self.stage.page(page)).await;
    }

    /// Types a name and a password into the sign-in page, and sends it.
    pub(crate) async fn tries_to_sign_in(&self, name: &str, password: &str) {
        self.opens("login?to=/.stagedoor/profile").await;
        self.browser.fill("input[name=username]", name).await;
        self.browser.fill("input[name=password]", password).await;
        self.browser.press("form button[type=submit]").await;
    }

    /// The same, and is in.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) {
        self.tries_to_sign_in(name, password).await;
        self.browser.is_at(&self.stage.page("profile")).await;
    }

    /// Opens an account's page from the list, by the name that it shows.
    pub(crate) async fn opens_account(&self, shown: &str) {
        self.opens("accounts").await;
        self.browser.choose(shown).await;
        self.browser.reads("Managed devices").await;
    }

    /// Chooses a password on a page that asks for a new one.
    pub(crate) async fn chooses(&self, password: &str) {
        self.browser.fill("#new_password", password).await;
        self.browser.fill("#repeat", password).await;
        self.browser.press("form.sheet button[type=submit]").await;
    }
}
