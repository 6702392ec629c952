//! A real daemon with real programs, watched from outside.

pub mod boot;
mod breakdown;
mod children;
mod client;
mod connections;
mod console;
mod console_api;
mod cost;
pub mod fixture;
mod http;
mod lifecycle;
mod listeners;
mod methods;
mod output;
mod recovery;
mod reload;
mod scale;
mod shutdown;
mod stdin;
mod stock;
mod streaming;
mod takeover;
mod tree;
mod update;
mod upgrade;
