//! The rest of the face, by whom it is turned to.

mod administrators;
mod devices;
mod letters;
mod people;
