//! `logs`, with real files.

mod activity;
mod read;
mod rotate;
mod streams;
