//! A real daemon with real programs, watched from outside.

pub mod boot;
mod children;
mod client;
mod cost;
pub mod fixture;
mod http;
mod lifecycle;
mod methods;
mod output;
mod reload;
mod shutdown;
mod stdin;
mod stock;
mod streaming;
