//! What a scanner says about a source, and what follows from it.

use super::{Refusal, Worker};
use crate::intake::malware::{Examination, Scan, Verdict};
use crate::intake::{IntakeError, StableSource};
use crate::record::examine::Examined;
use crate::record::outcome::DepositWarning;

impl Worker<'_> {
    /// Scans a file, where that is configured, before anything of it is stored.
    pub(super) fn inspect_file(
        &self,
        file: &StableSource,
        examined: &mut Examined,
    ) -> Result<(), Refusal> {
        let Some(inspection) = &self.depositor.inspection else {
            return Ok(());
        };
        let scanned = inspection.examine(&mut file.preview());
        let examination =
            scanned.map_err(|error| IntakeError::from_io(file.name().clone(), error))?;
        self.take_verdict(examined, examination)
    }

    /// Begins to scan a stream, where that is configured.
    pub(super) fn begin_scan(&self) -> Option<Box<dyn Scan>> {
        let inspection = self.depositor.inspection.as_ref();
        inspection.map(|inspection| inspection.scanner.begin())
    }

    /// Keeps a verdict for the manifest, or refuses the source for it.
    pub(super) fn take_verdict(
        &self,
        examined: &mut Examined,
        examination: Examination,
    ) -> Result<(), Refusal> {
        let inspection = self.depositor.inspection.as_ref();
        if let Some(reason) = inspection.and_then(|one| one.refusal(&examination)) {
            let name = examined.name.clone();
            return Err(IntakeError::NotScanned { name, reason }.into());
        }
        examined.facts.extend(examination.facts());
        match examination.verdict {
            Verdict::Clean => {}
            Verdict::Infected { name } => {
                examined.warnings.push(DepositWarning::Quarantined(name));
            }
            Verdict::NotScanned(reason) => {
                examined.warnings.push(DepositWarning::NotScanned(reason));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::intake::malware::fake::FakeScanner;
    use crate::intake::malware::{Inspection, NotScanned, Unscanned};
    use crate::intake::{IntakeError, Source, SourceName, StableSource};
    use crate::record::fixture::{Fixture, request};
    use crate::record::outcome::{DepositEvent, DepositWarning};

    fn deposit(
        fixture: &Fixture,
        name: &str,
        content: &str,
        inspection: Inspection,
    ) -> DepositEvent {
        let path = fixture.file(name, content);
        let source = StableSource::open(&path, SourceName::from_bytes(name.as_bytes())).unwrap();
        let depositor = fixture.depositor().inspecting(Some(inspection));
        let outcome = depositor.deposit(Source::File(source), &request("general", &[]));
        outcome.unwrap()
    }

    fn inspection(fails: Option<NotScanned>, unscanned: Unscanned) -> Inspection {
        Inspection {
            scanner: Arc::new(FakeScanner { fails }),
            unscanned,
        }
    }

    #[test]
    fn a_file_is_judged_before_it_is_stored() {
        let fixture = Fixture::new();
        let works = || inspection(None, Unscanned::Refuse);
        let DepositEvent::Deposited(clean) = deposit(&fixture, "a", "good", works()) else {
            panic!("deposited");
        };
        assert_eq!(clean.warnings, []);
        let DepositEvent::Deposited(bad) = deposit(&fixture, "b", "BAD", works()) else {
            panic!("deposited");
        };
        let found = DepositWarning::Quarantined("Fake.Bad".to_owned());
        assert_eq!(bad.warnings, [found]);
        let opened = fixture.retriever().open(bad.version).unwrap();
        assert!(opened.refuse_quarantined().is_err());
        let reason = NotScanned::TimedOut;
        let refused = deposit(
            &fixture,
            "c",
            "x",
            inspection(Some(reason), Unscanned::Refuse),
        );
        assert!(matches!(
            refused,
            DepositEvent::Failed(IntakeError::NotScanned { .. })
        ));
        let accepted = deposit(
            &fixture,
            "c",
            "x",
            inspection(Some(reason), Unscanned::Accept),
        );
        let DepositEvent::Deposited(accepted) = accepted else {
            panic!("deposited");
        };
        assert_eq!(accepted.warnings, [DepositWarning::NotScanned(reason)]);
    }
}
