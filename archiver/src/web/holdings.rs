//! Media, keys, the system and the years ahead: what there is and how it stands.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::Frame;
use super::text::{foreign, moment, number};
use super::timeline::reason_text;
use super::visitor::{Member, Visitor};
use crate::acts::Desk;
use crate::api::blocking;
use crate::cli::lang::Lang;
use crate::evidence::calendar::Forecast;
use crate::keys::inventory::{KeyInventory, KeyItem, KeyRole, KeyState};
use crate::media::facts::{Leaving, Role};
use crate::media::{MediumEntry, Standing};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/media", get(media))
        .route("/keys", get(keys))
        .route("/system", get(system))
        .route("/forecast", get(forecast))
}

fn page(visitor: &Visitor, place: &str, title: &str, matter: &Markup) -> Response {
    let frame = Frame {
        lang: visitor.lang,
        visitor: Some(visitor),
        place,
        title,
        evaluation: visitor.evaluation,
    };
    frame.page(matter).into_response()
}

async fn media(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let media = blocking(&desk, lang, move |desk| desk.read_media(&actor)).await;
    let media = media.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("媒体", "Media");
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick("記録はすべてのデータ媒体にあり、鍵は鍵媒体だけにあります。", "Records stand on every data medium, keys on key media alone.")) }
        section.sheet { div.scroll { table {
            thead { tr {
                th scope="col" { (lang.pick("媒体", "Medium")) } th scope="col" { (lang.pick("用途", "For")) } th scope="col" { (lang.pick("状態", "State")) }
                th scope="col" { (lang.pick("保管場所", "Place")) } th scope="col" { (lang.pick("管理者", "Custodian")) } th scope="col" { (lang.pick("最後の棚卸し", "Last stock-take")) }
            } }
            tbody { @for entry in &media { (medium(entry, lang)) } }
        } } }
    };
    Ok(page(&visitor, "/media", title, &matter))
}

fn medium(entry: &MediumEntry, lang: Lang) -> Markup {
    let purpose = match entry.role {
        Role::Data => lang.pick("データ", "data"),
        Role::Keys => lang.pick("鍵", "keys"),
        Role::KeyCopy => lang.pick("鍵の複製", "copy of the keys"),
        Role::Export => lang.pick("持ち出し", "export"),
    };
    let (class, state) = match &entry.standing {
        Standing::InService => ("tag good", lang.pick("使用中", "in service")),
        Standing::OutOfService(_) => (
            "tag bad",
            lang.pick("使用から外れています", "out of service"),
        ),
        Standing::Left(_, Leaving::Replaced) => ("tag", lang.pick("交換済み", "replaced")),
        Standing::Left(_, Leaving::Migrated) => ("tag", lang.pick("移行済み", "migrated")),
        Standing::Left(_, Leaving::Retired) => ("tag", lang.pick("除籍", "retired")),
    };
    html! { tr {
        td { strong { (entry.short_name()) } br; span.id { (entry.medium) } @if !entry.label.is_empty() { br; (foreign(&entry.label)) } }
        td { (purpose) } td { span class=(class) { (state) } }
        td { @match &entry.directory { Some(path) => { (foreign(&path.display().to_string())) } None => { "—" } } }
        td { @if entry.custodian.is_empty() { "—" } @else { (foreign(&entry.custodian)) } }
        td { @match entry.counted_at { Some(at) => { (moment(at)) } None => { "—" } } }
    } }
}

async fn keys(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let inventory = blocking(&desk, lang, move |desk| desk.read_keys(&actor)).await;
    let inventory = inventory.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("鍵", "Keys");
    let matter = html! {
        h1 { (title) }
        (responsible(&inventory, lang))
        section.sheet { div.scroll { table {
            thead { tr {
                th scope="col" { (lang.pick("鍵", "Key")) } th scope="col" { (lang.pick("種類", "What it is")) } th.number scope="col" { (lang.pick("数", "Count")) }
                th scope="col" { (lang.pick("世代", "Epoch")) } th scope="col" { (lang.pick("状態", "State")) } th scope="col" { (lang.pick("いつから", "Since")) }
            } }
            tbody { @for item in &inventory.items { (key(item, lang)) } }
        } } }
        section.sheet {
            h2 { (lang.pick("鍵のある媒体", "Where keys stand")) }
            div.scroll { table {
                thead { tr { th scope="col" { (lang.pick("媒体", "Medium")) } th scope="col" { (lang.pick("種類", "Kind")) } th scope="col" { (lang.pick("状態", "State")) } th.number scope="col" { (lang.pick("傷", "Damaged")) } } }
                tbody { @for place in &inventory.places { tr {
                    td.id { @match place.medium.medium { Some(medium) => { (medium) } None => { "—" } } }
                    td { (place.kind) } td { (place.condition) } td.number { (number(place.damaged + place.unwritten)) }
                } } }
            } }
        }
    };
    Ok(page(&visitor, "/keys", title, &matter))
}

fn responsible(inventory: &KeyInventory, lang: Lang) -> Markup {
    html! { section.sheet { dl.facts {
        dt { (lang.pick("管理責任者", "Responsible")) }
        dd { @match &inventory.responsible { Some(name) => { (foreign(name)) } None => { span.tag.warn { (lang.pick("未定", "nobody named")) } } } }
        dt { (lang.pick("前回の点検", "Last inspection")) }
        dd { @match &inventory.inspected_at { Some(at) => { (at) } None => { "—" } } }
        dt { (lang.pick("次の点検", "Next inspection by")) } dd { (inventory.inspection_due) }
    } } }
}

fn key(item: &KeyItem, lang: Lang) -> Markup {
    let role = match item.role {
        KeyRole::Unlock => lang.pick("開錠", "opens the key-encryption key"),
        KeyRole::KeyEncryption => lang.pick("鍵暗号化鍵", "key-encryption key"),
        KeyRole::Catalog => lang.pick("索引と出来事", "index and events"),
        KeyRole::Data => lang.pick("記録の版ごとの鍵", "one for each record version"),
        KeyRole::Signing => lang.pick("署名", "signing"),
    };
    let (class, state) = match item.state {
        KeyState::Active => ("tag good", lang.pick("使用中", "active")),
        KeyState::Retired => ("tag warn", lang.pick("交換済み", "retired")),
        KeyState::Destroyed => ("tag", lang.pick("廃棄済み", "destroyed")),
    };
    html! { tr {
        td { (foreign(&item.name)) } td { (role) } td.number { (number(item.count)) }
        td { @match item.epoch { Some(epoch) => { (epoch) } None => { "—" } } }
        td { span class=(class) { (state) } }
        td { @match &item.since { Some(since) => { (since) } None => { "—" } } }
    } }
}

async fn system(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let facts = blocking(&desk, lang, move |desk| desk.read_system(&actor)).await;
    let facts = facts.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("システム", "System");
    let matter = html! {
        h1 { (title) }
        section.sheet { dl.facts {
            dt { (lang.pick("保管庫", "Archive")) } dd.id { (facts.archive) }
            dt { (lang.pick("プログラム", "Program")) } dd { "Fumikura " (facts.version) }
            dt { (lang.pick("サービスの時計", "Clock of the service")) } dd { (moment(facts.now)) }
            dt { (lang.pick("記録の版", "Record versions")) } dd { (number(facts.counts.versions)) }
            dt { (lang.pick("タイムスタンプ待ち", "Waiting for a timestamp")) } dd { (number(facts.counts.unstamped)) }
            dt { (lang.pick("タイムスタンプの束", "Batches")) } dd { (number(facts.counts.batches)) }
        } }
        p { a href=(super::reader::PATH) { (lang.pick("API の仕様", "Description of the API")) } " · " a href="/api/v1/openapi.json" { "OpenAPI 3.1" } }
    };
    Ok(page(&visitor, "/system", title, &matter))
}

async fn forecast(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let found = blocking(&desk, lang, move |desk| desk.read_forecast(&actor)).await;
    let found = found.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("証拠の見通し", "Evidence forecast");
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick("今の証拠の何がいつ終わり、その前に何をするか。30 年先まで。", "What of today's evidence ends when, and what will be done before; thirty years ahead.")) }
        @if !found.lost.is_empty() || !found.blocked.is_empty() {
            p.notice.bad role="alert" { (lang.pick("このままでは証拠を失う記録があります。運用者に知らせてください。", "Some records will lose their proof as things stand: tell the operator.")) }
        }
        (ends(&found, lang))
        (steps(&found, lang))
    };
    Ok(page(&visitor, "/forecast", title, &matter))
}

fn ends(found: &Forecast, lang: Lang) -> Markup {
    html! { section.sheet {
        h2 { (lang.pick("今の証拠で終わるもの", "What ends of today's evidence")) }
        @if found.ends.is_empty() { p.empty { (lang.pick("ありません。", "Nothing.")) } }
        div.scroll { table {
            thead { tr { th scope="col" { (lang.pick("いつ", "When")) } th scope="col" { (lang.pick("何が", "What")) } th.number scope="col" { (lang.pick("系列", "Chains")) } th.number scope="col" { (lang.pick("記録の版", "Record versions")) } } }
            tbody { @for group in &found.ends { tr {
                td { (moment(group.end.at)) } td { (reason_text(group.end.reason.name(), lang)) }
                td.number { (number(group.chains)) } td.number { (number(group.versions)) }
            } } }
        } }
    } }
}

fn steps(found: &Forecast, lang: Lang) -> Markup {
    html! { section.sheet {
        h2 { (lang.pick("サービスが行うこと", "What the service will do")) }
        @if found.steps.is_empty() { p.empty { (lang.pick("予定はありません。", "Nothing is planned.")) } }
        div.scroll { table {
            thead { tr { th scope="col" { (lang.pick("いつ", "When")) } th.number scope="col" { (lang.pick("更新する記録の版", "Record versions renewed")) } } }
            tbody { @for step in &found.steps { tr { td { (moment(step.at)) } td.number { (number(step.action.versions)) } } } }
        } }
    } }
}
