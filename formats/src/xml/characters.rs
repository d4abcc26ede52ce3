//! Which characters XML 1.0 allows where (§2.2, §2.3; Namespaces in XML 1.0 §4).

/// `Char`: what may stand in a document at all.
pub(super) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// `S`: white space.
pub(super) const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// `NCName`: a name without a colon.
pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

const fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

const fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether the attributes of a start tag, as they stand there, are parted by white space (§3.1, production 40).
pub(super) fn are_attributes_parted(raw: &str) -> bool {
    let mut quote = None;
    let mut must_part = false;
    for character in raw.chars() {
        match quote {
            Some(end) if character == end => {
                quote = None;
                must_part = true;
            }
            Some(_) => {}
            None if must_part && !is_space(character) => return false,
            None => {
                must_part = false;
                if matches!(character, '"' | '\'') {
                    quote = Some(character);
                }
            }
        }
    }
    quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        for good in ["a", "_x", "é", "証拠", "a-b.c1", "x\u{b7}"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a:b", "a b", "a\u{d7}", "<", "\u{2028}"] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn attributes_need_a_space_between_them() {
        assert!(are_attributes_parted(r#" a="1" b='2'"#));
        assert!(are_attributes_parted(r#" a = "1'2" "#));
        assert!(!are_attributes_parted(r#" a="1"b="2""#));
        assert!(!are_attributes_parted(r#" a="1"#));
    }

    #[test]
    fn control_characters_are_none() {
        assert!(is_character('\t') && is_character('\u{10ffff}'));
        assert!(
            !is_character('\0')
                && !is_character('\u{b}')
                && !is_character('\u{fffe}')
                && !is_character('\u{1f}')
        );
    }
}
