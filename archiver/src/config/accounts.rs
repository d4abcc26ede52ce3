//! The part `[accounts]` of the configuration: when accounts are suspended, reviewed, and how long a request waits for a second person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use crate::access::account::is_account_name;

/// How accounts are looked after. The usual days are those of the model rules (000–002: `A05`, `A08`, `A09`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsConfig {
    /// An account that nobody used for so many days is suspended.
    pub dormant_days: u32,
    /// Accounts that are not suspended for that: systems that are needed once a year, and the like.
    pub dormant_exempt: BTreeSet<String>,
    /// An account is to be confirmed again after so many days.
    pub review_days: u32,
    /// One that is not confirmed within so many days more is suspended.
    pub review_answer_days: u32,
    /// What waits for a second person is over after so many days.
    pub approval_days: u32,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            dormant_days: 92,
            dormant_exempt: BTreeSet::new(),
            review_days: 365,
            review_answer_days: 30,
            approval_days: 30,
        }
    }
}

/// The part as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountsForm {
    dormant_days: Option<u32>,
    #[serde(default)]
    dormant_exempt: BTreeSet<String>,
    review_days: Option<u32>,
    review_answer_days: Option<u32>,
    approval_days: Option<u32>,
}

/// Reads the part.
pub(super) fn read(form: AccountsForm, place: &Place) -> Result<AccountsConfig, ConfigError> {
    let usual = AccountsConfig::default();
    let days = |key, value: Option<u32>, usual| match value.unwrap_or(usual) {
        days @ 1..=DAYS_MAX => Ok(days),
        _ => Err(place.invalid(key, "from 1 to 3650 days", "1 から 3650 日まで")),
    };
    if !form.dormant_exempt.iter().all(|name| is_account_name(name)) {
        return Err(place.invalid(
            "accounts.dormant_exempt",
            "names of accounts",
            "アカウント名の一覧",
        ));
    }
    Ok(AccountsConfig {
        dormant_days: days(
            "accounts.dormant_days",
            form.dormant_days,
            usual.dormant_days,
        )?,
        dormant_exempt: form.dormant_exempt,
        review_days: days("accounts.review_days", form.review_days, usual.review_days)?,
        review_answer_days: days(
            "accounts.review_answer_days",
            form.review_answer_days,
            usual.review_answer_days,
        )?,
        approval_days: days(
            "accounts.approval_days",
            form.approval_days,
            usual.approval_days,
        )?,
    })
}

/// The text of the part in the file; nothing where everything is as usual.
pub(super) fn text(accounts: &AccountsConfig) -> String {
    if *accounts == AccountsConfig::default() {
        return String::new();
    }
    let exempt: Vec<_> = accounts
        .dormant_exempt
        .iter()
        .map(|name| quoted(name))
        .collect();
    format!(
        "\n# How accounts are looked after.\n[accounts]\ndormant_days = {}\ndormant_exempt = [{}]\nreview_days = {}\nreview_answer_days = {}\napproval_days = {}\n",
        accounts.dormant_days,
        exempt.join(", "),
        accounts.review_days,
        accounts.review_answer_days,
        accounts.approval_days
    )
}

/// Ten years: longer would be never.
const DAYS_MAX: u32 = 3_650;
