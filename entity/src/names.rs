//! Names as they are compared and searched.

use unicode_normalization::UnicodeNormalization;

/// What names have in common that people take for the same: compatibility forms and letter case do not count
/// (Unicode NFKC, then lower case).
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().nfkc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_take_for_the_same_name_has_the_same_key() {
        for name in ["Zoë", "ZOË", " zoë ", "Zoe\u{308}", "Ｚｏë"] {
            assert_eq!(name_key(name), "zoë", "{name}");
        }
        assert_ne!(name_key("zoe"), name_key("zoë"));
    }
}
