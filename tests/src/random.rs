//! A seeded generator for test material and positions: the same numbers in every run.

/// Knuth's linear congruential generator; its upper bits are good enough to choose places and to be incompressible.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 31 bits.
    #[allow(
        clippy::should_implement_trait,
        reason = "it never ends, so it is no iterator"
    )]
    pub const fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A number below `end`, which is not zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        let wide = (self.next() << 31) | self.next();
        wide % end
    }

    /// So many bytes that no compressor makes smaller.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count.saturating_add(3));
        while bytes.len() < count {
            bytes.extend_from_slice(&(self.next() >> 7).to_le_bytes()[..3]);
        }
        bytes.truncate(count);
        bytes
    }
}
