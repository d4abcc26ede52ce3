//! How long things took.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Times(Vec<u32>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time.as_micros() as u32);
    }

    pub(crate) fn join(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// One line: how many, how many in a second, and what half, 99 of 100 and the slowest waited.
    pub(crate) fn print(&mut self, name: &str, seconds: f64) {
        self.0.sort_unstable();
        let at = |share: f64| {
            let place = ((self.0.len().max(1) - 1) as f64 * share) as usize;
            f64::from(self.0.get(place).copied().unwrap_or_default()) / 1000.0
        };
        println!(
            "{name:<9} {:>8} in all, {:>8.0}/s, p50 {:>7.1} ms, p99 {:>7.1} ms, slowest {:>7.1} ms",
            self.0.len(),
            self.0.len() as f64 / seconds,
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}
