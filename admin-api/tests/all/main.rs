//! The API as its callers meet it, on a real store and real files.

mod accounts;
mod audit;
mod coverage;
mod edge;
mod house;
mod policy;
mod sessions;
mod tokens;
