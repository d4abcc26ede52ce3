//! Power-on self-tests: before any record is touched, each algorithm that guards records must give the answer that its
//! standard prints.
//!
//! A damaged binary, a wrong build or a faulty processor is noticed here, and not in ten years on a medium.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use formats::digest::DigestAlgorithm;
use formats::oid::Oid;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};
use verifier::crypto::verify_signature;

/// A function under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SelfTest {
    /// SHA-256, FIPS 180-4, two-block message.
    Sha256,
    /// SHA-512, FIPS 180-4, two-block message.
    Sha512,
    /// HMAC-SHA-256, RFC 4231 §4.3 (test case 2).
    HmacSha256,
    /// AES-256-GCM sealing, McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
    Aes256GcmSeal,
    /// AES-256-GCM opening of the same, and refusal of a wrong tag.
    Aes256GcmOpen,
    /// Argon2id, RFC 9106 §5.3.
    Argon2id,
    /// ECDSA P-256 with SHA-256, verification only: RFC 6979 §A.2.5, message "sample", and refusal of another message.
    EcdsaP256Verify,
    /// Zstandard: a frame written by hand from RFC 8878 §3.1.1 is read, and a round trip at the level of the archive.
    Zstandard,
}

impl SelfTest {
    /// All tests, in the order in which they run.
    pub const ALL: [Self; 8] = [
        Self::Sha256,
        Self::Sha512,
        Self::HmacSha256,
        Self::Aes256GcmSeal,
        Self::Aes256GcmOpen,
        Self::Argon2id,
        Self::EcdsaP256Verify,
        Self::Zstandard,
    ];

    /// The name of the function, for a log line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::HmacSha256 => "HMAC-SHA-256",
            Self::Aes256GcmSeal => "AES-256-GCM sealing",
            Self::Aes256GcmOpen => "AES-256-GCM opening",
            Self::Argon2id => "Argon2id",
            Self::EcdsaP256Verify => "ECDSA P-256 verification",
            Self::Zstandard => "Zstandard",
        }
    }

    /// What the function answers now, and what its standard says.
    fn answers(self) -> Option<(Vec<u8>, Vec<u8>)> {
        match self {
            Self::Sha256 => Some((Sha256::digest(TWO_BLOCKS_64).to_vec(), SHA256_ANSWER.into())),
            Self::Sha512 => Some((
                Sha512::digest(TWO_BLOCKS_128).to_vec(),
                SHA512_ANSWER.into(),
            )),
            Self::HmacSha256 => Some((hmac_answer()?, HMAC_ANSWER.into())),
            Self::Aes256GcmSeal => Some((gcm_seal()?, [GCM_CIPHERTEXT, GCM_TAG].concat())),
            Self::Aes256GcmOpen => Some((gcm_open()?, GCM_PLAINTEXT.into())),
            Self::Argon2id => Some((argon2id_answer()?, ARGON2ID_ANSWER.into())),
            Self::EcdsaP256Verify => Some((p256_answer()?, vec![1, 0])),
            Self::Zstandard => zstandard_answer(),
        }
    }
}

/// A function did not give the answer of its standard. This machine must not touch records: reinstall the program, then
/// suspect the memory and the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfTestFailure {
    /// The function that failed.
    pub test: SelfTest,
}

impl fmt::Display for SelfTestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "self-test failed: {} gives a wrong answer on this machine: reinstall the program, then check memory and processor",
            self.test.name()
        )
    }
}

impl std::error::Error for SelfTestFailure {}

/// A proof that the self-tests passed in this process.
#[derive(Debug, Clone, Copy)]
pub struct SelfTestsPassed(());

/// Runs all self-tests. Takes about a millisecond.
///
/// # Errors
/// [`SelfTestFailure`] names the first function that failed.
pub fn run() -> Result<SelfTestsPassed, SelfTestFailure> {
    run_with_fault(None)
}

/// Runs all self-tests and spoils one bit of what the function under `fault` answers, to show that a failure is noticed.
///
/// # Errors
/// [`SelfTestFailure`] names the first function that failed.
pub fn run_with_fault(fault: Option<SelfTest>) -> Result<SelfTestsPassed, SelfTestFailure> {
    for test in SelfTest::ALL {
        let Some((mut answer, expected)) = test.answers() else {
            return Err(SelfTestFailure { test });
        };
        if fault == Some(test)
            && let Some(byte) = answer.last_mut()
        {
            *byte ^= 1;
        }
        if answer != expected {
            return Err(SelfTestFailure { test });
        }
    }
    Ok(SelfTestsPassed(()))
}

fn hmac_answer() -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").ok()?;
    mac.update(b"what do ya want for nothing?");
    Some(mac.finalize().into_bytes().to_vec())
}

fn gcm_seal() -> Option<Vec<u8>> {
    let mut bytes = GCM_PLAINTEXT.to_vec();
    let tag = Aes256Gcm::new(&GCM_KEY.into())
        .encrypt_inout_detached(
            &Nonce::from(GCM_NONCE),
            GCM_ASSOCIATED,
            bytes.as_mut_slice().into(),
        )
        .ok()?;
    bytes.extend_from_slice(&tag);
    Some(bytes)
}

fn gcm_open() -> Option<Vec<u8>> {
    let cipher = Aes256Gcm::new(&GCM_KEY.into());
    let open = |tag: Tag| {
        let mut bytes = GCM_CIPHERTEXT.to_vec();
        cipher
            .decrypt_inout_detached(
                &Nonce::from(GCM_NONCE),
                GCM_ASSOCIATED,
                bytes.as_mut_slice().into(),
                &tag,
            )
            .map(|()| bytes)
    };
    let mut tag: [u8; 16] = GCM_TAG.try_into().ok()?;
    let opened = open(tag.into()).ok()?;
    *tag.last_mut()? ^= 0x80;
    open(tag.into()).is_err().then_some(opened)
}

fn argon2id_answer() -> Option<Vec<u8>> {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).ok()?)
        .build()
        .ok()?;
    let mut tag = vec![0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .ok()?
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .ok()?;
    Some(tag)
}

/// Whether the right and a wrong message verify.
fn p256_answer() -> Option<Vec<u8>> {
    let algorithm: Oid = ECDSA_WITH_SHA256.parse().ok()?;
    let key = [P256_KEY_HEAD, P256_X, P256_Y].concat();
    let signature = [b"\x30\x46\x02\x21\x00", P256_R, b"\x02\x21\x00", P256_S].concat();
    let verify = |message| {
        let digest = Some(DigestAlgorithm::Sha256);
        verify_signature(&key, &algorithm, None, digest, message, &signature).is_valid()
    };
    Some(vec![verify(b"sample").into(), verify(b"Sample").into()])
}

fn zstandard_answer() -> Option<(Vec<u8>, Vec<u8>)> {
    let mut answer = zstd::bulk::decompress(ZSTD_FRAME, 64).ok()?;
    let text = GCM_PLAINTEXT.repeat(64);
    let packed = zstd::bulk::compress(&text, 3).ok()?;
    if packed.len() >= text.len() {
        return None;
    }
    answer.extend(zstd::bulk::decompress(&packed, text.len()).ok()?);
    Some((answer, [ZSTD_TEXT, &text].concat()))
}

const TWO_BLOCKS_64: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const SHA256_ANSWER: &[u8] = &[
    0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
    0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1,
];
const TWO_BLOCKS_128: &[u8] = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
const SHA512_ANSWER: &[u8] = &[
    0x8e, 0x95, 0x9b, 0x75, 0xda, 0xe3, 0x13, 0xda, 0x8c, 0xf4, 0xf7, 0x28, 0x14, 0xfc, 0x14, 0x3f,
    0x8f, 0x77, 0x79, 0xc6, 0xeb, 0x9f, 0x7f, 0xa1, 0x72, 0x99, 0xae, 0xad, 0xb6, 0x88, 0x90, 0x18,
    0x50, 0x1d, 0x28, 0x9e, 0x49, 0x00, 0xf7, 0xe4, 0x33, 0x1b, 0x99, 0xde, 0xc4, 0xb5, 0x43, 0x3a,
    0xc7, 0xd3, 0x29, 0xee, 0xb6, 0xdd, 0x26, 0x54, 0x5e, 0x96, 0xe5, 0x5b, 0x87, 0x4b, 0xe9, 0x09,
];
const HMAC_ANSWER: &[u8] = &[
    0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
    0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
];
const GCM_KEY: [u8; 32] = [
    0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
    0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
];
const GCM_NONCE: [u8; 12] = [
    0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88,
];
const GCM_ASSOCIATED: &[u8] = &[
    0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef,
    0xab, 0xad, 0xda, 0xd2,
];
const GCM_PLAINTEXT: &[u8] = &[
    0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a,
    0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72,
    0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
    0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39,
];
const GCM_CIPHERTEXT: &[u8] = &[
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d,
    0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
    0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62,
];
const GCM_TAG: &[u8] = &[
    0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b,
];
const ARGON2ID_ANSWER: &[u8] = &[
    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
    0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
];
const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to its coordinates (RFC 5480 §2).
const P256_KEY_HEAD: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const P256_X: &[u8] = &[
    0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68,
    0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6,
];
const P256_Y: &[u8] = &[
    0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64,
    0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99,
];
const P256_R: &[u8] = &[
    0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c, 0xd4, 0x5e, 0x81, 0xd6,
    0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d, 0x0e, 0xa8, 0x4e, 0xaf, 0x37, 0x16,
];
const P256_S: &[u8] = &[
    0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65,
    0xf3, 0xe9, 0x00, 0xdb, 0xb9, 0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8,
];
const ZSTD_TEXT: &[u8] = b"fumikura";
/// Magic number, single-segment header with a one-byte content size, one last raw block (RFC 8878 §3.1.1.1, §3.1.1.2).
const ZSTD_FRAME: &[u8] = b"\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00fumikura";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_functions_give_the_answers_of_their_standards() {
        for test in SelfTest::ALL {
            let (answer, expected) = test.answers().unwrap();
            assert_eq!(answer, expected, "{test:?}");
        }
        run().unwrap();
    }

    #[test]
    fn a_spoiled_answer_of_any_function_is_noticed_and_named() {
        for test in SelfTest::ALL {
            let failure = run_with_fault(Some(test)).unwrap_err();
            assert_eq!(failure.test, test);
            assert!(failure.to_string().contains(test.name()));
        }
    }
}
