//! Where a line ends: after words, between Japanese characters, never before a full stop or after an opening bracket (JIS X 4051 §8.1).

use super::face::Face;

/// Characters that do not begin a line.
const NOT_FIRST: &str = "、。，．・：；？！）」』】〉》〕］｝”’ー々ゝゞぁぃぅぇぉっゃゅょァィゥェォッャュョ…–—)]},.;:!?%";
/// Characters that do not end a line.
const NOT_LAST: &str = "（「『【〈《〔［｛“‘([{";
/// Characters after which a path, a digest or a name may go on in the next line.
const AFTER: &str = "/\\-_.:;,=@+·";

/// The lines of a text in a width, in units of em. A line feed ends a line, too.
pub(super) fn lines(text: &str, width: f32, face: &Face<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in face_lines(text) {
        let shown = face.shown(paragraph);
        break_paragraph(&shown, width, face, &mut lines);
    }
    lines
}

fn face_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
}

fn break_paragraph(text: &str, width: f32, face: &Face<'_>, lines: &mut Vec<String>) {
    let mut line: Vec<char> = Vec::new();
    let mut used = 0.0;
    // How many characters of the line stay if it has to end now.
    let mut stay: Option<usize> = None;
    for character in text.chars() {
        if line.last().is_some_and(|last| may_break(*last, character)) {
            stay = Some(line.len());
        }
        let advance = face.width(character);
        if used + advance > width && !line.is_empty() && character != ' ' {
            let keep = stay.filter(|keep| *keep > 0).unwrap_or(line.len());
            let rest = line.split_off(keep);
            finish(&line, lines);
            line = rest;
            used = line.iter().map(|character| face.width(*character)).sum();
            stay = None;
        }
        line.push(character);
        used += advance;
    }
    if !line.is_empty() || lines.is_empty() {
        finish(&line, lines);
    }
}

fn finish(line: &[char], lines: &mut Vec<String>) {
    let text: String = line.iter().collect();
    lines.push(text.trim_end_matches(' ').to_owned());
}

fn may_break(before: char, after: char) -> bool {
    if NOT_FIRST.contains(after) || NOT_LAST.contains(before) || after == ' ' {
        return false;
    }
    let is_inside_number = after.is_ascii_digit() && before != '/';
    before == ' '
        || is_wide(before)
        || is_wide(after)
        || (AFTER.contains(before) && !is_inside_number)
}

/// Japanese characters, between which a line may end.
const fn is_wide(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::super::face::font_bytes;
    use super::*;

    #[test]
    fn nothing_is_lost_and_nothing_is_too_wide() {
        let data = font_bytes().unwrap();
        let face = Face::new(&data).unwrap();
        let digest = "0123456789abcdef".repeat(16);
        for text in [
            "この文書は、2026年11月22日 12:48:30（日本時間）には存在し、それ以後変更されていないことが証明されています。",
            "The document existed on 22 November 2026 and has not been changed since.",
            &digest,
            "META-INF/evidencerecord.ers/chain[0]/time-stamp[0]/certificate",
        ] {
            for width in [3.0, 8.0, 20.0, 100.0] {
                let lines = lines(text, width, &face);
                for line in &lines {
                    assert!(face.width_of(line) <= width + 1.0, "{line}");
                }
                let joined: String = lines.concat().split(' ').collect();
                assert_eq!(joined, text.split(' ').collect::<String>());
            }
        }
    }

    #[test]
    fn a_full_stop_does_not_begin_a_line() {
        let data = font_bytes().unwrap();
        let face = Face::new(&data).unwrap();
        for width in [3.0, 4.0, 5.0, 6.0] {
            let found = lines("証明されています。「文書」です。", width, &face);
            for line in &found {
                assert!(
                    !line.starts_with(['。', '」']) && !line.ends_with('「'),
                    "{found:?}"
                );
            }
        }
        assert_eq!(lines("", 5.0, &face), [""]);
        assert_eq!(lines("a\nb", 5.0, &face), ["a", "b"]);
    }
}
