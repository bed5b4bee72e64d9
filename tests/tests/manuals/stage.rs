//! A door with the rules of a preset, and the people who come to it.

use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::mail::{MailServer, Received, Tls};
use stagedoor_tests::{Admin, Browser, Door, FakeConsole, Reply, Visitor, repository, totp};

/// Keeps the rules of every preset.
pub(crate) const FIT: &str = "Kv7$mQx2pLrT4!Zb";
/// Another one.
pub(crate) const OTHER_FIT: &str = "Wz4!hTn8sRbY6@Kd";
/// For what has nothing to do with the second factor.
pub(crate) const ONE_FACTOR: [(&str, &str); 1] = [("ask = \"required\"", "ask = \"optional\"")];

/// What letters name as the door's address.
const PUBLIC_URL: &str = "https://console.example";
/// A proxy of ours, which says for whom it speaks.
const PROXY: &str = "127.0.4.9";

/// See the module.
pub(crate) struct Stage {
    pub(crate) door: Door,
    pub(crate) admin: Admin,
    mail: Option<MailServer>,
    tokens: AtomicU32,
    _console: FakeConsole,
}

impl Stage {
    /// With the rules of a preset, changed where `but` says so, and a mail server.
    pub(crate) async fn with(preset: &str, but: &[(&str, &str)]) -> Self {
        let mail = MailServer::started(Tls::None).await;
        let building = format!(
            "[mail]\nurl = \"smtp://127.0.0.1:{}\"\nstarttls = \"off\"\nfrom = \"door@mail.example\"\n\
             public_url = \"{PUBLIC_URL}\"\n",
            mail.port
        );
        Self::built(&building, &policy(preset, but), Some(mail)).await
    }

    /// The same without a mail server: whoever makes a link is shown it, once.
    pub(crate) async fn without_mail(preset: &str, but: &[(&str, &str)]) -> Self {
        Self::built("", &policy(preset, but), None).await
    }

    async fn built(building: &str, policy: &str, mail: Option<MailServer>) -> Self {
        let console = FakeConsole::start().await;
        let building =
            format!("[portal]\ntitle = \"FilingBox MEGA2\"\n[proxies]\nproxy_protocol = [\"{PROXY}\"]\n{building}");
        let plan = Door::plan().site("console", &console.url()).building(&building);
        let door = plan.policy(policy).open().await;
        Self {
            admin: door.admin(),
            door,
            mail,
            tokens: AtomicU32::new(0),
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
        self.token_of(name).await.ask(method, path, body).await
    }

    /// The admin API with a token that acts as this account.
    pub(crate) async fn token_of(&self, name: &str) -> Admin {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        let token = json!({ "name": format!("as-{name}-{number}"), "account": name,
                            "scopes": ["accounts:read", "accounts:write"] });
        let made = self
            .admin
            .ask(Method::POST, "/v1/tokens", Some(token))
            .await
            .expect(201);
        let token = made.json()["token"].as_str().expect("a token").to_owned();
        Admin::new(self.door.admin_address(), token)
    }

    /// Somebody at any address of the world.
    pub(crate) fn visitor_from(&self, address: &str) -> Visitor {
        let ahead = format!("PROXY TCP4 {address} 127.0.0.1 4711 80\r\n");
        self.visitor().from(PROXY).behind_proxy(ahead)
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
        try_by(&visitor, channel, name, FIT).await.expect(200);
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
        self.mail.as_ref().expect("a stage with mail").took_over(count).await
    }

    /// Where the link of a letter leads, at this door.
    pub(crate) fn link(&self, letter: &Received) -> String {
        let link = letter.link();
        let path = link.strip_prefix(PUBLIC_URL).expect("a link to the public address");
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

/// Tries to sign in by a channel other than the browser.
pub(crate) async fn try_by(visitor: &Visitor, channel: &str, name: &str, password: &str) -> Reply {
    let body = json!({ "username": name, "password": password, "channel": channel });
    visitor.post_json("/.stagedoor/login", &body).await
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

    /// Sets up a second factor on the page with the QR code: the secret, and the recovery codes, once shown.
    pub(crate) async fn enrols(&self) -> (String, Vec<String>) {
        let picture = self.browser.find("main img.qr").await;
        let source = picture.attr("src").await.expect("an answer").expect("a picture");
        assert!(source.starts_with("data:image/"), "{source}");
        let secret = self.browser.find(".typed code").await.text().await.expect("a secret");
        self.browser.fill("#code", &totp(&secret, 0)).await;
        self.browser.choose("Confirm").await;
        self.browser.reads("Your second factor is set up").await;
        let codes = self.browser.texts(".codes code").await;
        self.browser.choose("I have kept them, go on").await;
        (secret, codes)
    }

    /// Signs out by the link in the page's top right corner.
    pub(crate) async fn signs_out(&self) {
        self.browser.press("header nav a[href$='/logout']").await;
        self.browser.choose("Sign out").await;
        self.browser.reads("You are signed out").await;
    }

    /// Chooses from a list of choices.
    pub(crate) async fn selects(&self, css: &str, choice: &str) {
        let list = self.browser.find(css).await;
        list.send_keys(choice).await.expect("there is such a choice");
    }

    /// Chooses a password on a page that asks for a new one.
    pub(crate) async fn chooses(&self, password: &str) {
        self.browser.fill("#new_password", password).await;
        self.browser.fill("#repeat", password).await;
        self.browser.press("form.sheet button[type=submit]").await;
    }
}
