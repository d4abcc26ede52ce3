//! Module recognise.
