//! The preservation policies (保管要件) under which records are kept: 「長期保管を行う電子情報（群）の個々に対し、保管についての
//! 具体的な要求を指定する」 (Td1.3(1)). No class, no deposit.
//!
//! A class is a TOML file. The starter set stands in `archiver/classes/` and is part of the program; an archive may add
//! its own files or replace a starter file of the same id. A record names the class id and the digests of the class text,
//! so that the policy under which it came in can be proven later.

mod policy;
mod registry;

pub use policy::{
    Bilingual, CadesDigest, CadesLevel, Counterparty, Disposal, Integrity, LegalBasis, LongTerm,
    Period, PolicyError, PreservationClass, Review, ScanConditions, SearchKey, SignatureDemand,
    TimestampDemand,
};
pub use registry::{ClassError, ClassRegistry, RegisteredClass};
