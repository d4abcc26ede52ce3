//! Module x509.
