//! What a visit at the archive says that somebody must be told.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::alarms::{AlarmKind, Condition};
use super::work::Visit;
use crate::config::AlarmsConfig;
use crate::evidence::calendar::{Blocked, Obstacle, PlannedAction, RenewalPlan};

/// What a visit says about alarms.
#[must_use]
pub fn of_visit(visit: &Visit, config: &AlarmsConfig, now: OffsetDateTime) -> Vec<Condition> {
    let mut found = Vec::new();
    let waits_max = Duration::hours(i64::from(config.unstamped_hours));
    if let Some(since) = visit.seen.since.filter(|since| now - *since > waits_max) {
        let (count, hours) = (visit.seen.unstamped, (now - since).whole_hours());
        found.push(Condition {
            kind: AlarmKind::Unstamped,
            subject: String::new(),
            en: format!("{count} records wait for a timestamp, the oldest for {hours} hours"),
            ja: format!(
                "{count} 件がタイムスタンプを待っています。最も古いものは {hours} 時間前から"
            ),
        });
    }
    let unopened = visit.seen.unopened_since;
    if let Some(since) = unopened.filter(|since| now - *since > waits_max) {
        let (count, hours) = (visit.seen.unopened, (now - since).whole_hours());
        found.push(Condition {
            kind: AlarmKind::Unstamped,
            subject: "unopened".to_owned(),
            en: format!(
                "{count} record version(s) cannot be opened and get no timestamp, the oldest for {hours} hour(s): run 'archiver keys intake accept' and 'archiver rebuild' for an intake host's, 'archiver verify' otherwise"
            ),
            ja: format!(
                "{count} 版を開けず、タイムスタンプを付けられません。最も古いものは {hours} 時間前から。預け入れるだけの機械の記録なら archiver keys intake accept と archiver rebuild を、そうでなければ archiver verify を実行してください"
            ),
        });
    }
    for authority in &visit.authorities {
        if authority.failures >= config.tsa_failures {
            let (name, failures) = (&authority.name, authority.failures);
            let reason = authority.reason.as_deref().unwrap_or("?");
            found.push(Condition {
                kind: AlarmKind::AuthorityFailing,
                subject: name.clone(),
                en: format!("authority {name} failed {failures} times in a row: {reason}"),
                ja: format!("時刻認証局 {name} が {failures} 回続けて失敗しました: {reason}"),
            });
        }
    }
    if !visit.failures.is_empty() {
        let text = visit.failures.join("; ");
        found.push(Condition {
            kind: AlarmKind::WorkFailing,
            subject: String::new(),
            en: format!("work at the archive failed: {text}"),
            ja: format!("保管庫での作業に失敗しました: {text}"),
        });
    }
    found.extend(visit.media.iter().flatten().cloned());
    found.extend(of_plan(visit, config, now));
    found
}

fn of_plan(visit: &Visit, config: &AlarmsConfig, now: OffsetDateTime) -> Vec<Condition> {
    let Some(plan) = &visit.plan else {
        return Vec::new();
    };
    let near = Duration::days(i64::from(config.renewal_days));
    let renewals = plan.due.iter().filter(|one| one.action.requests() > 0);
    let mut found: Vec<Condition> = renewals
        .filter_map(|planned| Some((planned, planned.latest?)))
        .filter(|(_, latest)| *latest - now <= near)
        .map(|(planned, latest)| overdue(planned, (latest - now).whole_days()))
        .collect();
    found.extend(plan.blocked.iter().map(blocked));
    found.extend(lost(plan));
    found
}

/// Lost proof, one alarm for each reason, and one for versions that nothing proves any more.
fn lost(plan: &RenewalPlan) -> Vec<Condition> {
    let mut by_reason: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
    for lost in &plan.lost {
        let reason = format!("{} {}", lost.end.reason.name(), lost.end.reason);
        let (versions, chains) = by_reason.entry(reason.trim_end().to_owned()).or_default();
        *versions += lost.versions;
        if chains.len() < NAMED_MAX {
            chains.push(format!("{} (track {})", lost.head, lost.track));
        }
    }
    let mut found: Vec<Condition> = by_reason
        .into_iter()
        .map(|(reason, (versions, chains))| {
            let chains = chains.join(", ");
            Condition {
                kind: AlarmKind::EvidenceLost,
                en: format!("a proof of {versions} record versions has ended ({reason}; chains {chains}); see 'archiver renew --plan'"),
                ja: format!("{versions} 版の証明が一つ終わっています({reason}、系列 {chains})。archiver renew --plan で確かめてください"),
                subject: reason,
            }
        })
        .collect();
    let unproven = plan.unproven();
    if unproven > 0 {
        found.push(Condition {
            kind: AlarmKind::EvidenceLost,
            subject: "unproven".to_owned(),
            en: format!("{unproven} record versions have no proof left; no new first token is made for them by itself"),
            ja: format!("{unproven} 版には有効な証明が一つも残っていません。新しい最初のトークンは自動では取りません"),
        });
    }
    found
}

fn overdue(planned: &PlannedAction, days: i64) -> Condition {
    let (name, versions) = (planned.action.name(), planned.versions);
    Condition {
        kind: AlarmKind::RenewalOverdue,
        subject: name.to_owned(),
        en: format!(
            "{name} of {versions} record versions is due and not done; {days} days are left"
        ),
        ja: format!("{versions} 版の更新({name})が済んでいません。残り {days} 日です"),
    }
}

fn blocked(blocked: &Blocked) -> Condition {
    let (subject, en, ja) = match &blocked.why {
        Obstacle::NewTokenEndsNoLater { tsa, ends_at, .. } => (
            format!("authority {tsa}"),
            format!(
                "a new token of {tsa} would end {ends_at} like the old one: it needs a new certificate, or another authority is needed"
            ),
            format!(
                "{tsa} の新しいトークンも {ends_at} に終わります。局の証明書の更新か別の局が必要です"
            ),
        ),
        Obstacle::Doubt(code) => (
            format!("doubt {code}"),
            format!(
                "tokens of {} record versions cannot be verified now: {code}",
                blocked.versions
            ),
            format!(
                "{} 版のトークンを今は検証できません: {code}",
                blocked.versions
            ),
        ),
        Obstacle::NoMaterial { certificate, since } => (
            format!("material {certificate}"),
            format!(
                "what tells whether {certificate} was revoked could not be had since {since}: look at the network and the authority's service"
            ),
            format!(
                "{certificate} の失効情報を {since} から得られていません。ネットワークと局のサービスを確かめてください"
            ),
        ),
        Obstacle::NoDigest { from } => (
            format!("digest {}", from.name()),
            format!(
                "no digest algorithm is trusted for longer than {}",
                from.name()
            ),
            format!("{} より長く信頼されるハッシュ関数がありません", from.name()),
        ),
    };
    Condition {
        kind: AlarmKind::RenewalBlocked,
        subject,
        en,
        ja,
    }
}

/// Lost chains that an alarm names.
const NAMED_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use formats::id::BatchId;
    use time::macros::datetime;

    use super::*;
    use crate::evidence::calendar::{End, EndReason, Lost};

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    #[test]
    fn lost_proof_is_told_by_reason_and_what_nothing_proves_by_itself() {
        let end = |code: &str| End {
            at: NOW,
            reason: EndReason::DoesNotVerify(code.to_owned()),
            source: "verifier".to_owned(),
        };
        let lost = |number, track, code, unproven| Lost {
            head: BatchId::new(number, &[0; 10]),
            track,
            versions: 10,
            unproven,
            end: end(code),
        };
        let plan = RenewalPlan {
            made_at: NOW,
            due: Vec::new(),
            later: Vec::new(),
            lost: vec![
                lost(1, 0, "CERTIFICATE_REVOKED", 3),
                lost(2, 0, "CERTIFICATE_REVOKED", 0),
                lost(3, 1, "OTHER", 0),
            ],
            blocked: vec![Blocked {
                heads: Vec::new(),
                track: 0,
                versions: 5,
                end: None,
                why: Obstacle::NoMaterial {
                    certificate: "CN=A".to_owned(),
                    since: NOW,
                },
            }],
        };
        let visit = Visit {
            plan: Some(plan),
            ..Visit::default()
        };
        let told = of_visit(&visit, &AlarmsConfig::default(), NOW);
        let subjects: Vec<&str> = told.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(
            subjects,
            [
                "material CN=A",
                "does-not-verify CERTIFICATE_REVOKED",
                "does-not-verify OTHER",
                "unproven"
            ]
        );
        assert!(told[1].en.contains("20 record versions"), "{}", told[1].en);
        assert!(
            told[3].en.starts_with("3 record versions"),
            "{}",
            told[3].en
        );
    }

    #[test]
    fn what_cannot_be_opened_is_told_since_it_came_in() {
        let mut visit = Visit::default();
        visit.seen.unopened = 3;
        visit.seen.unopened_since = Some(NOW - Duration::hours(1));
        let told = |visit: &Visit| of_visit(visit, &AlarmsConfig::default(), NOW);
        assert!(told(&visit).is_empty());
        visit.seen.unopened_since = Some(NOW - Duration::hours(30));
        let told = told(&visit);
        assert_eq!(told.len(), 1);
        assert!(told[0].en.contains("30 hour"), "{}", told[0].en);
    }
}
