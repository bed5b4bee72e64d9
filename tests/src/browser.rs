//! Chromium, driven as a person would: look for what is on the page, type, press, read.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;
use tokio::net::TcpStream;

use crate::place::target_folder;
use crate::{Door, PASSWORD, Relay, Running, eventually, free_port};

const STARTED_WITHIN: Duration = Duration::from_secs(60);
const SEEN_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What keeps Chromium to the page it is shown: no sandbox (CI is root), nothing fetched of its own accord.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=PasswordLeakDetection,OptimizationHints,MediaRouter",
    "--no-first-run",
    "--no-default-browser-check",
    "--window-size=1200,900",
];

/// One person's browser, with an empty profile. Dropped, it is killed.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    chromium: Option<Pid>,
    // In this order: the driver's process goes before the profile that it writes to, and the wire last.
    _process: Running,
    _profile: TempDir,
    _wire: Option<Relay>,
}

impl Browser {
    /// A browser at 127.0.0.1.
    pub async fn open() -> Self {
        Self::start(None).await
    }

    /// A browser that reaches this door, and nothing else, from another loopback address.
    pub async fn open_at(address: &str, door: &Door) -> Self {
        let from: IpAddr = address.parse().expect("an address");
        Self::start(Some(Relay::start(from, door.address()).await)).await
    }

    async fn start(wire: Option<Relay>) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", profile.path());
        let process = Running::start("chromedriver", command, &profile.path().join("chromedriver.log"));
        eventually("chromedriver listens", STARTED_WITHIN, async || {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;

        let mut wishes = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wishes.add_arg(flag).expect("a flag can be added");
        }
        wishes
            .add_arg(&format!("--user-data-dir={}/profile", profile.path().display()))
            .expect("a flag");
        if let Some(wire) = &wire {
            wishes
                .add_arg(&format!("--host-resolver-rules=MAP * {}", wire.address()))
                .expect("a flag");
        }
        wishes.accept_insecure_certs(true).expect("a wish can be added");
        wishes
            .set_browser_log_level(LoggingPrefsLogLevel::Severe)
            .expect("a wish can be added");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wishes)
            .await
            .expect("chromium starts");
        let chromium = driver
            .capabilities()
            .get("goog:processID")
            .and_then(|id| i32::try_from(id.as_i64()?).ok());
        Self {
            chromium: chromium.and_then(Pid::from_raw),
            driver,
            _process: process,
            _profile: profile,
            _wire: wire,
        }
    }

    /// What the helpers here have no word for.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Goes to an address.
    pub async fn go(&self, url: &str) {
        self.driver
            .goto(url)
            .await
            .unwrap_or_else(|error| panic!("`{url}` cannot be opened: {error}"));
    }

    /// Goes to a page of a site, is sent to the sign-in page, signs in, and is back on the page.
    pub async fn sign_in(&self, door: &Door, site: &str, path: &str, name: &str) {
        self.go(&door.url(site, path)).await;
        self.fill("input[name=username]", name).await;
        self.fill("input[name=password]", PASSWORD).await;
        self.press("form button[type=submit]").await;
        self.is_at(&door.url(site, path)).await;
    }

    /// Waits for an element that can be seen.
    pub async fn find(&self, css: &str) -> WebElement {
        let found = self
            .driver
            .query(By::Css(css))
            .wait(SEEN_WITHIN, LOOK_EVERY)
            .and_displayed()
            .first()
            .await;
        match found {
            Ok(element) => element,
            Err(_) => self.give_up(&format!("no `{css}` to be seen")).await,
        }
    }

    /// Types into a field, over what is there.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("a field can be emptied");
        field.send_keys(text).await.expect("a field can be typed into");
    }

    /// Presses a button or follows a link.
    pub async fn press(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .unwrap_or_else(|error| panic!("`{css}` cannot be pressed: {error}"));
    }

    /// Presses the button, or follows the link, in the page's main part that reads so.
    pub async fn choose(&self, text: &str) {
        let query = self.driver.query(By::XPath(reading(text)));
        match query.wait(SEEN_WITHIN, LOOK_EVERY).and_displayed().first().await {
            Ok(element) => element
                .click()
                .await
                .unwrap_or_else(|error| panic!("`{text}` cannot be pressed: {error}")),
            Err(_) => self.give_up(&format!("nothing that reads `{text}`")).await,
        }
    }

    /// Whether there is a button or a link that reads so, on the page as it is now.
    pub async fn offers(&self, text: &str) -> bool {
        let found = self.driver.find_all(By::XPath(reading(text))).await;
        !found.expect("the page can be searched").is_empty()
    }

    /// Waits until the page says this.
    pub async fn reads(&self, text: &str) {
        let says = async || self.text().await.contains(text).then_some(());
        if !holds(says).await {
            self.give_up::<()>(&format!("the page does not say `{text}`")).await;
        }
    }

    /// Waits until these are the texts of the elements, in the order of the page.
    pub async fn shows(&self, css: &str, texts: &[&str]) {
        let alike = async || (self.texts(css).await.as_slice() == texts).then_some(());
        if !holds(alike).await {
            let seen = self.texts(css).await;
            self.give_up::<()>(&format!("`{css}` are {seen:?} and not {texts:?}"))
                .await;
        }
    }

    /// The texts of the elements as the page is now.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        // The page may be on its way out: then there is nothing to read just now.
        for element in self.driver.find_all(By::Css(css)).await.unwrap_or_default() {
            texts.push(element.text().await.unwrap_or_default());
        }
        texts
    }

    /// Waits until the element is part of the page and not to be seen.
    pub async fn hides(&self, css: &str) {
        let hidden = async || {
            let element = self.driver.find(By::Css(css)).await.ok()?;
            (!element.is_displayed().await.ok()?).then_some(())
        };
        if !holds(hidden).await {
            self.give_up::<()>(&format!("`{css}` is to be seen, or is not there"))
                .await;
        }
    }

    /// Waits until this is the address of the page.
    pub async fn is_at(&self, url: &str) {
        let arrived = async || {
            let here = self.driver.current_url().await.ok()?;
            (here.as_str() == url).then_some(())
        };
        if !holds(arrived).await {
            self.give_up::<()>(&format!("not at `{url}`")).await;
        }
    }

    /// All that the page says now.
    pub async fn text(&self) -> String {
        // The page may be on its way out: then there is nothing to read just now.
        match self.driver.find(By::Tag("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Runs JavaScript in the page; the script calls its last argument with the answer.
    pub async fn run(&self, script: &str) -> serde_json::Value {
        let answer = self.driver.execute_async(script, Vec::new()).await;
        answer
            .unwrap_or_else(|error| panic!("the script fails: {error}"))
            .json()
            .clone()
    }

    /// What Chromium has called an error since it was last asked: scripts blocked or broken, files that did not come.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("Chromium keeps a log");
        log.into_iter().map(|entry| entry.message).collect()
    }

    /// Keeps a picture of the page as `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = target_folder().join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let file = folder.join(format!("{name}.png"));
        self.driver.screenshot(&file).await.expect("a picture can be taken");
        file
    }

    /// Closes the browser.
    pub async fn close(self) {
        // The process is killed anyway when this value goes.
        self.driver.clone().quit().await.ok();
    }

    async fn give_up<T>(&self, what: &str) -> T {
        static FAILED: AtomicU32 = AtomicU32::new(0);
        let number = FAILED.fetch_add(1, Ordering::Relaxed);
        let picture = self
            .screenshot(&format!("failed-{}-{number}", std::process::id()))
            .await;
        let at = self
            .driver
            .current_url()
            .await
            .map_or_else(|error| error.to_string(), |url| url.to_string());
        panic!(
            "{what}; at `{at}`, picture `{}`, the page says:\n{}",
            picture.display(),
            self.text().await
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // chromedriver puts Chromium into a process group of its own.
        if let Some(chromium) = self.chromium {
            kill_process(chromium, Signal::KILL).ok();
        }
    }
}

/// Buttons and links of the main part, by their text.
fn reading(text: &str) -> String {
    format!("//main//*[self::a or self::button][normalize-space()=\"{text}\"]")
}

async fn holds(mut ask: impl AsyncFnMut() -> Option<()>) -> bool {
    let started = std::time::Instant::now();
    while started.elapsed() < SEEN_WITHIN {
        if ask().await.is_some() {
            return true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    false
}
