//! The calls of one deposit, of sealing a segment and of closing are those that `docs/en/durability.md` lists, in that order.

use std::fs;

use tests::endurance::trace;
use tests::workspace_root;

/// The lines of a block of the document.
fn documented(block: &str) -> Vec<String> {
    let document = workspace_root().join("docs/en/durability.md");
    let document = fs::read_to_string(document).expect("the document");
    let fence = format!("```calls-{block}\n");
    let rest = document.split(&fence).nth(1).expect("the block");
    let block = rest.split("```").next().expect("its end");
    block
        .lines()
        .map(|line| {
            line.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn one_deposit_makes_the_documented_calls() {
    let traced = trace(3000);
    assert_eq!(traced.deposit, documented("deposit"));
    let data: Vec<String> = documented("deposit")
        .into_iter()
        .filter(|line| line.contains(" data/"))
        .collect();
    assert_eq!(traced.second, data, "both replicas make the same calls");
    assert_eq!(traced.close, documented("close"));
}

#[test]
fn sealing_a_segment_makes_the_documented_calls() {
    // More than what the first segment can take.
    let traced = trace(200_000);
    let data: Vec<String> = traced
        .deposit
        .into_iter()
        .filter(|line| line.contains(" data/"))
        .collect();
    let next = data
        .iter()
        .position(|line| line == "create data/segments/0000000002.seg")
        .expect("a second segment");
    let end = data[next..]
        .iter()
        .position(|line| line == "sync data/segments/0000000002.seg")
        .expect("its header");
    assert_eq!(data[..=next + end], documented("seal"));
}
