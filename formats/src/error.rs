//! The one error type of this crate: what is wrong, and where.

use std::fmt;

/// Why bytes could not become a value, or a value could not become bytes.
///
/// It holds no text of the input: a foreign file must not choose what a log line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FormatError {
    kind: ErrorKind,
    place: Place,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end before the structure does. The file is cut off, or a length in it is wrong: fetch it again.
    Truncated,
    /// Bytes follow the end of the structure. The file was appended to, or it is something else.
    TrailingBytes,
    /// A limit of [`crate::limits`] is exceeded. The file is hostile, or larger than this program accepts.
    LimitExceeded,
    /// The tag of an ASN.1 element is not the one that the structure has here. The file is of another type, or damaged.
    UnexpectedTag,
    /// An ASN.1 length or tag is coded in a way that X.690 does not allow.
    InvalidEncoding,
    /// A mandatory member of the structure is absent.
    MissingElement,
    /// A member that may stand only once stands twice.
    DuplicateElement,
    /// A value is outside of what its clause allows (a number out of range, an empty list that must not be empty).
    InvalidValue,
    /// A time is not a valid calendar time, or not in the notation that the clause demands.
    InvalidTime,
    /// An object identifier is malformed.
    InvalidOid,
    /// Text is not in the character set or notation that the clause demands.
    InvalidText,
    /// The version number of the structure is not one that this program knows. Use a newer program.
    UnsupportedVersion,
    /// The structure is well formed but of another type than the one asked for (for example, not a SignedData).
    WrongType,
    /// The digest algorithm is not known to this program. Use a newer program.
    UnknownAlgorithm,
    /// A digest does not have the length of its algorithm.
    WrongDigestLength,
    /// A structure cannot be written because the caller's values do not fit it.
    NotEncodable,
    /// The caller's signing function failed while a structure was made.
    SigningFailed,
    /// A checksum does not match the bytes that it covers. The bytes are damaged: read another copy.
    ChecksumMismatch,
    /// The text is not JSON, or its members are not those of the structure.
    InvalidJson,
    /// The JSON text is not in the one form that RFC 8785 gives its value: another order, spacing, number notation or escape, or a repeated key.
    NotCanonical,
    /// The text is not well-formed XML, or uses what is refused in foreign XML (a document type, an entity).
    InvalidXml,
    /// The text may be well-formed XML, but has a document type, or is of another version than 1.0 or in another encoding than UTF-8.
    UnsupportedXml,
    /// A file name is empty, absolute, climbs out of its folder, or holds what no file name may hold. Somebody may be trying to overwrite other files.
    InvalidName,
    /// A member of a container is encrypted. Ask for a container without a password.
    Encrypted,
    /// A member of a container is compressed by a method other than DEFLATE. Ask for a container that uses none or DEFLATE.
    UnsupportedCompression,
    /// Two members of a container share bytes. The container is hostile or damaged.
    Overlap,
    /// Two places that must say the same thing contradict each other. The file is damaged, or made to look different to different programs.
    Inconsistent,
    /// Content is longer or shorter than its stated size.
    SizeMismatch,
    /// Content does not have its stated digest.
    DigestMismatch,
    /// The medium does not give the bytes. Nothing is known of them: look at the disk, or read another copy.
    Unreadable,
}

/// Where it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The name of the structure in its specification, for example `TSTInfo.genTime`.
    pub structure: &'static str,
    /// Byte offset from the start of the input given to the parser, where it is known.
    pub offset: Option<usize>,
}

/// The result of parsing and of encoding.
pub type Result<T, E = FormatError> = std::result::Result<T, E>;

impl FormatError {
    /// An error in `structure`, at an unknown offset.
    #[must_use]
    pub const fn new(kind: ErrorKind, structure: &'static str) -> Self {
        Self {
            kind,
            place: Place {
                structure,
                offset: None,
            },
        }
    }

    /// The same error, at a byte offset.
    #[must_use]
    pub const fn at(mut self, offset: usize) -> Self {
        self.place.offset = Some(offset);
        self
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where it is wrong.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.kind, self.place)
    }
}

impl std::error::Error for FormatError {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}", self.structure),
            None => f.write_str(self.structure),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the bytes end too early",
            Self::TrailingBytes => "bytes follow the end",
            Self::LimitExceeded => "a limit on foreign input is exceeded",
            Self::UnexpectedTag => "an element of another type stands here",
            Self::InvalidEncoding => "the encoding is not valid",
            Self::MissingElement => "a mandatory element is missing",
            Self::DuplicateElement => "an element stands twice",
            Self::InvalidValue => "a value is not allowed here",
            Self::InvalidTime => "a time is not valid",
            Self::InvalidOid => "an object identifier is not valid",
            Self::InvalidText => "text is not valid here",
            Self::UnsupportedVersion => "the version is not known",
            Self::WrongType => "the structure is of another type",
            Self::UnknownAlgorithm => "the algorithm is not known",
            Self::WrongDigestLength => "a digest has the wrong length",
            Self::NotEncodable => "the values do not fit the structure",
            Self::SigningFailed => "the signature could not be made",
            Self::ChecksumMismatch => "a checksum does not match",
            Self::InvalidJson => "this is not the expected JSON",
            Self::NotCanonical => "the JSON is not in its canonical form",
            Self::InvalidXml => "this is not acceptable XML",
            Self::UnsupportedXml => {
                "XML with a document type, another version or another encoding is not read"
            }
            Self::InvalidName => "a file name is not allowed",
            Self::Encrypted => "a member is encrypted",
            Self::UnsupportedCompression => "a compression method is not supported",
            Self::Overlap => "two members share bytes",
            Self::Inconsistent => "two statements contradict each other",
            Self::SizeMismatch => "content does not have its stated size",
            Self::DigestMismatch => "content does not have its stated digest",
            Self::Unreadable => "the bytes could not be read",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_kind_and_place() {
        let error = FormatError::new(ErrorKind::Truncated, "TSTInfo").at(12);
        assert_eq!(
            error.to_string(),
            "the bytes end too early in TSTInfo at byte 12"
        );
        assert_eq!(
            FormatError::new(ErrorKind::TrailingBytes, "TSTInfo").to_string(),
            "bytes follow the end in TSTInfo"
        );
    }
}
