//! Who may do what: accounts and roles, passwords and second factors, sessions.
//!
//! Accounts are a fold over their events, as everything that an archive knows; so one data medium and the key medium give them back. Everything here decides
//! with the time, the random source and the events as arguments; the service carries out.

pub mod account;
pub mod credentials;
pub mod directory;
pub mod error;
pub mod login;
pub mod password;
pub mod people;
pub mod rate;
pub mod review;
pub mod role;
pub mod searches;
pub mod session;
pub mod totp;

pub use account::{Account, AccountFacts, AccountKind, AccountState, Scope};
pub use directory::Directory;
pub use error::AccessError;
pub use people::People;
pub use role::{Right, Role};
