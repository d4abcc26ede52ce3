//! Ordering work from the scheduler, and how it stands.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::actor::Actor;
use super::desk::{Desk, Subject, held};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::service::metrics::Status;
use crate::service::schedule::Todo;

/// Work that somebody wants done now and not in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOrder {
    /// Stamp what waits.
    Stamp,
    /// Plan renewals, and carry out what is due.
    Renew,
}

/// Where work is ordered.
#[derive(Debug, Clone)]
pub struct Jobs {
    orders: Arc<Mutex<Sender<JobOrder>>>,
    status: Arc<Mutex<Status>>,
}

impl JobOrder {
    /// As the scheduler takes it.
    #[must_use]
    pub const fn todo(self) -> Todo {
        Todo {
            stamp: matches!(self, Self::Stamp),
            renew: matches!(self, Self::Renew),
        }
    }
}

impl Jobs {
    /// Jobs that are ordered over a channel; `status` is what the scheduler leaves.
    #[must_use]
    pub fn new(orders: Sender<JobOrder>, status: Arc<Mutex<Status>>) -> Self {
        Self {
            orders: Arc::new(Mutex::new(orders)),
            status,
        }
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> Status {
        held(&self.status).clone()
    }
}

impl Desk {
    /// Orders work; it is begun within a second, and how it went is seen in the status.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`]; [`Refusal::Busy`] while the service ends.
    pub fn order_job(&self, actor: &Actor, order: JobOrder) -> Result<(), Refusal> {
        let act = match order {
            JobOrder::Stamp => Act::JobStamp,
            JobOrder::Renew => Act::JobRenew,
        };
        self.act(actor, act, Right::RunJobs, Subject::default(), |_| {
            let orders = held(&self.jobs.orders);
            orders.send(order).map_err(|_| Refusal::Busy)
        })
    }

    /// How the work of the service stands.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub fn job_status(&self, actor: &Actor) -> Result<Status, Refusal> {
        self.allowed(actor, Right::ReadJobs)?;
        Ok(self.jobs.status())
    }
}
