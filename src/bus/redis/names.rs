//! What keys and channels in Redis are called.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What would make a name ambiguous: ids may hold anything.
const SPECIAL: &AsciiSet = &CONTROLS.add(b'%').add(b':').add(b'{').add(b'}');

/// The names of one prefix.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Result<Self, String> {
        if prefix.contains(['{', '}']) {
            return Err("redis_prefix: must not hold { or }".to_owned());
        }
        Ok(Self {
            prefix: prefix.to_owned(),
        })
    }

    /// `prefix:kind:{owner}:detail`. A Redis Cluster keeps together what has the same owner.
    pub(super) fn name(&self, kind: &str, owner: &[&str], detail: &[&str]) -> String {
        let mut name = format!("{}:{kind}:{{{}}}", self.prefix, joined(owner));
        if !detail.is_empty() {
            name.push(':');
            name.push_str(&joined(detail));
        }
        name
    }
}

fn joined(parts: &[&str]) -> String {
    let encoded: Vec<String> = parts
        .iter()
        .map(|part| utf8_percent_encode(part, SPECIAL).to_string())
        .collect();
    encoded.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_mixed_up_whatever_ids_hold() {
        let names = Names::new("confab").unwrap();
        assert_eq!(names.name("at", &["t", "#7"], &["n"]), "confab:at:{t:#7}:n");
        let parts = ["", "a", "a:b", "a}", "{a", "%3A", ":", "}:", "é😀", "a\nb"];
        let mut seen = std::collections::HashSet::new();
        for one in parts {
            for other in parts {
                assert!(seen.insert(names.name("at", &[one, other], &[])));
                assert!(seen.insert(names.name("at", &[one], &[other])));
            }
        }
    }

    #[test]
    fn a_prefix_with_braces_is_refused() {
        assert!(Names::new("a{b}").is_err());
    }
}
