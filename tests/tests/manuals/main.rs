//! What the manuals of three admin systems say of accounts, sentence by sentence, through the running door: with the preset
//! that ships, a real mail server, and Chromium where a manual speaks of a page. `docs/manuals.md` says which sentence is
//! proved where; what the presets say of areas, addresses and passwords is in `presets.rs`.

mod bstage;
mod bstage_access;
mod filingbox;
mod filingbox_entry;
mod filingbox_list;
mod stage;
mod stager;
mod stager_self;
