//! Time-Stamp Protocol (RFC 3161): request, response, token.

mod request;
mod response;
mod token;
mod tst_info;

pub use crate::x509::Extension;
pub use request::{MessageImprint, TimeStampRequest};
pub use response::{Failure, Status, TimeStampResponse};
pub use token::TimeStampToken;
pub use tst_info::{Accuracy, TstInfo};
