//! The whole router, asked as browsers and programs ask it, before a real door with a store in memory.

mod browser;
mod destinations;
mod forgery;
mod gallery;
mod headers;
mod house;
mod program;
mod second_factor;
mod sessions;
mod setup;
mod sign_in;
mod strangers_words;

pub(super) use browser::{Answer, Browser};
pub(super) use house::{House, PASSWORD};
