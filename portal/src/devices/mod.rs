//! The devices that accounts sign in from where a channel demands one: a list, a new one, and whose each of them is.
//!
//! For who administers every account; everybody else finds the devices of an account on its page.

mod act;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod register;

pub(crate) use act::{ask_to_remove, link, remove, unlink};
