//! The pages of the console and what its API answers. Pure: plain data goes in, text comes out. The shell gathers the data
//! (`daemon::console`) and serves the text (`daemon::http::console`).
//!
//! | file | what |
//! |---|---|
//! | `markup` | HTML that escapes by type |
//! | `texts` | every word, in English and in Chinese |
//! | `frame` | what all pages have in common; signing in, messages |
//! | `overview`, `program`, `log`, `places` | the pages |
//! | `chart` | small charts as SVG |
//! | `model` | what pages and API show |
//! | `journal`, `samples` | what has happened, and what programs use, both bounded |
//! | `json`, `metrics` | the API, and OpenMetrics |
//! | `form`, `gzip` | what browsers send, and how they get it back |
//! | `assets` | style, scripts, the API's description |

pub mod assets;
pub mod chart;
pub mod form;
pub mod frame;
pub mod gzip;
pub mod journal;
pub mod json;
pub mod log;
mod markup;
pub mod metrics;
pub mod model;
pub mod overview;
pub mod places;
pub mod program;
pub mod samples;
pub mod texts;

pub use markup::percent_encode;
