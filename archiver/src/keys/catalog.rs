//! The seal of the record index: a data medium or an index without the key medium tells nothing about metadata.

use std::fmt;
use std::sync::Arc;

use firmware::entropy::Entropy;

use super::error::KeyError;
use super::medium::KeyMedium;
use super::secret::{DataKey, ValueKey};
use crate::store::catalog::ValueSealer;

/// Seals index values under a subkey of the archive's catalog key.
pub struct CatalogSealer {
    key: ValueKey,
    entropy: Arc<dyn Entropy>,
}

impl CatalogSealer {
    /// The sealer of the archive whose key medium this is.
    ///
    /// # Errors
    /// As [`KeyMedium::catalog_key`].
    pub fn new(keys: &KeyMedium, entropy: Arc<dyn Entropy>) -> Result<Self, KeyError> {
        let key = keys.catalog_key()?.subkey("record index").value_key();
        Ok(Self { key, entropy })
    }

    /// A sealer under a key that nobody keeps: what it seals can be read by this process alone. For an intake host.
    ///
    /// # Errors
    /// [`KeyError::Entropy`].
    pub fn forgetful(entropy: Arc<dyn Entropy>) -> Result<Self, KeyError> {
        let key = DataKey::generate(&*entropy)?.value_key();
        Ok(Self { key, entropy })
    }
}

impl ValueSealer for CatalogSealer {
    fn seal(&self, context: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        self.key.seal(&*self.entropy, context, value).ok()
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        Some(self.key.open(context, sealed)?.to_vec())
    }
}

impl fmt::Debug for CatalogSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogSealer").finish_non_exhaustive()
    }
}
