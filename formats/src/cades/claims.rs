//! Signed attributes that every signature of the baseline carries (EN 319 122-1 §6.3).

use time::OffsetDateTime;
use time::macros::format_description;

use crate::cms::Attribute;
use crate::der::{Tag, Writer};
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid;

/// signing-time (RFC 5652 §11.3): UTCTime through 2049, GeneralizedTime after.
///
/// # Errors
///
/// [`ErrorKind::InvalidTime`] for a year that neither can write.
pub fn signing_time(at: OffsetDateTime) -> Result<Attribute> {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (tag, text) = if at.year() < 2050 {
        let format = format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
        (Tag::UTC_TIME, at.format(format))
    } else {
        let format = format_description!("[year][month][day][hour][minute][second]Z");
        (Tag::GENERALIZED_TIME, at.format(format))
    };
    let text = text.map_err(|_| FormatError::new(ErrorKind::InvalidTime, "signingTime"))?;
    let mut value = Writer::new();
    value.primitive(tag, text.as_bytes());
    Ok(Attribute::new(oid::SIGNING_TIME, vec![value.into_bytes()]))
}

/// mime-type (EN 319 122-1 §5.2.5).
#[must_use]
pub fn mime_type(media_type: &str) -> Attribute {
    let mut value = Writer::new();
    value.primitive(Tag::UTF8_STRING, media_type.as_bytes());
    Attribute::new(oid::MIME_TYPE, vec![value.into_bytes()])
}
