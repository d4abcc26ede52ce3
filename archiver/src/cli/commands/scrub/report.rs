//! `archiver scrub --report`

use std::sync::Arc;

use crate::archive::Access;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, moment};
use crate::cli::session::Session;
use crate::config::Config;
use crate::scrub::proofs::Proofs;
use crate::scrub::report::{Amount, ProofReport};
use crate::store::scrub::ScrubMedia;

use super::amount;

pub(super) fn run(session: &Session, config: Config) -> Result<Exit, Failure> {
    let disk = Arc::clone(&session.environment.disk);
    let media = ScrubMedia::open(&config.data, config.archive, &disk)?;
    let unlock = session.unlock(&config)?;
    let days = config.scrub.overdue_days;
    let archive = session.open_config(config, &unlock, Access::Read)?;
    let proofs = Proofs::of(archive.catalog(), &media.media())?;
    let stored = media.segments()?;
    let now = session.environment.clock.now();
    let report = ProofReport::of(&stored, &proofs, &|one| media.begun(one), days, now);
    session.output.event(&report.to_json());
    tell(&session.output, &report, days);
    let standing = super::super::standing::tell(session, &archive)?;
    Ok(if standing != Exit::Done {
        standing
    } else if report.overdue.segments == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn tell(output: &Output, report: &ProofReport, days: u32) {
    let lang = output.lang;
    let line = |label: String, sum: Amount| {
        let (bytes, segments) = amount(sum.bytes, sum.segments);
        output.say(&lang.pick(
            format!("{label}: {bytes}(区画 {segments})"),
            format!("{label}: {bytes} in {segments} segments"),
        ));
    };
    for (month, sum) in &report.months {
        line(
            lang.pick(format!("{month} に確認"), format!("last proven in {month}")),
            *sum,
        );
    }
    line(
        lang.pick("未確認", "never read again since it was written")
            .to_owned(),
        report.never,
    );
    line(
        lang.pick(
            format!("期限超過({days} 日より前)"),
            format!("overdue (longer ago than {days} days)"),
        ),
        report.overdue,
    );
    if let Some(oldest) = report.oldest {
        output.say(&lang.pick(
            format!("最も古い確認: {}", moment(oldest)),
            format!("oldest proof: {}", moment(oldest)),
        ));
    }
}
