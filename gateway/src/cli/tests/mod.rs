//! The commands from the typed line to the printed answer, against a small server in the place of the admin API.

mod asking;
mod device;
mod files;
mod presets;
mod stage;
mod typing;
mod whole;
