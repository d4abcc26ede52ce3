//! Certificates, CRLs and OCSP responses with deterministic keys: a key is known by a word, and so is its owner.

use formats::digest::DigestAlgorithm;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::der::*;
use crate::extension::*;

pub(crate) const START: OffsetDateTime = datetime!(2020-01-01 0:00 UTC);
pub(crate) const BEFORE: OffsetDateTime = datetime!(2025-05-01 0:00 UTC);
pub(crate) const NOW: OffsetDateTime = datetime!(2025-06-01 0:00 UTC);
pub(crate) const AFTER: OffsetDateTime = datetime!(2025-07-01 0:00 UTC);
pub(crate) const END: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

pub(crate) const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

fn signing_key(word: &str) -> SigningKey {
    let secret = DigestAlgorithm::Sha256.digest(word.as_bytes());
    SigningKey::from_slice(secret.as_bytes()).unwrap()
}

/// The point of a key, uncompressed.
pub(crate) fn point(word: &str) -> Vec<u8> {
    let key = signing_key(word);
    key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

pub(crate) fn spki(word: &str) -> Vec<u8> {
    let algorithm = seq(&[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")]);
    seq(&[algorithm, bits(&point(word))])
}

pub(crate) fn key_identifier(word: &str) -> Vec<u8> {
    let digest = DigestAlgorithm::Sha1.digest(&point(word));
    digest.as_bytes().to_vec()
}

fn sign(word: &str, message: &[u8]) -> Vec<u8> {
    let signature: DerSignature = signing_key(word).sign(message);
    signature.as_bytes().to_vec()
}

fn signed(tbs: Vec<u8>, algorithm: Vec<u8>, signer: &str, broken: bool) -> Vec<u8> {
    let mut signature = sign(signer, &tbs);
    if broken {
        let last = signature.len() - 1;
        signature[last] ^= 1;
    }
    seq(&[tbs, algorithm, bits(&signature)])
}

/// A certificate in the making.
#[derive(Clone)]
pub(crate) struct Cert {
    pub(crate) version: u8,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) from: Vec<u8>,
    pub(crate) until: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) inside: Vec<u8>,
    pub(crate) outside: Vec<u8>,
    pub(crate) signer: String,
    pub(crate) broken: bool,
}

impl Cert {
    fn new(name: &str, issuer: &str) -> Self {
        let algorithm = seq(&[oid(ECDSA_SHA256)]);
        // Different for different names, and the same in every run.
        let digest = DigestAlgorithm::Sha1.digest(name.as_bytes());
        let serial = [&[0x4d], &digest.as_bytes()[..7]].concat();
        Self {
            version: 3,
            serial,
            issuer: cn(issuer),
            subject: cn(name),
            from: time(START),
            until: time(END),
            key: spki(name),
            extensions: vec![ski(name), aki(issuer)],
            inside: algorithm.clone(),
            outside: algorithm,
            signer: issuer.to_owned(),
            broken: false,
        }
    }

    /// A certificate authority of this name and key, issued by another.
    pub(crate) fn ca(name: &str, issuer: &str) -> Self {
        let with = Self::new(name, issuer).with(basic(true, None));
        with.with(usage(KEY_CERT_SIGN | CRL_SIGN))
    }

    /// Somebody who signs documents.
    pub(crate) fn leaf(name: &str, issuer: &str) -> Self {
        Self::new(name, issuer).with(usage(DIGITAL_SIGNATURE))
    }

    /// With this extension, in place of another of its kind.
    pub(crate) fn with(mut self, extension: Extension) -> Self {
        self.extensions.retain(|other| other.oid != extension.oid);
        self.extensions.push(extension);
        self
    }

    /// Without the extension of this kind.
    pub(crate) fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|other| other.oid != oid);
        self
    }

    /// With an extension behind the others, whatever they are.
    pub(crate) fn and(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn valid(self, from: OffsetDateTime, until: OffsetDateTime) -> Self {
        self.change(|cert| {
            cert.from = time(from);
            cert.until = time(until);
        })
    }

    /// Signed by this key, whatever the issuer's name.
    pub(crate) fn signed_by(self, word: &str) -> Self {
        self.change(|cert| word.clone_into(&mut cert.signer))
    }

    /// With another key, and its identifier.
    pub(crate) fn keyed(self, word: &str) -> Self {
        self.change(|cert| cert.key = spki(word)).with(ski(word))
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let mut tbs = Vec::new();
        if self.version > 1 {
            tbs.push(tlv(0xa0, &num(u64::from(self.version - 1))));
        }
        tbs.extend([
            int(&self.serial),
            self.inside.clone(),
            self.issuer.clone(),
            seq(&[self.from.clone(), self.until.clone()]),
            self.subject.clone(),
            self.key.clone(),
        ]);
        if !self.extensions.is_empty() {
            let list: Vec<_> = self.extensions.iter().map(Extension::der).collect();
            tbs.push(tlv(0xa3, &seq(&list)));
        }
        signed(seq(&tbs), self.outside.clone(), &self.signer, self.broken)
    }
}

/// A CRL in the making.
#[derive(Clone)]
pub(crate) struct Crl {
    pub(crate) issuer: Vec<u8>,
    pub(crate) signer: String,
    pub(crate) this: OffsetDateTime,
    pub(crate) next: Option<OffsetDateTime>,
    pub(crate) entries: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) broken: bool,
}

impl Crl {
    /// A complete and current CRL that lists nobody.
    pub(crate) fn of(issuer: &str) -> Self {
        Self {
            issuer: cn(issuer),
            signer: issuer.to_owned(),
            this: BEFORE,
            next: Some(AFTER),
            entries: Vec::new(),
            extensions: vec![aki(issuer), crl_number(5)],
            broken: false,
        }
    }

    pub(crate) fn at(mut self, this: OffsetDateTime, next: Option<OffsetDateTime>) -> Self {
        self.this = this;
        self.next = next;
        self
    }

    pub(crate) fn with(mut self, extension: Extension) -> Self {
        self.extensions.retain(|other| other.oid != extension.oid);
        self.extensions.push(extension);
        self
    }

    pub(crate) fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|other| other.oid != oid);
        self
    }

    pub(crate) fn signed_by(mut self, word: &str) -> Self {
        word.clone_into(&mut self.signer);
        self
    }

    /// Lists a certificate.
    pub(crate) fn revokes(self, cert: &Cert, at: OffsetDateTime, extensions: &[Extension]) -> Self {
        self.lists(&cert.serial, at, extensions)
    }

    pub(crate) fn lists(
        mut self,
        serial: &[u8],
        at: OffsetDateTime,
        extensions: &[Extension],
    ) -> Self {
        let mut entry = vec![int(serial), time(at)];
        if !extensions.is_empty() {
            let list: Vec<_> = extensions.iter().map(Extension::der).collect();
            entry.push(seq(&list));
        }
        self.entries.extend(seq(&entry));
        self
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let algorithm = seq(&[oid(ECDSA_SHA256)]);
        let mut tbs = vec![
            num(1),
            algorithm.clone(),
            self.issuer.clone(),
            time(self.this),
        ];
        tbs.extend(self.next.map(time));
        if !self.entries.is_empty() {
            tbs.push(tlv(0x30, &self.entries));
        }
        if self.extensions.is_empty() {
            tbs.remove(0);
        } else {
            let list: Vec<_> = self.extensions.iter().map(Extension::der).collect();
            tbs.push(tlv(0xa0, &seq(&list)));
        }
        signed(seq(&tbs), algorithm, &self.signer, self.broken)
    }
}

/// What an OCSP response says about a certificate (RFC 6960 §4.2.1).
#[derive(Clone, Copy)]
pub(crate) enum Says {
    Good,
    Revoked(OffsetDateTime, Option<u8>),
    Unknown,
}

/// An OCSP response in the making.
#[derive(Clone)]
pub(crate) struct Ocsp {
    issuer: String,
    serial: Vec<u8>,
    pub(crate) says: Says,
    pub(crate) this: OffsetDateTime,
    pub(crate) next: Option<OffsetDateTime>,
    pub(crate) produced: OffsetDateTime,
    pub(crate) signer: String,
    pub(crate) by_name: Option<Vec<u8>>,
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) single_extensions: Vec<Extension>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) broken: bool,
}

impl Ocsp {
    /// A current answer of the issuer itself.
    pub(crate) fn about(cert: &Cert, issuer: &str, says: Says) -> Self {
        Self {
            issuer: issuer.to_owned(),
            serial: cert.serial.clone(),
            says,
            this: BEFORE,
            next: Some(AFTER),
            produced: BEFORE,
            signer: issuer.to_owned(),
            by_name: None,
            certificates: Vec::new(),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            broken: false,
        }
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Answered by somebody else, who brings a certificate.
    pub(crate) fn by(self, word: &str, certificate: &Cert) -> Self {
        self.change(|ocsp| {
            word.clone_into(&mut ocsp.signer);
            ocsp.certificates = vec![certificate.der()];
        })
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let sha1 = |bytes: &[u8]| octets(DigestAlgorithm::Sha1.digest(bytes).as_bytes());
        let algorithm = seq(&[oid("1.3.14.3.2.26"), null()]);
        let names = sha1(&cn(&self.issuer));
        let id = seq(&[
            algorithm,
            names,
            sha1(&point(&self.issuer)),
            int(&self.serial),
        ]);
        let status = match self.says {
            Says::Good => tlv(0x80, &[]),
            Says::Revoked(at, reason) => {
                let reason = reason.map(|code| tlv(0xa0, &tlv(0x0a, &[code])));
                tlv(
                    0xa1,
                    &[general_time(at), reason.unwrap_or_default()].concat(),
                )
            }
            Says::Unknown => tlv(0x82, &[]),
        };
        let mut single = vec![id, status, general_time(self.this)];
        single.extend(self.next.map(|next| tlv(0xa0, &general_time(next))));
        let list = |number: u8, extensions: &[Extension]| {
            let list: Vec<_> = extensions.iter().map(Extension::der).collect();
            if list.is_empty() {
                Vec::new()
            } else {
                tlv(number, &seq(&list))
            }
        };
        single.push(list(0xa1, &self.single_extensions));
        let responder = match &self.by_name {
            Some(name) => tlv(0xa1, name),
            None => tlv(0xa2, &sha1(&point(&self.signer))),
        };
        let data = seq(&[
            responder,
            general_time(self.produced),
            seq(&[seq(&single)]),
            list(0xa1, &self.extensions),
        ]);
        let mut signature = sign(&self.signer, &data);
        if self.broken {
            let last = signature.len() - 1;
            signature[last] ^= 1;
        }
        let mut basic = vec![data, seq(&[oid(ECDSA_SHA256)]), bits(&signature)];
        if !self.certificates.is_empty() {
            basic.push(tlv(0xa0, &seq(&self.certificates)));
        }
        let bytes = seq(&[oid("1.3.6.1.5.5.7.48.1.1"), octets(&seq(&basic))]);
        seq(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)])
    }
}
