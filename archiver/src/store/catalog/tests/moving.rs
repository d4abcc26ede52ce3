//! From one engine to another: by size, by hand, and interrupted.

use super::surviving::{copy_index, filled, filled_in};
use super::*;

const FJALL: EngineChoice = EngineChoice::Use(IndexEngine::Fjall);
const SLED: EngineChoice = EngineChoice::Use(IndexEngine::Sled);

fn engine_note(archive: &Archive) -> String {
    std::fs::read_to_string(archive.index().join("engine")).unwrap()
}

fn rebuild(
    archive: &Archive,
    engine: EngineChoice,
    progress: &mut dyn FnMut(FoldProgress),
) -> Result<(Catalog, CatalogReport), StoreError> {
    let options = CatalogOptions {
        engine,
        ..archive.catalog_options()
    };
    Catalog::rebuild(archive.store(), options, &TestOpener, progress)
}

#[test]
fn a_configured_engine_takes_the_index_over() {
    let mut archive = filled();
    let before = archive.answers();
    for (engine, note) in [
        (FJALL, "fjall records-2 by-size\n"),
        (SLED, "sled records by-size\n"),
    ] {
        archive.engine = engine;
        let report = archive.open_catalog();
        assert_eq!(report.moved.map(EngineChoice::Use), Some(engine));
        assert_eq!((report.versions_applied, report.rebuilt), (0, false));
        assert_eq!(archive.answers(), before);
        assert_eq!(engine_note(&archive), note);
        let report = archive.open_catalog();
        assert_eq!(report.moved, None);
        assert_eq!(archive.answers(), before);
        let left = std::fs::read_dir(archive.index()).unwrap();
        assert_eq!(left.count(), 2, "the old files are gone");
    }
    archive.engine = EngineChoice::Auto;
    assert_eq!(archive.open_catalog().moved, None);
}

#[test]
fn an_index_is_moved_before_it_is_outgrown() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    let open = |coming| {
        let options = CatalogOptions {
            versions_expected: coming,
            ..archive.catalog_options()
        };
        let opened = Catalog::open(archive.store(), options, &TestOpener, &mut |_| {});
        opened.unwrap().1.moved
    };
    assert_eq!(open(SLED_VERSIONS_MAX), None);
    assert_eq!(open(SLED_VERSIONS_MAX + 1), Some(IndexEngine::Fjall));
    assert_eq!(open(0), None, "and it stays there");
    drop(archive.open_catalog());
    assert_eq!(archive.answers(), before);
}

#[test]
fn a_copy_that_was_interrupted_is_begun_anew() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    let half = archive.index().join("records-2");
    copy_index(&archive.index().join("records"), &half);
    let note = archive.index().join("building");
    let disk = system_disk();
    let text = b"fjall records-2 by-size copy\n";
    crate::store::durable::replace_file(disk.as_ref(), &note, text).unwrap();
    archive.engine = FJALL;
    assert_eq!(archive.open_catalog().moved, Some(IndexEngine::Fjall));
    assert_eq!(archive.answers(), before);
    assert!(!note.exists());
}

#[test]
fn a_target_that_cannot_be_written_leaves_the_index_where_it_is() {
    let mut archive = filled();
    let before = archive.answers();
    // A file stands where nothing is known to stand, below a folder that cannot be made: names are taken in their order.
    archive.catalog = None;
    let dangling = archive.index().join("records-2");
    std::os::unix::fs::symlink("/nonexistent/place", &dangling).unwrap();
    archive.engine = FJALL;
    let report = archive.open_catalog();
    assert_eq!(report.moved, None);
    assert!(report.not_moved.is_some());
    assert_eq!(archive.answers(), before);
    assert!(engine_note(&archive).starts_with("sled records "));
}

#[test]
fn a_chosen_engine_is_kept_until_another_is_chosen() {
    let mut archive = filled_in(FJALL);
    let before = archive.answers();
    archive.catalog = None;
    archive.engine = EngineChoice::Auto;
    drop(rebuild(&archive, SLED, &mut |_| {}).unwrap());
    assert_eq!(engine_note(&archive), "sled records-2 chosen\n");
    assert_eq!(archive.open_catalog().moved, None);
    assert_eq!(archive.answers(), before);
    archive.catalog = None;
    drop(rebuild(&archive, EngineChoice::Auto, &mut |_| {}).unwrap());
    assert_eq!(engine_note(&archive), "sled records by-size\n");
}

#[test]
fn an_interrupted_rebuild_leaves_the_old_index_and_is_gone_on_with() {
    for engine in IndexEngine::ALL {
        let mut archive = Archive::new();
        archive.deposit(0..3000);
        archive.stamp(1);
        let before = archive.answers();
        archive.catalog = None;
        // The process dies in the middle: a copy of the directory as it is then.
        let copy = archive.root.path().join("copy");
        let mut copied = false;
        let choice = EngineChoice::Use(engine);
        let index = archive.index();
        let finished = rebuild(&archive, choice, &mut |at| {
            if at.versions >= 2500 && !copied {
                copy_index(&index, &copy);
                copied = true;
            }
        });
        drop(finished.unwrap());
        assert!(copied);
        std::fs::remove_dir_all(&index).unwrap();
        system_disk().rename(&copy, &index).unwrap();
        assert!(engine_note(&archive).starts_with("sled records "));
        let report = archive.open_catalog();
        assert_eq!((report.versions_applied, report.set_aside), (0, None));
        assert_eq!(archive.answers(), before);
        archive.catalog = None;
        let (catalog, report) = rebuild(&archive, choice, &mut |_| {}).unwrap();
        // sled keeps in memory what nobody asked it to write.
        let goes_on = report.versions_applied < 3000;
        assert!(goes_on || engine == IndexEngine::Sled, "gone on with");
        assert_eq!(answers(&catalog), before);
        drop(catalog);
        assert_eq!(archive.open_catalog().versions_applied, 0);
        assert_eq!(archive.answers(), before);
    }
}

#[test]
fn an_index_of_before_notes_is_taken_as_it_is() {
    let mut archive = filled();
    let before = archive.answers();
    archive.catalog = None;
    system_disk()
        .remove(&archive.index().join("engine"))
        .unwrap();
    assert_eq!(archive.open_catalog().versions_applied, 0);
    assert_eq!(archive.answers(), before);
}

#[test]
fn foreign_notes_name_no_files() {
    for text in [
        "",
        "fjall\n",
        "sled ../../etc by-size\n",
        "sled records-x by-size\n",
        "rocksdb records by-size\n",
        "sled records perhaps\n",
        "\u{0}\u{0}\u{0}",
    ] {
        let mut archive = filled();
        let before = archive.answers();
        archive.catalog = None;
        let note = archive.index().join("engine");
        crate::store::durable::replace_file(system_disk().as_ref(), &note, text.as_bytes())
            .unwrap();
        let report = archive.open_catalog();
        assert!(report.rebuilt, "{text}");
        assert_eq!(archive.answers(), before);
    }
}

#[test]
fn a_taking_over_that_was_interrupted_costs_no_index() {
    for made_from in ["copy", "segments"] {
        let mut archive = filled();
        let before = archive.answers();
        archive.engine = FJALL;
        assert_eq!(archive.open_catalog().moved, Some(IndexEngine::Fjall));
        archive.catalog = None;
        // The process died after the new files counted, with the note that they are being made left.
        let note = archive.index().join("building");
        let counts = engine_note(&archive);
        let text = format!("{} {made_from}\n", counts.trim_end());
        crate::store::durable::replace_file(system_disk().as_ref(), &note, text.as_bytes())
            .unwrap();
        let report = archive.open_catalog();
        assert_eq!((report.versions_applied, report.set_aside), (0, None));
        assert_eq!(engine_note(&archive), counts);
        assert!(!note.exists());
        assert_eq!(archive.answers(), before);
    }
}
