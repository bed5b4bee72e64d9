//! The way in, as somebody attacks it who has read the advisories of other doors: sections D to G of the gauntlet and their
//! relatives, through the running door. The judges are a console that keeps every byte, the store's own files, the metrics and
//! the audit.

mod admin_api;
mod apart;
mod codes;
mod forged;
mod loops;
mod names;
mod pages;
mod passwords;
mod person;
mod races;
mod redirects;
mod secrets;
mod sessions;
mod stage;
