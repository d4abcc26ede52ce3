//! The archive service: intake, segments and media, keys, evidence jobs, records, command line.
//!
//! The only crate with network, async and databases.
#![forbid(unsafe_code)]

pub mod access;
pub mod acts;
pub mod api;
pub mod approval;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod class;
pub mod cli;
pub mod config;
pub mod content;
pub mod event;
pub mod evidence;
pub mod https;
pub mod intake;
pub mod journal;
pub mod keys;
pub mod media;
pub mod openid;
pub mod paper;
pub mod preview;
pub mod record;
pub mod remote;
pub mod scrub;
pub mod service;
pub mod signature;
pub mod space;
pub mod store;
pub mod telemetry;
pub mod tsa;
pub mod upload;
pub mod web;
