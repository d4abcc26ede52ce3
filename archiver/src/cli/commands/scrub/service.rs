//! The part that the service reads each day.

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::offset;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::Unlock;
use crate::store::scrub::{ScrubState, Selection};

use super::request::Request;
use super::{scrub, state_file};

/// Reads on in the part of this day, for a while, where the configuration asks for it and it is the hour. Answers what somebody must know.
///
/// # Errors
/// [`Failure`] when the media or the archive cannot be used.
pub(in crate::cli::commands) fn daily(
    session: &Session,
    config: &Config,
    unlock: &Unlock,
) -> Result<Option<String>, Failure> {
    let Some(of) = config.scrub.part else {
        return Ok(None);
    };
    let clock = Arc::clone(&session.environment.clock);
    let hours = config.scrub.hours;
    let now = clock.now();
    if hours.is_some_and(|hours| !hours.wait(now).is_zero()) {
        return Ok(None);
    }
    let path = state_file(config);
    let state = ScrubState::read(&path);
    let under_way = state.run.and_then(|run| run.selection.parse().ok());
    let selection = match under_way {
        Some(selection) => selection,
        None if state.part_day.as_deref() == Some(&night(now)) => return Ok(None),
        None => Selection::Part {
            number: state.next_part.filter(|part| *part <= of).unwrap_or(1),
            of,
        },
    };
    let started = Instant::now();
    let slice = Duration::from_secs(u64::from(config.service.look_minutes) * 30);
    let stop = move || {
        let is_over = hours.is_some_and(|hours| !hours.wait(clock.now()).is_zero());
        is_over || started.elapsed() >= slice
    };
    let request = Request::of_service(&config.scrub, selection, Box::new(stop));
    let exit = scrub(session, config, Some(unlock), &request)?;
    let mut state = ScrubState::read(&path);
    if state.run.is_none()
        && let Selection::Part { number, of } = selection
    {
        state.next_part = Some(number % of + 1);
        state.part_day = Some(night(now));
        state.write(session.environment.disk.as_ref(), &path)?;
    }
    Ok((exit != Exit::Done).then(|| {
        let code = exit.code();
        session.output.lang.pick(
            format!("点検(分担 {selection}): 終了コード {code}。archiver scrub --report で確かめてください"),
            format!("scrub of part {selection}: exit code {code}; see 'archiver scrub --report'"),
        )
    }))
}

/// The day in Japan, from noon to noon: hours over midnight are of one day.
fn night(now: OffsetDateTime) -> String {
    let noon = time::Duration::hours(12);
    (now.to_offset(offset!(+9)) - noon).date().to_string()
}
