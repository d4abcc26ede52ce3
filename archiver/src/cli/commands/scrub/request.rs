//! What is asked for on the command line, with what the configuration says.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::cli::arguments::Scrub as Arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::session::Session;
use crate::config::{Config, ScrubConfig};
use crate::store::scrub::{Hours, Meter, Pace, Quantity, Selection, SystemSleeper, bytes};

/// What is to be scrubbed, and how.
pub(in crate::cli::commands) struct Request {
    pub(super) selection: Selection,
    pub(super) deep: bool,
    pub(super) heal: bool,
    hours: Option<Hours>,
    bytes_per_second: Option<u64>,
    /// Asked after each segment: whether to stop here, and to go on another time.
    stop: Option<Box<dyn Fn() -> bool>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Reads the arguments; what they do not say, the configuration does.
    pub(super) fn of(
        session: &Session,
        arguments: &Arguments,
        config: &Config,
    ) -> Result<Self, Failure> {
        let lang = session.output.lang;
        let selection = match (&arguments.part, &arguments.oldest) {
            (Some(text), _) => text.parse().map_err(|()| {
                usage(
                    lang,
                    "--part",
                    text,
                    "1/30 のように(1 から M まで)",
                    "as 1/30, from 1 to M",
                )
            })?,
            (None, Some(text)) => Selection::Oldest(Quantity::parse(text).ok_or_else(|| {
                usage(
                    lang,
                    "--oldest",
                    text,
                    "20 や 500GiB のように",
                    "as 20 or 500GiB",
                )
            })?),
            (None, None) => Selection::All,
        };
        let hours = match &arguments.hours {
            Some(text) => Some(Hours::parse(text).ok_or_else(|| {
                usage(
                    lang,
                    "--hours",
                    text,
                    "22-6 や 22:00-06:30 のように",
                    "as 22-6 or 22:00-06:30",
                )
            })?),
            None => config.scrub.hours,
        };
        let rate = match &arguments.pace {
            Some(text) => Some(bytes(text).ok_or_else(|| {
                usage(
                    lang,
                    "--pace",
                    text,
                    "50MB や 20MiB のように",
                    "as 50MB or 20MiB",
                )
            })?),
            None => config.scrub.bytes_per_second,
        };
        Ok(Self {
            selection,
            deep: arguments.deep,
            heal: !arguments.no_heal,
            hours,
            bytes_per_second: rate,
            stop: None,
        })
    }

    /// What the service reads: one part. It stops when `stop` answers yes, and goes on at the next call.
    pub(in crate::cli::commands) fn of_service(
        config: &ScrubConfig,
        selection: Selection,
        stop: Box<dyn Fn() -> bool>,
    ) -> Self {
        Self {
            selection,
            deep: false,
            heal: true,
            // The service looks at the hours itself, since it must not wait in here.
            hours: None,
            bytes_per_second: config.bytes_per_second,
            stop: Some(stop),
        }
    }

    /// The pace; `meter` is told of the bytes.
    pub(super) fn pace(&self, session: &Session, meter: Option<Meter>) -> Pace {
        Pace {
            bytes_per_second: self.bytes_per_second,
            hours: self.hours,
            meter,
            clock: Arc::clone(&session.environment.clock),
            sleeper: Arc::new(SystemSleeper),
        }
    }

    /// When the hours begin, if it is not one of them now.
    pub(super) fn waits_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let wait = self.hours?.wait(now);
        (!wait.is_zero()).then(|| now + wait)
    }

    /// Whether the service asks: it goes on by itself, and nobody need be told.
    pub(super) fn is_of_service(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether to stop here.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop())
    }
}

fn usage(lang: Lang, option: &str, text: &str, ja: &str, en: &str) -> Failure {
    Failure::said(
        Exit::Usage,
        lang,
        format!("{option} {text}: {ja}指定してください"),
        format!("{option} {text}: write it {en}"),
    )
}
