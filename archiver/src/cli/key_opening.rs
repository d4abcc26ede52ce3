//! What opening an archive found out about its key media, for people.

use super::output::{counted, grouped};
use super::session::Session;
use crate::archive::{Archive, OpeningReport};
use crate::keys::{CopyCondition, CopyState, KeyOpening};

impl Session {
    /// Says what is not as it should be: a copy that was behind or is missing, a rotation that was interrupted, memory that could not be locked.
    pub(super) fn announce_keys(&self, archive: &Archive, report: &OpeningReport) {
        let lang = self.output.lang;
        let note = |ja: String, en: String| self.output.note(&lang.pick(ja, en));
        if let Some(refused) = firmware::memory::failure() {
            note(
                format!(
                    "鍵をメモリに固定できませんでした({refused})。鍵がスワップに書かれるおそれがあります。memlock の上限を上げてください"
                ),
                format!(
                    "keys could not be locked in memory ({refused}): they may reach the swap. Raise the limit 'memlock'"
                ),
            );
        }
        for copy in archive.keys().ledger().copies() {
            self.announce_copy(&copy);
        }
        let keys = &report.keys;
        self.announce_destructions(keys);
        if keys.rotation_unfinished {
            note(
                "鍵の交替が途中です。archiver keys rotate で終えてください".to_owned(),
                "a rotation of the keys was interrupted: 'archiver keys rotate' brings it to its end".to_owned(),
            );
        }
        if keys.damaged_entries > 0 {
            let count = keys.damaged_entries;
            note(
                format!(
                    "鍵台帳の壊れた項目 {count} 件は、接続されているどの鍵媒体でも開けません。壊れていない写しを接続してください。それまで鍵の交替と廃棄は断ります"
                ),
                format!(
                    "{count} damaged entries of the key ledger open on no key medium that is there: attach a copy that is whole; until then keys are neither rotated nor destroyed"
                ),
            );
        }
        self.announce_differences(keys);
        if let Some(epoch) = keys.restored_from_before {
            note(
                format!(
                    "鍵媒体はどれも古い状態です(記録では世代 {epoch} まで進んでいます)。新しい鍵媒体を探してください。廃棄した鍵が戻っているおそれがあります"
                ),
                format!(
                    "every key medium is in an old state (epoch {epoch} is recorded): look for the newer one; keys that were destroyed may be back"
                ),
            );
        }
    }

    /// What became of keys that were to be destroyed.
    fn announce_destructions(&self, keys: &KeyOpening) {
        let lang = self.output.lang;
        let note = |ja: String, en: String| self.output.note(&lang.pick(ja, en));
        if keys.destructions_finished > 0 {
            note(
                format!(
                    "中断していた鍵の廃棄 {} 件を終えました",
                    keys.destructions_finished
                ),
                format!(
                    "finished {} destructions of keys that had been interrupted",
                    keys.destructions_finished
                ),
            );
        }
        if keys.destructions_pending > 0 {
            note(
                format!(
                    "鍵の廃棄 {} 件が、すべての鍵媒体の揃うのを待っています",
                    keys.destructions_pending
                ),
                format!(
                    "{} destructions of keys wait until every key medium is there",
                    keys.destructions_pending
                ),
            );
        }
        if keys.shut_out > 0 {
            let count = grouped(keys.shut_out);
            let counted = counted(keys.shut_out, "key that was", "keys that were");
            note(
                format!(
                    "廃棄したはずの鍵 {count} 件が鍵媒体に戻っています(廃棄の前の状態かバックアップから戻した媒体です)。この鍵は使いません。保管庫を書き込みで開く操作(archiver keys audit など)で改めて廃棄します"
                ),
                format!(
                    "the key medium holds {counted} destroyed (its state is one from before): not used; a command that opens the archive for writing, such as 'archiver keys audit', destroys again"
                ),
            );
        }
    }

    /// What hindered a destruction, and which files differ between key media.
    fn announce_differences(&self, keys: &KeyOpening) {
        let lang = self.output.lang;
        let note = |ja: String, en: String| self.output.note(&lang.pick(ja, en));
        for failure in &keys.failures {
            note(
                format!("鍵の廃棄を終えられませんでした: {failure}"),
                format!("a destruction of keys could not be brought to its end: {failure}"),
            );
        }
        for path in &keys.differing_files {
            let path = path.display();
            note(
                format!(
                    "{path} はほかの鍵媒体のものと異なり、そのまま残しました。正しい方を確かめ、他方を archiver keys copy で作り直してください"
                ),
                format!(
                    "{path} differs from that of another key medium and was left as it is: find out which is right, and make the other medium anew with 'archiver keys copy'"
                ),
            );
        }
        if keys.unwritten_entries > 0 {
            let count = keys.unwritten_entries;
            note(
                format!(
                    "鍵台帳に、ゼロの並ぶ項目が {count} 件あります。停電で書きかけに終わり受領を返していないものか、傷です。すべての鍵媒体を接続してください。外れている間は鍵を交替しません"
                ),
                format!(
                    "{count} entries of the key ledger are zeros, or begin or end with them: a power loss cut what was never acknowledged, or they are damaged. Attach every key medium; while one is away keys are not rotated"
                ),
            );
        }
    }

    fn announce_copy(&self, copy: &CopyState) {
        let lang = self.output.lang;
        let note = |ja: String, en: String| self.output.note(&lang.pick(ja, en));
        let root = copy.root.display();
        if copy.damaged > 0 {
            let count = copy.damaged;
            note(
                format!("鍵媒体 {root} の鍵台帳に壊れた項目が {count} 件あります"),
                format!("the key ledger on key medium {root} has {count} damaged entries"),
            );
        }
        match &copy.condition {
            CopyCondition::InService if copy.stale => note(
                format!(
                    "鍵媒体 {root} は鍵の交替より前の状態でした(古い写しが戻されたか、外されていたもの)。最新の状態に揃えました"
                ),
                format!(
                    "key medium {root} was behind a rotation (an old state was restored, or it was away): brought into step"
                ),
            ),
            CopyCondition::InService if copy.caught_up > 0 => note(
                format!(
                    "鍵媒体 {root} に足りなかった {} 件を補いました",
                    copy.caught_up
                ),
                format!(
                    "added {} entries that key medium {root} lacked",
                    copy.caught_up
                ),
            ),
            CopyCondition::InService => {}
            CopyCondition::Missing => note(
                format!(
                    "鍵媒体 {root} がありません。失われたのなら archiver keys copy {root} で作り直してください"
                ),
                format!(
                    "key medium {root} is not there: if it is lost, make it anew with 'archiver keys copy {root}'"
                ),
            ),
            CopyCondition::OutOfService { cause } => note(
                format!("鍵媒体 {root} を使えません({cause})"),
                format!("key medium {root} cannot be used: {cause}"),
            ),
        }
    }
}
