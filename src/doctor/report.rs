//! What was found, in words.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Ok,
    /// It works, and something about it will hurt some day or somebody.
    Warning,
    /// Something does not work.
    Problem,
}

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Finding {
    level: Level,
    about: &'static str,
    /// What it is and what it means.
    text: String,
    /// What to do about it.
    advice: String,
}

/// Everything that was found, in the order in which it was looked for.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Finding>);

impl Finding {
    pub fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Ok, about, text, "")
    }

    pub fn warning(
        about: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Level::Warning, about, text, advice)
    }

    pub fn problem(
        about: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Level::Problem, about, text, advice)
    }

    fn new(
        level: Level,
        about: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            level,
            about,
            text: text.into(),
            advice: advice.into(),
        }
    }
}

impl Report {
    #[must_use]
    pub fn problems(&self) -> usize {
        self.0
            .iter()
            .filter(|finding| finding.level == Level::Problem)
            .count()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        };
        write!(f, "{level:<8} {:<12} {}.", self.about, self.text)?;
        if self.advice.is_empty() {
            return Ok(());
        }
        write!(f, " {}.", self.advice)
    }
}

/// One line a finding.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}
