//! Every page there is: each is held to the same rules of form, and left in `target/pages/` for people to look at.
//!
//! How to make pictures of them is told in `docs/pages.md`.

use std::fs;
use std::path::{Path, PathBuf};

use http::StatusCode;
use stagedoor_policy::time::Timestamp;

use super::house::roomy_rules;
use super::{Answer, Browser, House, PASSWORD};
use crate::Audience;
use crate::refusal::{self, Look, RefusalView};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";

/// Pages as they are shown, by the name of the file they are kept in.
#[derive(Default)]
struct Gallery(Vec<(&'static str, String)>);

impl Gallery {
    fn hang(&mut self, name: &'static str, page: &Answer) {
        assert_eq!(
            page.header("content-type"),
            "text/html; charset=utf-8",
            "{name}: {}",
            page.body
        );
        self.0.push((name, page.body.clone()));
    }
}

#[tokio::test]
async fn every_page_is_well_formed_and_can_be_used_without_eyes() {
    let mut gallery = Gallery::default();
    first_account(&mut gallery).await;
    signing_in(&mut gallery).await;
    second_factor(&mut gallery).await;
    ones_own(&mut gallery).await;
    refusals(&mut gallery);
    let folder = folder();
    fs::create_dir_all(folder.join(".stagedoor/assets")).unwrap();
    assets(&folder).await;
    for (name, page) in &gallery.0 {
        judge(name, page);
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}

async fn first_account(gallery: &mut Gallery) {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser
        .get(&format!("/.stagedoor/setup?token={}", house.link.expose()))
        .await;
    gallery.hang("setup", &form);
    let fields = [("username", "root"), ("new_password", "short"), ("repeat", "short")];
    gallery.hang("setup-mended", &browser.fill(&form, "setup", &fields).await);
}

async fn signing_in(gallery: &mut Gallery) {
    let house = House::new().await;
    house.account("alice").await;
    house.account_in("bob", "local").await;
    house.with_temporary_password("tom").await;
    let mut browser = house.browser();
    gallery.hang("login", &browser.get("/.stagedoor/login").await);
    gallery.hang("login-wrong", &browser.sign_in("alice", "not the right one").await);
    gallery.hang("login-address", &house.browser().sign_in("bob", PASSWORD).await);
    let mut displaced = house.signed_in("alice").await;
    gallery.hang("login-again", &displaced.get("/.stagedoor/login").await);
    house.wait(14 * 60);
    house.browser().from("198.51.100.7").sign_in("alice", PASSWORD).await;
    gallery.hang("login-displaced", &displaced.get("/.stagedoor/login").await);
    for _ in 0..5 {
        browser.sign_in("mallory", "a guess of many").await;
    }
    gallery.hang("login-locked", &browser.sign_in("mallory", "a guess of many").await);
    browser.sign_in("tom", PASSWORD).await;
    let page = browser.get("/.stagedoor/login/password").await;
    gallery.hang("new-password", &page);
    let fields = [("new_password", "tom"), ("repeat", "tom")];
    gallery.hang(
        "new-password-unfit",
        &browser.fill(&page, "login/password", &fields).await,
    );
}

async fn second_factor(gallery: &mut Gallery) {
    let house = House::new().await;
    house.account_in("gil", "guard").await;
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let page = browser.get("/.stagedoor/login/enrol").await;
    gallery.hang("enrol", &page);
    let wrong = [("code", "000000")];
    gallery.hang("enrol-wrong", &browser.fill(&page, "login/enrol", &wrong).await);
    let code = house.code(&page.secret());
    let codes = browser.fill(&page, "login/enrol", &[("code", &code)]).await;
    gallery.hang("recovery-codes", &codes);
    house.wait(60);
    let mut browser = house.browser();
    browser.sign_in("gil", PASSWORD).await;
    let page = browser.get("/.stagedoor/login/second-factor").await;
    gallery.hang("second-factor", &page);
    let answer = browser.fill(&page, "login/second-factor", &wrong).await;
    gallery.hang("second-factor-wrong", &answer);
}

async fn ones_own(gallery: &mut Gallery) {
    let house = House::with(roomy_rules(), "Stagedoor").await;
    house.account("alice").await;
    gallery.hang("whoami-stranger", &house.browser().get("/.stagedoor/whoami").await);
    let elsewhere: [(&str, &str); 2] = [("198.51.100.7", SAFARI), ("2001:db8::17", "curl/8.1")];
    for (address, agent) in elsewhere {
        let mut browser = house.browser().from(address).saying("user-agent", agent);
        browser.sign_in("alice", PASSWORD).await;
        house.wait(600);
    }
    let mut browser = house.browser().saying("user-agent", FIREFOX);
    browser.sign_in("alice", PASSWORD).await;
    for (name, page) in [
        ("profile", "profile"),
        ("own-password", "profile/password"),
        ("own-second-factor", "profile/second-factor"),
        ("whoami", "whoami"),
        ("logout", "logout"),
    ] {
        gallery.hang(name, &browser.get(&format!("/.stagedoor/{page}")).await);
    }
    after_changes(&house, browser, gallery).await;
}

async fn after_changes(house: &House, mut browser: Browser, gallery: &mut Gallery) {
    let page = browser.get("/.stagedoor/profile/password").await;
    let fields = [
        ("current_password", "oops"),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    let answer = browser.fill(&page, "profile/password", &fields).await;
    gallery.hang("own-password-wrong", &answer);
    let page = browser.get("/.stagedoor/profile/second-factor").await;
    browser
        .fill(&page, "profile/second-factor", &[("password", PASSWORD)])
        .await;
    let page = browser.get("/.stagedoor/profile/second-factor").await;
    let code = house.code(&page.secret());
    browser.fill(&page, "profile/second-factor", &[("code", &code)]).await;
    let token = browser.get("/.stagedoor/logout").await.token("logout");
    let others = [("csrf", token.as_str()), ("end", "others")];
    browser.post("/.stagedoor/profile/sessions", &others).await;
    gallery.hang("profile-done", &browser.get("/.stagedoor/profile").await);
    let page = browser.get("/.stagedoor/logout").await;
    gallery.hang("logged-out", &browser.fill(&page, "logout", &[]).await);
}

fn refusals(gallery: &mut Gallery) {
    for (name, status, code) in [
        ("refused", 403, "not_granted"),
        ("refused-address", 403, "address_not_allowed_site"),
        ("refused-not-found", 404, "not_found"),
        ("refused-console-down", 502, "upstream_unreachable"),
        ("refused-closed", 503, "unavailable"),
    ] {
        let look = Look {
            prefix: "/.stagedoor/".to_owned(),
            title: "Stagedoor".to_owned(),
        };
        let mut view = RefusalView::new(look, StatusCode::from_u16(status).unwrap(), code);
        view.support_code = Some("K7QM-2D".to_owned());
        view.request_id = Some("01990f7c-6b0a-7e31-9d1c-0a5b3c7d9e11".to_owned());
        view.at = Some(Timestamp::from_micros(1_795_362_360_000_000));
        view.site = Some("orders".to_owned());
        view.address = Some([203, 0, 113, 9].into());
        view.account = (status == 403).then(|| "alice".to_owned());
        let (status, headers, body) = refusal::answer(&view, Audience::Person);
        gallery.hang(name, &Answer { status, headers, body });
    }
}

/// The stylesheet and the mark, where the pages look for them.
async fn assets(folder: &Path) {
    let mut browser = House::new().await.browser();
    let page = browser.get("/.stagedoor/login").await;
    for before in ["rel=\"stylesheet\" href=\"", "<img src=\""] {
        let path = page.between(before, "\"").remove(0);
        let asset = browser.get(&path).await;
        fs::write(folder.join(path.trim_start_matches('/')), asset.body).unwrap();
    }
}

/// Beside the test's own program, wherever the build puts it: `target/pages/`.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().find(|folder| folder.ends_with("target"));
    target.map_or_else(std::env::temp_dir, Path::to_path_buf).join("pages")
}

fn judge(name: &str, page: &str) {
    let count = |what: &str| page.matches(what).count();
    assert_eq!(count("<h1>"), 1, "{name}: one headline");
    assert!(
        page.contains("<html lang=\"en\">") && page.contains("<main id=\"main\">"),
        "{name}"
    );
    assert!(!page.contains("<title> "), "{name}: a title that says something");
    for unwanted in [
        "<script",
        " style=",
        "<style",
        "javascript:",
        " onclick",
        "http://",
        "{{",
        "{%",
    ] {
        assert!(!page.contains(unwanted), "{name}: {unwanted}");
    }
    for image in tags(page, "<img ") {
        assert!(image.contains(" alt="), "{name}: {image}");
    }
    let shown = |input: &&str| !input.contains("type=\"hidden\"") && !input.ends_with(" hidden");
    for input in tags(page, "<input ").into_iter().filter(shown) {
        let id = attribute(input, "id");
        assert_eq!(count(&format!("<label for=\"{id}\">")), 1, "{name}: {input}");
        assert!(input.contains("autocomplete="), "{name}: {input}");
    }
    for (mark, target) in [("aria-describedby=\"", "id=\""), ("aria-labelledby=\"", "id=\"")] {
        for rest in page.split(mark).skip(1) {
            let id = rest.split('"').next().unwrap();
            assert_eq!(count(&format!("{target}{id}\"")), 1, "{name}: {mark}{id}");
        }
    }
    for form in page.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap();
        assert!(
            form.contains("method=\"post\"") && form.contains("name=\"csrf\""),
            "{name}: {form}"
        );
        assert_eq!(form.matches("type=\"submit\"").count(), 1, "{name}: {form}");
    }
}

fn tags<'a>(page: &'a str, opening: &str) -> Vec<&'a str> {
    page.split(opening)
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
        .collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    tag.split(&format!("{name}=\""))
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
}
