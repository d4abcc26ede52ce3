//! A signer over the archive of the tests, and what is looked at in its signatures.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use std::path::Path;

use archiver::class::ClassRegistry;
use archiver::signature::{ArchiveSigner, Raiser, SignatureKeeper, vault};
use archiver::store::durable;
use archiver::tsa::client::Timestamper;
use archiver::tsa::material::NoMaterial;
use formats::cades::{HashIndex, SignatureParts, archive_time_stamp_input};
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use formats::tsp::TimeStampToken;
use formats::x509::encode_pem;

use super::archive::World;
use super::openssl;

/// A signer, classes of which `general` asks for ES-A, and the roots.
pub struct Signing {
    pub signer: ArchiveSigner,
    pub classes: ClassRegistry,
    pub anchors: Vec<Vec<u8>>,
}

impl Signing {
    pub fn new(world: &World) -> Self {
        Self::asking(world, "cades = \"ES-A\"")
    }

    /// With these lines in the class.
    pub fn asking(world: &World, lines: &str) -> Self {
        let disk = durable::system_disk();
        let now = world.now();
        if !vault::exists(&world.keys) {
            vault::create(&world.keys, disk.as_ref(), now, world.entropy.as_ref()).unwrap();
        }
        let folder = world.folder.path().join("classes");
        std::fs::create_dir_all(&folder).unwrap();
        let general = include_str!("../../classes/general.toml");
        let text = general.replacen("[long-term]", &format!("[long-term]\n{lines}"), 1);
        openssl::put(&folder.join("general.toml"), text.as_bytes());
        let mut classes = ClassRegistry::built_in().unwrap();
        classes.add_directory(&folder).unwrap();
        let anchors = world.anchors.iter().map(|one| one.certificate().to_vec());
        Self {
            signer: vault::open(&world.keys).unwrap(),
            classes,
            anchors: anchors.collect(),
        }
    }

    pub fn keeper<'a>(&'a self, world: &'a World) -> SignatureKeeper<'a> {
        SignatureKeeper {
            archive: world.store.archive(),
            signer: Some(&self.signer),
            catalog: &world.catalog,
            frames: &world.store,
            retriever: world.retriever(),
            ledger: world.keys.ledger(),
            classes: &self.classes,
            policy: &world.policy,
            anchors: &world.anchors,
            clock: world.clock.as_ref(),
            entropy: world.entropy.as_ref(),
        }
    }

    pub fn raiser<'a>(&'a self, authority: &'a dyn Timestamper) -> Raiser<'a> {
        Raiser {
            authority,
            material: &NoMaterial,
            anchors: &self.anchors,
            signer: &self.signer,
            digest: DigestAlgorithm::Sha256,
        }
    }

    /// `openssl cms -verify -cades`; `content` for a detached signature.
    pub fn openssl_accepts(
        &self,
        folder: &Path,
        signature: &[u8],
        content: Option<&[u8]>,
        at: i64,
    ) -> bool {
        let anchor = encode_pem("CERTIFICATE", &self.signer.trust_anchor());
        openssl::put(&folder.join("ca.pem"), anchor.as_bytes());
        openssl::put(&folder.join("signature.der"), signature);
        let mut arguments = format!(
            "cms -verify -cades -binary -inform DER -in signature.der -CAfile ca.pem -attime {at} -out /dev/null"
        );
        if let Some(content) = content {
            openssl::put(&folder.join("content"), content);
            arguments.push_str(" -content content");
        }
        openssl::run(folder, &arguments).status.success()
    }
}

/// The values of the unsigned attributes of a type.
pub fn values(parts: &SignatureParts, oid: &Oid) -> Vec<Vec<u8>> {
    let attributes = parts.signers[0].unsigned_attributes.iter();
    attributes
        .filter(|attribute| attribute.oid == *oid)
        .flat_map(|attribute| attribute.values.clone())
        .collect()
}

/// How many archive timestamps hold: the imprint is that of the signature, and nothing is missing that their index names. `None` if one does not.
pub fn archive_timestamps(signature: &[u8]) -> Option<usize> {
    let parts = SignatureParts::parse(signature).ok()?;
    let signer = parts.signer(0).ok()?;
    let content = parts.content.clone()?;
    let tokens = values(&parts, &oid::ARCHIVE_TIME_STAMP_V3);
    for token in &tokens {
        let token = TimeStampToken::parse(token).ok()?;
        let index = HashIndex::of_token(token.signed_data.signers.first()?).ok()??;
        let algorithm = token.info.imprint.digest_algorithm()?;
        let content = algorithm.digest(&content);
        let input = archive_time_stamp_input(&parts, signer, &content, &index);
        if algorithm.digest(&input).as_bytes() != token.info.imprint.bytes {
            return None;
        }
        if index.coverage(&parts, signer).ok()?.unmatched > 0 {
            return None;
        }
    }
    Some(tokens.len())
}

/// Whether every signature timestamp is over the signature.
pub fn signature_timestamps_hold(signature: &[u8]) -> bool {
    let parts = SignatureParts::parse(signature).unwrap();
    let octets = &parts.signers[0].signature;
    values(&parts, &oid::SIGNATURE_TIME_STAMP)
        .iter()
        .all(|token| {
            let token = TimeStampToken::parse(token).unwrap();
            let algorithm = token.info.imprint.digest_algorithm().unwrap();
            algorithm.digest(octets).as_bytes() == token.info.imprint.bytes
        })
}
