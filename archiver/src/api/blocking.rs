//! Acts block: each runs on a thread of its own, and a panic in it is an answer and not a silence.

use std::sync::Arc;

use super::problem::Problem;
use crate::acts::{Desk, Refusal};
use crate::cli::lang::Lang;
use crate::telemetry;

/// Runs an act, and puts what is wrong into the language of the request.
pub(crate) async fn blocking<T: Send + 'static>(
    desk: &Arc<Desk>,
    lang: Lang,
    act: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Problem> {
    let desk = Arc::clone(desk);
    let place = telemetry::current();
    let joined = tokio::task::spawn_blocking(move || telemetry::within(place, || act(&desk))).await;
    match joined {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(refusal)) => Err(Problem::of(&refusal, lang)),
        Err(_) => Err(Problem::new(
            500,
            "internal",
            lang.pick(
                "内部エラーです。運用者に連絡してください",
                "an error inside the service: tell the operator",
            )
            .to_owned(),
        )),
    }
}
