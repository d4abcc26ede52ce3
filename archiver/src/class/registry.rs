//! The classes that an archive knows, by id.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use formats::digest::{DigestAlgorithm, DigestValue};

use super::policy::{PolicyError, PreservationClass};
use crate::cli::lang::Lang;

/// All known classes.
#[derive(Clone, Debug)]
pub struct ClassRegistry {
    classes: BTreeMap<String, RegisteredClass>,
}

/// A class together with the exact text that was read, and its digests for the manifest.
#[derive(Clone, Debug)]
pub struct RegisteredClass {
    policy: PreservationClass,
    text: String,
    digests: Vec<DigestValue>,
}

/// Why a class cannot be used.
#[derive(Debug)]
pub enum ClassError {
    /// No class has this id.
    Unknown {
        /// The id that was asked for.
        id: String,
        /// The ids that exist, in order.
        known: Vec<String>,
    },
    /// A class file cannot be read.
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// A class file is larger than a class file may be.
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A class file is no class.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: PolicyError,
    },
}

impl ClassRegistry {
    /// The starter set that is part of the program.
    ///
    /// # Errors
    /// [`ClassError::Malformed`] if the program was built with a broken class file; a test rules this out.
    pub fn built_in() -> Result<Self, ClassError> {
        let mut registry = Self {
            classes: BTreeMap::new(),
        };
        for (name, text) in BUILT_IN {
            registry.add(Path::new(name), text)?;
        }
        Ok(registry)
    }

    /// Adds every `*.toml` of a directory; a file with the id of a known class replaces it.
    ///
    /// # Errors
    /// The first file that cannot be read or is no class.
    pub fn add_directory(&mut self, directory: &Path) -> Result<(), ClassError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error| ClassError::Unreadable { path, error }
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
            let path = entry.map_err(unreadable(directory))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                paths.push(path);
            }
        }
        paths.sort();
        for path in paths {
            let size = std::fs::metadata(&path).map_err(unreadable(&path))?.len();
            if size > CLASS_FILE_BYTES_MAX {
                return Err(ClassError::TooLarge { path });
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            self.add(&path, &text)?;
        }
        Ok(())
    }

    /// The class with this id.
    ///
    /// # Errors
    /// [`ClassError::Unknown`], which lists the known ids.
    pub fn class(&self, id: &str) -> Result<&RegisteredClass, ClassError> {
        self.classes.get(id).ok_or_else(|| ClassError::Unknown {
            id: id.to_owned(),
            known: self.classes.keys().cloned().collect(),
        })
    }

    /// All classes in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &RegisteredClass> {
        self.classes.values()
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), ClassError> {
        let policy = PreservationClass::parse(text).map_err(|error| ClassError::Malformed {
            path: path.to_owned(),
            error,
        })?;
        let digests = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512]
            .map(|algorithm| algorithm.digest(text.as_bytes()))
            .to_vec();
        let text = text.to_owned();
        self.classes.insert(
            policy.id.clone(),
            RegisteredClass {
                policy,
                text,
                digests,
            },
        );
        Ok(())
    }
}

impl RegisteredClass {
    /// The demands of the class.
    #[must_use]
    pub fn policy(&self) -> &PreservationClass {
        &self.policy
    }

    /// The exact text of the class file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 and SHA-512 of [`text`](Self::text).
    #[must_use]
    pub fn digests(&self) -> &[DigestValue] {
        &self.digests
    }
}

impl ClassError {
    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Unknown { id, known } => {
                let id = id.escape_debug();
                let known = known.join(", ");
                lang.pick(
                    format!("保管要件 {id} はありません。--class には次のどれかを指定してください: {known}"),
                    format!("unknown class {id}: give --class one of {known}"),
                )
            }
            Self::Unreadable { path, error } => lang.pick(
                format!("保管要件ファイル {path:?} を読めません ({error})。置き場所と権限を確かめてください"),
                format!("cannot read class file {path:?} ({error}): check that it exists and its permissions"),
            ),
            Self::TooLarge { path } => lang.pick(
                format!("保管要件ファイル {path:?} が {CLASS_FILE_BYTES_MAX} バイトを超えています"),
                format!("class file {path:?} is larger than {CLASS_FILE_BYTES_MAX} bytes"),
            ),
            Self::Malformed { path, error } => lang.pick(
                format!("保管要件ファイル {path:?}: {}", error.text(lang)),
                format!("class file {path:?}: {}", error.text(lang)),
            ),
        }
    }
}

impl fmt::Display for ClassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for ClassError {}

/// A class is a page of text; 64 KiB is many times the longest of the starter set.
const CLASS_FILE_BYTES_MAX: u64 = 64 * 1024;

const BUILT_IN: [(&str, &str); 10] = [
    ("general.toml", include_str!("../../classes/general.toml")),
    (
        "received-invoice.toml",
        include_str!("../../classes/received-invoice.toml"),
    ),
    (
        "issued-invoice.toml",
        include_str!("../../classes/issued-invoice.toml"),
    ),
    (
        "receipt-scan.toml",
        include_str!("../../classes/receipt-scan.toml"),
    ),
    ("contract.toml", include_str!("../../classes/contract.toml")),
    ("ledger.toml", include_str!("../../classes/ledger.toml")),
    (
        "system-log.toml",
        include_str!("../../classes/system-log.toml"),
    ),
    ("e-mail.toml", include_str!("../../classes/e-mail.toml")),
    (
        "audit-trail.toml",
        include_str!("../../classes/audit-trail.toml"),
    ),
    (
        "operation-journal.toml",
        include_str!("../../classes/operation-journal.toml"),
    ),
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::policy::Counterparty;
    use super::*;

    #[test]
    fn every_starter_class_is_valid_and_named_like_its_file() {
        let registry = ClassRegistry::built_in().unwrap();
        assert_eq!(registry.iter().count(), BUILT_IN.len());
        for (name, text) in BUILT_IN {
            let id = name.strip_suffix(".toml").unwrap();
            let class = registry.class(id).unwrap();
            assert_eq!(class.text(), text);
            assert_eq!(class.digests().len(), 2);
            assert!(!class.policy().is_reviewed(), "{id} claims a review");
        }
    }

    #[test]
    fn issued_invoices_are_found_by_customer() {
        let registry = ClassRegistry::built_in().unwrap();
        let counterparty = |id| registry.class(id).unwrap().policy().counterparty;
        assert_eq!(counterparty("issued-invoice"), Counterparty::Customer);
        assert_eq!(counterparty("received-invoice"), Counterparty::Supplier);
    }

    #[test]
    fn unknown_class_lists_the_known_ones() {
        let registry = ClassRegistry::built_in().unwrap();
        let error = registry.class("invioce").unwrap_err();
        for lang in [Lang::Ja, Lang::En] {
            let text = error.text(lang);
            assert!(text.contains("invioce") && text.contains("received-invoice"));
            assert!(!text.contains('\n'));
        }
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    fn a_directory_adds_and_replaces() {
        let directory = tempfile::tempdir().unwrap();
        let own = BUILT_IN[0]
            .1
            .replacen("id = \"general\"", "id = \"own\"", 1);
        fs::write(directory.path().join("own.toml"), &own).unwrap();
        fs::write(directory.path().join("notes.txt"), "no class").unwrap();
        let mut registry = ClassRegistry::built_in().unwrap();
        registry.add_directory(directory.path()).unwrap();
        assert_eq!(registry.class("own").unwrap().text(), own);
        assert_eq!(registry.iter().count(), BUILT_IN.len() + 1);

        fs::write(directory.path().join("bad.toml"), "x").unwrap();
        let error = registry.add_directory(directory.path()).unwrap_err();
        assert!(error.text(Lang::En).contains("bad.toml"));
        assert!(matches!(error, ClassError::Malformed { .. }));
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    fn missing_and_oversized_files_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let mut registry = ClassRegistry::built_in().unwrap();
        let missing = registry.add_directory(&directory.path().join("none"));
        assert!(matches!(missing, Err(ClassError::Unreadable { .. })));
        let long = "#".repeat(usize::try_from(CLASS_FILE_BYTES_MAX).unwrap() + 1);
        fs::write(directory.path().join("long.toml"), long).unwrap();
        let oversized = registry.add_directory(directory.path());
        assert!(matches!(oversized, Err(ClassError::TooLarge { .. })));
    }
}
