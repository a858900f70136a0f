//! Names as they are compared and searched.

use unicode_normalization::UnicodeNormalization;

/// What names have in common that people take for the same: compatibility forms, letter case, how much space there is
/// between words, and characters that are not drawn do not count (Unicode NFKC, lower case letter by letter, without
/// Default_Ignorable_Code_Point). It is stored, and the key of accounts: a change needs a migration.
#[must_use]
pub fn name_key(name: &str) -> String {
    let drawn = name.chars().filter(|char| !is_invisible(*char));
    let folded = drawn.nfkc().flat_map(char::to_lowercase).nfkc();
    let key: String = folded
        // NFKC makes fillers of some letters.
        .filter(|char| !is_invisible(*char))
        // The one letter that has two lower cases, by where it stands.
        .map(|char| if char == 'ς' { 'σ' } else { char })
        .collect();
    key.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Default_Ignorable_Code_Point, and the braille pattern without dots.
const fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_take_for_the_same_name_has_the_same_key() {
        for name in ["Zoë", "ZOË", " zoë ", "Zoe\u{308}", "Ｚｏë"] {
            assert_eq!(name_key(name), "zoë", "{name}");
        }
        assert_eq!(name_key("ΟΔΟΣ"), name_key("οδος"));
        assert_eq!(name_key("Zoe\u{34f}\u{308}"), name_key("Zoë"));
        assert_eq!(name_key("Ann  Lee"), "ann lee");
        assert_eq!(name_key("a\u{34f}nn\u{fe0f}"), "ann");
        assert_eq!(name_key("\u{115f} \u{2800}"), "");
        assert_ne!(name_key("zoe"), name_key("zoë"));
    }
}
