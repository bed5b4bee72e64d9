//! The gateway: the binary `stagedoor`, and the only crate that names pingora.
//!
//! A request travels `stage/address → target → session → decide → forward → reply`; [`proxy`] calls the stages in that
//! order and does nothing else. [`open`] holds what is under way, so that a change of rules or a lost session reaches it.

pub mod access_log;
pub mod answer;
pub mod app;
pub mod asks;
pub mod assertion;
pub mod audit;
pub mod bound;
pub mod bridge;
pub mod caching;
pub mod cli;
pub mod context;

pub mod demo;
pub mod due;
pub mod ending;
pub mod fault;
pub mod figures;
pub mod first_start;
pub mod headers;
pub mod house;
pub mod https;
pub mod keeping;
pub mod listener;
pub mod logging;
pub mod loops;
pub mod mail;
pub mod metrics;
pub mod nodes;
pub mod open;
pub mod pace;
pub mod panics;
pub mod preferences;
pub mod proxy;
pub mod recall;
pub mod refusal;
pub mod request_id;
pub mod seats;
pub mod spelling;
pub mod stage;
pub mod storing;
pub mod systemd;
pub mod tunnel;
pub mod upgrade;
pub mod upstream;
pub mod way;
pub mod websocket;
pub mod wire;
