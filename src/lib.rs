//! A Model Context Protocol server for Proxmox VE, generated from `tools.yaml`.

pub mod access;
pub mod approvals;
pub mod arguments;
pub mod audit;
pub mod caller;
pub mod catalogue;
pub mod checkup;
pub mod cli;
pub mod client;
pub mod clusters;
pub mod engine;
pub mod handlers;
pub mod http;
pub mod metrics;
pub mod oauth;
pub mod offers;
pub mod plan;
pub mod search;
pub mod secret;
pub mod server;
pub mod settings;
pub mod terminal;
pub mod tokens;
pub mod tool;
pub mod traces;
mod whole;
