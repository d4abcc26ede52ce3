//! The files of a run, and what is said when they cannot be written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use verifier::bulk::run::RUN_BYTES_MAX;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;

pub(super) fn run_path(table: &Path) -> PathBuf {
    let mut name = table.as_os_str().to_owned();
    name.push(".run");
    PathBuf::from(name)
}

pub(super) fn page_path(summary: &Path) -> PathBuf {
    summary.with_extension("html")
}

pub(super) fn signature_path(summary: &Path) -> PathBuf {
    let mut name = summary.as_os_str().to_owned();
    name.push(".p7s");
    PathBuf::from(name)
}

pub(super) fn read_run(table: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(run_path(table))?;
    file.take(RUN_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|error| medium(path, &error))
}

pub(super) fn medium(path: &Path, error: &io::Error) -> Failure {
    Failure::Said {
        exit: Exit::Medium,
        text: format!("{}: {error}", path.display()),
    }
}

pub(super) fn exists(path: &Path, lang: Lang) -> Failure {
    let path = path.display();
    Failure::said(
        Exit::Usage,
        lang,
        format!("{path} はすでにあります。上書きしません"),
        format!("{path} exists already and is not overwritten"),
    )
}

pub(super) fn twice(path: &Path, lang: Lang) -> Failure {
    let path = path.display();
    Failure::said(
        Exit::Usage,
        lang,
        format!(
            "{path} に二つのものを書くことになります。一覧表とまとめに別の名前を付けてください"
        ),
        format!("{path} would be written twice: give table and summary other names"),
    )
}

pub(super) fn interrupted(csv: &Path, lang: Lang) -> Failure {
    let path = csv.display();
    Failure::said(
        Exit::Usage,
        lang,
        format!(
            "{path} の検証は中断されています。--resume で続けるか、{path} と {path}.run を削除してください"
        ),
        format!(
            "the run of {path} was interrupted: go on with --resume, or delete {path} and {path}.run"
        ),
    )
}

pub(super) fn other_run(csv: &Path, lang: Lang) -> Failure {
    let path = csv.display();
    Failure::said(
        Exit::Usage,
        lang,
        format!(
            "{path} は別の条件で始めた検証の表か、書き換えられています。続けられません。最初からやり直してください"
        ),
        format!(
            "{path} was begun with other arguments, trust, policy or language, or was changed: it cannot go on, start anew"
        ),
    )
}
